import type { Tensor } from "onnxruntime-node";

import type { TensorMetadata } from "../adapter.ts";
import { writeArgmax } from "../answers.ts";
import type { StoredAnswer } from "../journal.ts";
import type { OutputPlan, Outputs } from "../outputs.ts";
import { ReplyError, type Answer, type Values } from "../protocols/protocol.ts";

/** A bare list has no name of its own. */
const UNNAMED = "predictions";

/** Characters of a label in which it is looked for; what is shown is cut later. */
const MOST_READ = 10_000;

/** A reply's row that is no answer, in words. */
export interface BadRow {
  readonly bad: string;
}

/** A reply's outputs as a local model would give them: what is known of reading those holds for these. */
export function tensorsOf(
  answer: Answer,
  classes: readonly string[],
): { readonly tensors: TensorMetadata[]; readonly outputs: Outputs } {
  const named = Object.entries(withClassTable(answer, classes)).map(
    ([name, values]) => [name || UNNAMED, values] as const,
  );
  return {
    tensors: named.map(([name, { type, dims }]) => ({
      name,
      isTensor: true,
      type,
      shape: ["n", ...dims.slice(1)],
    })),
    outputs: Object.fromEntries(named.map(([name, values]) => [name, values as unknown as Tensor])),
  };
}

/** Replies to parts of the same images as one. */
export function concatenated(answers: readonly Answer[]): Answer {
  const [first = {}, ...others] = answers;
  if (others.length === 0) return first;
  return Object.fromEntries(
    Object.entries(first).map(([name, values]) => {
      const parts = [values, ...others.map((other) => like(values, other[name], name))];
      const dims = [parts.reduce((sum, part) => sum + (part.dims[0] ?? 1), 0), ...values.dims.slice(1)];
      // Whole numbers by chance are numbers still.
      const type = parts.some((part) => part.type === "float64") ? "float64" : values.type;
      const data =
        type === "string"
          ? parts.flatMap((part) => part.data as readonly string[])
          : Float64Array.from(parts.flatMap((part) => [...(part.data as Float64Array)]));
      return [name, { type, dims, data }];
    }),
  );
}

function like(first: Values, other: Values | undefined, name: string): Values {
  const same =
    other !== undefined &&
    (other.type === "string") === (first.type === "string") &&
    String(other.dims.slice(1)) === String(first.dims.slice(1));
  if (!same)
    throw new ReplyError(`the service's replies differ in ${name === "" ? "form" : `the output ${name}`}`);
  return other;
}

/**
 * Some services answer with one output a class, named as the classes are. Those that leave out the least likely
 * classes tell the label alone.
 */
function withClassTable(answer: Answer, classes: readonly string[]): Answer {
  const columns = classes.map((name) => answer[name]);
  const [first] = columns;
  if (first === undefined || Object.keys(answer).length < 2) return answer;
  const rows = first.data.length;
  if (
    columns.some((column) => column === undefined || column.type === "string" || column.data.length !== rows)
  )
    return answer;
  const data = new Float64Array(rows * classes.length);
  columns.forEach((column, k) => {
    for (let row = 0; row < rows; row++) data[row * classes.length + k] = column!.data[row] as number;
  });
  return { "": { type: "float64", dims: [rows, classes.length], data } };
}

/**
 * Reads each image's answer out of a reply.
 *
 * @throws ReplyError where it is not for so many images, or lacks what earlier replies had
 */
export function answersIn(
  answer: Answer,
  plan: OutputPlan,
  rows: number,
  classes: readonly string[],
): readonly (StoredAnswer | BadRow)[] {
  const { outputs } = tensorsOf(answer, classes);
  const scores = plan.scores === null ? null : table(outputs, plan.scores, rows, classes.length);
  const labels = plan.label === null ? null : list(outputs, plan.label, rows);
  return Array.from({ length: rows }, (_, row) => {
    const own = scores && scores.slice(row * classes.length, (row + 1) * classes.length);
    const label = labels === null ? largest(own!) : labelOf(labels[row], classes);
    return typeof label === "number" ? { label, scores: own } : label;
  });
}

function values(outputs: Outputs, name: string): Values {
  const found = outputs[name] as unknown as Values | undefined;
  if (found !== undefined) return found;
  const names = Object.keys(outputs).join(", ");
  throw new ReplyError(
    `the reply lacks the output ${name} that earlier replies had (it has ${names || "none"})`,
  );
}

function table(outputs: Outputs, name: string, rows: number, classes: number): Float64Array {
  const { data, dims } = values(outputs, name);
  if (!(data instanceof Float64Array))
    throw new ReplyError("the reply has words where earlier replies had scores");
  checkRows(dims[0] === classes && data.length === classes && rows === 1 ? 1 : (dims[0] ?? 0), rows);
  if (data.length !== rows * classes)
    throw new ReplyError(
      `the reply has ${data.length / rows} scores an image, but there are ${classes} classes`,
    );
  return data;
}

function list(outputs: Outputs, name: string, rows: number): Values["data"] {
  const { data, dims } = values(outputs, name);
  checkRows(dims[0] ?? data.length, rows);
  if (data.length !== rows) throw new ReplyError(`the reply has ${data.length} labels for ${rows} images`);
  return data;
}

function checkRows(got: number, rows: number): void {
  if (got === rows) return;
  throw new ReplyError(`the reply answers for ${got} ${got === 1 ? "image" : "images"} instead of ${rows}`);
}

const first = new Uint8Array(1);

function largest(scores: Float64Array): number | BadRow {
  for (const score of scores) {
    if (Number.isNaN(score)) return { bad: "the service's scores are not all numbers" };
    if (score === Infinity) return { bad: "the service's scores are not all finite" };
  }
  writeArgmax(scores, first, 0, 1, scores.length);
  return first[0]!;
}

function labelOf(answer: string | number | undefined, classes: readonly string[]): number | BadRow {
  if (typeof answer === "string") {
    const label = classes.indexOf(answer.trim());
    return label >= 0
      ? label
      : { bad: `the service's label “${answer.slice(0, MOST_READ)}” is none of the classes` };
  }
  if (answer === undefined || Number.isNaN(answer)) return { bad: "the service's label is not a number" };
  const known = Number.isInteger(answer) && answer >= 0 && answer < classes.length;
  return known ? answer : { bad: `the service's label ${answer} is none of the ${classes.length} classes` };
}
