import { RequestError, type Json } from "../scorer/protocols/service.ts";
import type { BlockOptions } from "./blocks.ts";
import {
  isNumberStart,
  isSpace,
  LITERALS,
  mayGoOn,
  shown,
  stringAt,
  stringEnd,
  UNFINISHED,
  wordAt,
} from "./bytes.ts";
import { Nesting } from "./nesting.ts";
import { NumberReader } from "./number.ts";
import { TableReader } from "./table.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Of one string or number, in bytes. */
const MOST_TOKEN = 8_192;

/** What `NaN` and `Infinity` start with: Python writes them, although JSON has neither. */
const NO_NUMBERS = new Set(Buffer.from("NI"));

type Expected =
  | "value"
  /** Of a list whose start is read: it tells whether the list is one of numbers. */
  | "first value or ]"
  | "value or ]"
  | "key or }"
  | "key"
  | ":"
  | ", or ]"
  | ", or }"
  | "the end";

/**
 * Reads JSON as it arrives, piece by piece: tables of numbers go straight into typed arrays, so that a body is never held
 * as text, nor as lists of lists. Nesting is counted, not recursed into.
 */
export class JsonReader {
  #expected: Expected = "value";
  /** Bytes of earlier pieces. */
  #before = 0;
  /** The start of a token that the next piece goes on with. */
  #rest: Uint8Array | null = null;
  #table: TableReader | null = null;
  readonly #nesting: Nesting;
  readonly #options: BlockOptions;
  readonly #number = new NumberReader(false);

  constructor(options: BlockOptions) {
    this.#options = options;
    this.#nesting = new Nesting(options);
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
    if (this.#expected === "the end" && this.#rest === null) return this.#nesting.result;
    const begun = this.#rest !== null || this.#table !== null || this.#expected !== "value";
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
        if (!this.#table.done && this.#table.refusal === null) return at;
        this.#endTable(this.#table, at);
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
      case "first value or ]":
        return this.#startList(at, byte);
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
      if (end !== UNFINISHED) this.#add(this.#string(bytes, at, end), at);
      return end;
    }
    if (byte === OPEN_OBJECT) {
      this.#check(this.#nesting.beginObject(), at);
      this.#expected = "key or }";
      return at + 1;
    }
    if (byte === OPEN_LIST) {
      this.#expected = "first value or ]";
      return at + 1;
    }
    if (isNumberStart(byte)) {
      const value = this.#number.read(bytes, at);
      if (this.#number.end === UNFINISHED) return UNFINISHED;
      if (this.#number.end < 0) return this.#unexpected(bytes, at);
      this.#add(value, at);
      return this.#number.end;
    }
    return this.#literal(bytes, at);
  }

  #startList(at: number, byte: number): number {
    const isTable = byte === OPEN_LIST || byte === CLOSE_LIST || isNumberStart(byte) || NO_NUMBERS.has(byte);
    if (isTable && !this.#nesting.isDropping) this.#table = new TableReader(this.#options, this.#name());
    else {
      this.#check(this.#nesting.beginList(), at);
      this.#expected = "value or ]";
    }
    return at;
  }

  /** Where the list is none of numbers, the rest of it is dropped: only where it should have been images is it refused. */
  #endTable(table: TableReader, at: number): void {
    this.#table = null;
    if (table.refusal === null) return this.#add(table.numbers(), at);
    for (let depth = 0; depth < table.openLists; depth++) {
      this.#check(this.#nesting.beginDropped(depth === 0 ? table.refusal : null), at);
    }
    this.#expected = table.expected;
  }

  /** What a table is called in messages: the key that it stands under. */
  #name(): string {
    const { key } = this.#nesting;
    return key === null ? "the body" : JSON.stringify(key.slice(0, 40));
  }

  #literal(bytes: Uint8Array, at: number): number {
    const word = wordAt(bytes, at);
    if (mayGoOn(bytes, at, word)) return UNFINISHED;
    const value = LITERALS.get(word);
    if (value === undefined) return this.#unexpected(bytes, at);
    this.#add(value, at);
    return at + word.length;
  }

  #key(bytes: Uint8Array, at: number): number {
    const end = stringEnd(bytes, at);
    if (end === UNFINISHED) return UNFINISHED;
    this.#check(this.#nesting.addKey(this.#string(bytes, at, end)), at);
    this.#expected = ":";
    return end;
  }

  #string(bytes: Uint8Array, at: number, end: number): string {
    const text = stringAt(bytes, at, end);
    if (text === null) throw this.#refusal(at, "has a string that is not UTF-8, or has a wrong escape");
    return text;
  }

  #close(at: number): number {
    this.#check(this.#nesting.end(), at);
    this.#expectMore();
    return at + 1;
  }

  #add(value: Json, at: number): void {
    this.#check(this.#nesting.add(value), at);
    this.#expectMore();
  }

  #expectMore(): void {
    const { innermost } = this.#nesting;
    this.#expected = innermost === null ? "the end" : innermost === "list" ? ", or ]" : ", or }";
  }

  /** @throws RequestError where there is something wrong */
  #check(wrong: string | null, at: number): void {
    if (wrong !== null) throw this.#refusal(at, wrong);
  }

  #unexpected(bytes: Uint8Array, at: number): never {
    const expected = this.#expected === "value" ? "a value" : this.#expected;
    throw new RequestError(
      400,
      `the body is no JSON: at byte ${this.#before + at} stands ${shown(bytes, at)}, where ${expected} is expected`,
    );
  }

  #refusal(at: number, what: string): RequestError {
    return new RequestError(400, `the body ${what} (near byte ${this.#before + at})`);
  }
}
