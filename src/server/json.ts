import { RequestError, type Json, type Numbers } from "../scorer/protocols/service.ts";
import { isNumberStart, isSpace, mayGoOn, shown, stringEnd, UNFINISHED, wordAt } from "./bytes.ts";
import { NumberReader } from "./number.ts";
import { TableReader, type TableOptions } from "./table.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Deeper nesting means nothing to any protocol. */
const MOST_DEPTH = 32;
/** Keys, strings and values outside of tables of numbers: each costs some 100 bytes of memory, whatever it says. */
const MOST_VALUES = 20_000;
/** Of one string or number, in bytes. */
const MOST_TOKEN = 8_192;

const LITERALS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["true", true],
  ["false", false],
  ["null", null],
]);
/** What `NaN` and `Infinity` start with: Python writes them, although JSON has neither. */
const NO_NUMBERS = new Set(Buffer.from("NI"));

type Expected = "value" | "value or ]" | "key or }" | "key" | ":" | ", or ]" | ", or }" | "the end";

interface OpenObject {
  readonly values: Map<string, Json>;
  key: string;
}

type Open = OpenObject | Json[];

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Reads JSON as it arrives, piece by piece: tables of numbers go straight into typed arrays, so that a body is never held
 * as text, nor as lists of lists. Nesting is counted, not recursed into.
 */
export class JsonReader {
  #expected: Expected = "value";
  #result: Json = null;
  #values = 0;
  /** Bytes of earlier pieces. */
  #before = 0;
  /** The start of a token that the next piece goes on with. */
  #rest: Uint8Array | null = null;
  #table: TableReader | null = null;
  readonly #open: Open[] = [];
  readonly #options: TableOptions;
  readonly #number = new NumberReader(false);

  constructor(options: TableOptions) {
    this.#options = options;
  }

  /** @throws RequestError where the text is no JSON, or holds what no protocol takes */
  push(piece: Uint8Array): void {
    const bytes = this.#rest === null ? piece : Buffer.concat([this.#rest, piece]);
    this.#rest = null;
    const end = this.#read(bytes);
    if (end < bytes.length) {
      if (bytes.length - end > MOST_TOKEN)
        throw this.#refusal(end, `has a string or a number of more than ${MOST_TOKEN} bytes`);
      // A copy: the piece's memory is the socket's.
      this.#rest = Buffer.from(bytes.subarray(end));
    }
    this.#before += end;
  }

