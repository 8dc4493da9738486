/** The bytes end within a token: the next piece goes on with it. */
export const UNFINISHED = -1;

/** JSON's words, and what they stand for. */
export const LITERALS: ReadonlyMap<string, boolean | null> = new Map([
  ["true", true],
  ["false", false],
  ["null", null],
]);

export function isNumberStart(byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2d;
}

export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Where a string that starts at `start` ends, its quote included, or UNFINISHED. */
export function stringEnd(bytes: Uint8Array, start: number): number {
  for (let at = start + 1; at < bytes.length; at++) {
    if (bytes[at] === 0x5c) at++;
    else if (bytes[at] === 0x22) return at + 1;
  }
  return UNFINISHED;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What a string says, its quotes included in the range; null where it is not UTF-8 or has a wrong escape. */
export function stringAt(bytes: Uint8Array, start: number, end: number): string | null {
  const plain = plainText(bytes, start + 1, end - 1);
  if (plain !== null) return plain;
  try {
    return JSON.parse(utf8.decode(bytes.subarray(start, end))) as string;
  } catch {
    return null;
  }
}

/** Text of ASCII that stands for itself, as keys of records do by the thousand; null for any other. */
function plainText(bytes: Uint8Array, start: number, end: number): string | null {
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < 0x20 || byte > 0x7e || byte === 0x5c) return null;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** Letters that a word has at most before it is cut. */
const LONGEST_WORD = 12;

/** The letters and digits from `at` on. */
export function wordAt(bytes: Uint8Array, at: number): string {
  let word = "";
  for (let end = at; end < bytes.length && word.length < LONGEST_WORD; end++) {
    const letter = String.fromCharCode(bytes[end]!);
    if (!/[\w+.-]/.test(letter)) break;
    word += letter;
  }
  return word;
}

/** Whether a word may go on in the next piece. */
export function mayGoOn(bytes: Uint8Array, at: number, word: string): boolean {
  return word.length < LONGEST_WORD && at + word.length === bytes.length;
}

/** What stands there, in words for users. */
export function shown(bytes: Uint8Array, at: number): string {
  const word = wordAt(bytes, at);
  if (word !== "") return word;
  const byte = bytes[at]!;
  return byte > 0x20 && byte < 0x7f
    ? String.fromCharCode(byte)
    : `the byte 0x${byte.toString(16).padStart(2, "0")}`;
}
