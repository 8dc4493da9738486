import type { Evaluation, ScoredBatch } from "../types.ts";

/**
 * A field as RFC 4180 has it: quoted where it holds a comma, a quote or a line break. A name that a spreadsheet would
 * take for a formula (`=1+1`) stays as it is: these files are data, and a changed name would no longer match.
 */
function field(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** confusion_matrix.csv: rows are the true classes, columns the predicted, cells are counts. Lines end in LF. */
export function confusionMatrixCsv({ confusionMatrix, dataset }: Evaluation): string {
  const names = dataset.classes.map(field);
  const rows = confusionMatrix.map((row, i) => `${names[i]},${row.join(",")}\n`);
  return `true\\predicted,${names.join(",")}\n${rows.join("")}`;
}

/** The first line of predictions.csv; `p_3` is the probability of the class at position 3 of `classes`. */
export function predictionsHeader(classes: readonly string[], hasProbabilities: boolean): string {
  const probabilities = hasProbabilities ? classes.map((_, i) => `,p_${i}`).join("") : "";
  return `index,truth,predicted,correct,confidence${probabilities}\n`;
}

/** Rows at once: a batch of 120,000 images and 256 classes would be longer than a string can be. */
const ROWS_AT_ONCE = 1000;

/**
 * Lines of predictions.csv, one an image, a thousand at a time. `correct` is 1 or 0, which every reader takes for a
 * number, and its mean is the accuracy. Probabilities read back as the same double. Without probabilities `confidence` is
 * empty.
 */
export function* predictionsRows(batch: ScoredBatch, classes: readonly string[]): Generator<string> {
  const names = classes.map(field);
  const images = batch.indices.length;
  for (let start = 0; start < images; start += ROWS_AT_ONCE) {
    yield rowsText(batch, names, start, Math.min(images, start + ROWS_AT_ONCE));
  }
}

function rowsText(
  { indices, truth, predicted, probabilities }: ScoredBatch,
  names: readonly string[],
  start: number,
  end: number,
): string {
  const k = names.length;
  let text = "";
  for (let i = start; i < end; i++) {
    const label = predicted[i] ?? 0;
    let scores = "";
    let confidence = "";
    if (probabilities !== null) {
      for (let c = 0; c < k; c++) {
        const given = probabilities[i * k + c]!;
        const probability = Number.isNaN(given) ? "" : String(given);
        if (c === label) confidence = probability;
        scores += `,${probability}`;
      }
    }
    const correct = truth[i] === label ? 1 : 0;
    text += `${indices[i]},${names[truth[i] ?? 0]},${names[label]},${correct},${confidence}${scores}\n`;
  }
  return text;
}