  /** @throws RequestError where the text ends too early */
  end(): Json {
    // A number at the very end shows its end by what follows it.
    if (this.#rest !== null) this.push(Buffer.from(" "));
    if (this.#expected === "the end" && this.#rest === null) return this.#result;
    const begun = this.#rest !== null || this.#table !== null || this.#open.length > 0;
    throw new RequestError(
      400,
      begun ? "the body is no JSON: it ends in the middle" : "the body is empty: send JSON",
    );
  }

  /** @returns where the first unfinished token starts */
  #read(bytes: Uint8Array): number {
    let at = 0;
    while (at < bytes.length) {
      if (this.#table !== null) {
        at = this.#table.read(bytes, at, this.#before);
        if (!this.#table.done) return at;
        const numbers = this.#table.numbers();
        this.#table = null;
        this.#add(numbers);
        continue;
      }
      const byte = bytes[at]!;
      const next = isSpace(byte) ? at + 1 : this.#token(bytes, at, byte);
      if (next === UNFINISHED) return at;
      at = next;
    }
    return at;
  }

  /** @returns where the token ends, or UNFINISHED */
  #token(bytes: Uint8Array, at: number, byte: number): number {
    switch (this.#expected) {
      case "value":
      case "value or ]":
        if (byte === CLOSE_LIST && this.#expected === "value or ]") return this.#close(at);
        return this.#value(bytes, at, byte);
      case "key or }":
      case "key":
        if (byte === CLOSE_OBJECT && this.#expected === "key or }") return this.#close(at);
        return byte === QUOTE ? this.#key(bytes, at) : this.#unexpected(bytes, at);
      case ":":
        if (byte !== COLON) return this.#unexpected(bytes, at);
        this.#expected = "value";
        return at + 1;
      case ", or ]":
        if (byte === CLOSE_LIST) return this.#close(at);
        if (byte !== COMMA) return this.#unexpected(bytes, at);
        this.#expected = "value";
        return at + 1;
      case ", or }":
        if (byte === CLOSE_OBJECT) return this.#close(at);
        if (byte !== COMMA) return this.#unexpected(bytes, at);
        this.#expected = "key";
        return at + 1;
      case "the end":
        break;
    }
    return this.#unexpected(bytes, at);
  }

  #value(bytes: Uint8Array, at: number, byte: number): number {
    if (byte === QUOTE) {
      const end = stringEnd(bytes, at);
      if (end !== UNFINISHED) this.#add(this.#string(bytes, at, end));
      return end;
    }
    if (byte === OPEN_OBJECT) return this.#push({ values: new Map(), key: "" }, "key or }", at);
    if (byte === OPEN_LIST) return this.#list(bytes, at);
    if (isNumberStart(byte)) {
      const value = this.#number.read(bytes, at);
      if (this.#number.end === UNFINISHED) return UNFINISHED;
      if (this.#number.end < 0) return this.#unexpected(bytes, at);
      this.#add(value);
      return this.#number.end;
    }
    return this.#literal(bytes, at);
  }

  /** What a list starts with tells whether it is one of numbers. */
  #list(bytes: Uint8Array, at: number): number {
    let first = at + 1;
    while (first < bytes.length && isSpace(bytes[first]!)) first++;
    if (first === bytes.length) return UNFINISHED;
    const byte = bytes[first]!;
    const isTable = byte === OPEN_LIST || byte === CLOSE_LIST || isNumberStart(byte) || NO_NUMBERS.has(byte);
    if (!isTable) return this.#push([], "value or ]", at);
    this.#table = new TableReader(this.#options, this.#name());
    return at;
  }

  /** What a table is called in messages: the key that it stands under. */
  #name(): string {
    const object = this.#open.findLast((open): open is OpenObject => !Array.isArray(open));
    return object === undefined ? "the body" : JSON.stringify(object.key.slice(0, 40));
  }

  #literal(bytes: Uint8Array, at: number): number {
    const word = wordAt(bytes, at);
    if (mayGoOn(bytes, at, word)) return UNFINISHED;
    const value = LITERALS.get(word);
    if (value === undefined) return this.#unexpected(bytes, at);
    this.#add(value);
    return at + word.length;
  }

  #key(bytes: Uint8Array, at: number): number {
    const end = stringEnd(bytes, at);
    if (end === UNFINISHED) return UNFINISHED;
    const object = this.#open.at(-1) as OpenObject;
    object.key = this.#string(bytes, at, end);
    if (object.values.has(object.key))
      throw this.#refusal(at, `has the key ${JSON.stringify(object.key.slice(0, 40))} twice`);
    this.#count(at);
    this.#expected = ":";
    return end;
  }

  #string(bytes: Uint8Array, at: number, end: number): string {
    try {
      return JSON.parse(utf8.decode(bytes.subarray(at, end))) as string;
    } catch (error) {
      throw this.#refusal(at, "has a string that is not UTF-8, or has a wrong escape", error);
    }
  }

  #push(open: Open, expected: Expected, at: number): number {
    if (this.#open.length === MOST_DEPTH) throw this.#refusal(at, `is nested more than ${MOST_DEPTH} deep`);
    this.#open.push(open);
    this.#expected = expected;
    return at + 1;
  }

  #close(at: number): number {
    const closed = this.#open.pop()!;
    this.#add(Array.isArray(closed) ? closed : closed.values);
    return at + 1;
  }

  #add(value: Json | Numbers): void {
    const open = this.#open.at(-1);
    this.#count(0);
    if (open === undefined) {
      this.#result = value;
      this.#expected = "the end";
    } else if (Array.isArray(open)) {
      open.push(value);
      this.#expected = ", or ]";
    } else {
      open.values.set(open.key, value);
      this.#expected = ", or }";
    }
  }

  #count(at: number): void {
    this.#values += 1;
    if (this.#values > MOST_VALUES)
      throw this.#refusal(at, `has more than ${MOST_VALUES} values beside its numbers`);
  }

  #unexpected(bytes: Uint8Array, at: number): never {
    const expected = this.#expected === "value" ? "a value" : this.#expected;
    throw new RequestError(
      400,
      `the body is no JSON: at byte ${this.#before + at} stands ${shown(bytes, at)}, where ${expected} is expected`,
    );
  }

  #refusal(at: number, what: string, cause?: unknown): RequestError {
    return new RequestError(400, `the body ${what} (near byte ${this.#before + at})`, { cause });
  }
}
