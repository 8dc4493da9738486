import { RequestError, Unusable, type Json } from "../scorer/protocols/service.ts";
import type { BlockOptions } from "./blocks.ts";
import { isRecord, RecordsReader } from "./records.ts";

/** Deeper nesting means nothing to any protocol. */
const MOST_DEPTH = 32;
/** Keys, strings and values that are kept outside of tables of numbers: each costs some 100 bytes of memory, whatever it says. */
const MOST_VALUES = 20_000;

/** Null values: what is in it is read and dropped. */
type Open =
  | { readonly kind: "object"; readonly values: Map<string, Json> | null; key: string }
  | {
      readonly kind: "list";
      values: Json[] | null;
      /** Of a list of nothing but objects of numbers. */
      records: RecordsReader | null;
      refusal: RequestError | null;
    };
type OpenList = Extract<Open, { readonly kind: "list" }>;

/**
 * The lists and objects of a JSON text that have begun and not ended. Methods that may refuse what is added return why, or
 * null.
 */
export class Nesting {
  result: Json = null;
  #values = 0;
  readonly #open: Open[] = [];
  readonly #options: BlockOptions;

  constructor(options: BlockOptions) {
    this.#options = options;
  }

  get depth(): number {
    return this.#open.length;
  }

  /** What the next value stands in; null where it is the whole text. */
  get innermost(): "object" | "list" | null {
    return this.#open.at(-1)?.kind ?? null;
  }

  get isDropping(): boolean {
    return this.#open.at(-1)?.values === null;
  }

  /** The key that the next value stands under, however many lists are between. */
  get key(): string | null {
    const object = this.#open.findLast(({ kind }) => kind === "object");
    return object?.kind === "object" ? object.key : null;
  }

  beginObject(): string | null {
    return this.#begin({ kind: "object", values: this.isDropping ? null : new Map<string, Json>(), key: "" });
  }

  beginList(): string | null {
    return this.#begin({ kind: "list", values: this.isDropping ? null : [], records: null, refusal: null });
  }

  /** @param refusal what is answered where the list is used; null for a list within such a one */
  beginDropped(refusal: RequestError | null): string | null {
    return this.#begin({ kind: "list", values: null, records: null, refusal });
  }

  #begin(open: Open): string | null {
    if (this.#open.length === MOST_DEPTH) return `is nested more than ${MOST_DEPTH} deep`;
    this.#open.push(open);
    return null;
  }

  end(): string | null {
    const ended = this.#open.pop()!;
    if (ended.kind === "object") return this.#addObject(ended.values);
    if (ended.refusal !== null) return this.add(new Unusable(ended.refusal));
    return this.add(ended.records?.records() ?? ended.values);
  }

  #addObject(fields: Map<string, Json> | null): string | null {
    const list = this.#open.at(-1);
    if (fields === null || list?.kind !== "list" || list.values === null) return this.add(fields);
    const isFirst = list.records === null && list.values.length === 0 && isRecord(fields);
    if (isFirst) list.records = new RecordsReader(fields, this.#options);
    if (list.records === null) return this.add(fields);
    const wrong = list.records.add(fields);
    if (wrong !== null) this.#drop(list, wrong);
    // Its keys and numbers are not kept.
    this.#values -= 2 * fields.size;
    return null;
  }

  #drop(list: OpenList, wrong: string): void {
    list.values = null;
    list.refusal = new RequestError(400, `${JSON.stringify((this.key ?? "").slice(0, 40))}: ${wrong}`);
  }

  addKey(key: string): string | null {
    const object = this.#open.at(-1)!;
    if (object.kind !== "object") throw new TypeError("a list has no keys");
    object.key = key;
    if (object.values === null) return null;
    return object.values.has(key) ? `has the key ${JSON.stringify(key.slice(0, 40))} twice` : this.#count();
  }

  add(value: Json): string | null {
    const open = this.#open.at(-1);
    if (open === undefined) this.result = value;
    if (open === undefined || open.values === null) return null;
    if (open.kind === "list" && open.records !== null) {
      this.#drop(open, "a list of objects must hold nothing else");
      return null;
    }
    if (open.kind === "list") open.values.push(value);
    else open.values.set(open.key, value);
    return this.#count();
  }

  #count(): string | null {
    this.#values += 1;
    return this.#values > MOST_VALUES ? `has more than ${MOST_VALUES} values beside its numbers` : null;
  }
}
