import type { Output } from "../files/output.ts";
import { predictionsHeader, predictionsRows } from "../report/csv.ts";
import type { ScoredBatch } from "../types.ts";

/** predictions.csv, written as images are scored. */
export interface Predictions {
  add(batch: ScoredBatch): Promise<void>;
  /** Writes what is still held, and closes the file. */
  finish(): Promise<void>;
}

/**
 * Images whose rows are held back. Putting numbers into text takes as long as scoring, and there is time for it while the
 * charts are drawn; beyond this many, rows are written as they come, so that memory stays as it is.
 */
const HELD_IMAGES = 50_000;

export function predictionsFile(output: Output, classes: readonly string[]): Predictions {
  const held: ScoredBatch[] = [];
  let images = 0;
  let file: Awaited<ReturnType<Output["stream"]>> | null = null;

  async function write(): Promise<void> {
    for (let batch = held.shift(); batch !== undefined; batch = held.shift()) {
      if (file === null) {
        file = await output.stream("predictions.csv");
        await file.write(predictionsHeader(classes, batch.probabilities !== null));
      }
      for (const rows of predictionsRows(batch, classes)) await file.write(rows);
    }
    images = 0;
  }

  return {
    async add(batch) {
      held.push({ ...batch, pixels: new Uint8Array(0) });
      images += batch.truth.length;
      if (images > HELD_IMAGES) await write();
    },
    async finish() {
      await write();
      file ??= await output.stream("predictions.csv");
      await file.end();
    },
  };
}
