import { Records, type Json } from "../scorer/protocols/service.ts";
import { GrowingBlocks, type BlockOptions } from "./blocks.ts";

type Fields = ReadonlyMap<string, Json>;

/** Whether an object may be a row of a table. */
export function isRecord(fields: Fields): boolean {
  return fields.size > 0 && [...fields.values()].every((value) => typeof value === "number");
}

/** Makes rows of numbers of a list's objects, whose keys are the first one's, in whatever order. */
export class RecordsReader {
  readonly #columns: readonly string[];
  readonly #blocks: GrowingBlocks;
  readonly #element: BlockOptions["element"];
  #count = 0;

  constructor(first: Fields, options: BlockOptions) {
    this.#columns = [...first.keys()];
    this.#blocks = new GrowingBlocks(options);
    this.#element = options.element;
  }

  /** @returns why it is no row of these, or null */
  add(fields: Fields): string | null {
    const row = this.#count++;
    if (fields.size !== this.#columns.length)
      return `row ${row} has ${fields.size} column${fields.size === 1 ? "" : "s"}, but those before it have ${this.#columns.length}`;
    for (const column of this.#columns) {
      const wrong = this.#addNumber(fields.get(column));
      if (wrong !== null) return `row ${row}, column ${JSON.stringify(column.slice(0, 40))} ${wrong}`;
    }
    return null;
  }

  #addNumber(value: Json | undefined): string | null {
    if (value === undefined) return "is missing";
    if (typeof value !== "number") return "must be a number";
    const blocks = this.#blocks;
    if (blocks.filled === blocks.block.length) blocks.grow();
    blocks.block[blocks.filled] = value;
    return Number.isFinite(blocks.block[blocks.filled++]) ? null : `is too large for ${this.#element}`;
  }

  records(): Records {
    return new Records({ blocks: this.#blocks.all(), dims: [this.#count, this.#columns.length] });
  }
}
