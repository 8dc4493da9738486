import type { InferenceSession } from "onnxruntime-node";

import { ScorerError } from "../errors.ts";
import type { Layout } from "../types.ts";

/** What a model takes and gives, found from its metadata. */
export interface Adapter {
  readonly input: string;
  readonly layout: Layout;
  /** Images in one run, where the model fixes it; null: any number. */
  readonly fixedBatch: number | null;
  /** Output with one number a class, [n, k]; null for a model that gives labels only. */
  readonly scores: string | null;
  /** Output with one whole number an image, [n] or [n, 1]; null where labels come from the scores. */
  readonly label: string | null;
}

type Metadata = InferenceSession.ValueMetadata;
type Tensor = Extract<Metadata, { isTensor: true }>;

const isFree = (dimension: number | string | undefined): boolean =>
  typeof dimension !== "number" || dimension < 0;

/** Whether a dimension of the model's accepts this number: the same, or free. */
const takes = (dimension: number | string | undefined, wanted: number): boolean =>
  isFree(dimension) || dimension === wanted;

function describeShape(shape: readonly (number | string)[]): string {
  return `[${shape.map((dimension) => (dimension === "" ? "?" : dimension)).join(", ")}]`;
}

/** The batch shape of a layout: what `takes` is asked dimension by dimension, and what a tensor is made with. */
export function shapeOf(
  layout: Layout,
  images: number,
  [height, width]: readonly [number, number],
): number[] {
  switch (layout) {
    case "flat":
      return [images, height * width];
    case "nhw":
      return [images, height, width];
    case "nchw":
      return [images, 1, height, width];
    case "nhwc":
      return [images, height, width, 1];
  }
}

const LAYOUTS = ["flat", "nhw", "nchw", "nhwc"] as const satisfies readonly Layout[];

function findLayout(
  model: string,
  input: Tensor,
  shape: readonly [number, number],
  wanted: Layout | "auto",
): Layout {
  const candidates = wanted === "auto" ? LAYOUTS : [wanted];
  const layout = candidates.find((candidate) => {
    const sizes = shapeOf(candidate, 1, shape).slice(1);
    return (
      input.shape.length === sizes.length + 1 && sizes.every((size, i) => takes(input.shape[i + 1], size))
    );
  });
  if (layout === undefined) {
    const given = wanted === "auto" ? "" : ` with --layout ${wanted}`;
    throw new ScorerError(
      `${model}: its input ${input.name} has the shape ${describeShape(input.shape)}, which does not take images of ` +
        `${shape[0]}×${shape[1]} pixels${given}: use a model made for this data set, or the data set it was made for`,
    );
  }
  return layout;
}

function onlyInput(model: string, inputs: readonly Metadata[]): Tensor {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => name).join(", ");
    throw new ScorerError(
      `${model}: the model has ${inputs.length} inputs${names && ` (${names})`}, but an image classifier has one: ` +
        "export it with the image as its only input",
    );
  }
  if (!input.isTensor || input.type !== "float32") {
    const type = input.isTensor ? input.type : "not a tensor";
    throw new ScorerError(
      `${model}: its input ${input.name} is ${type}, but float32 is expected: export the model with a float32 input`,
    );
  }
  return input;
}

/**
 * Finds out what a model's input and outputs mean.
 *
 * @throws ScorerError where the model cannot take these images, or gives neither labels nor one score a class.
 */
export function adapt(
  model: string,
  metadata: { readonly inputs: readonly Metadata[]; readonly outputs: readonly Metadata[] },
  images: { readonly shape: readonly [number, number]; readonly classes: number },
  wanted: Layout | "auto",
): Adapter {
  const input = onlyInput(model, metadata.inputs);
  const layout = findLayout(model, input, images.shape, wanted);
  const [batch] = input.shape;
  const tensors = metadata.outputs.filter((output): output is Tensor => output.isTensor);
  const scores = tensors.find(
    ({ type, shape }) => type === "float32" && shape.length === 2 && takes(shape[1], images.classes),
  );
  const label = tensors.find(
    ({ type, shape }) => type === "int64" && (shape.length === 1 || (shape.length === 2 && shape[1] === 1)),
  );
  if (scores === undefined && label === undefined) {
    const outputs = metadata.outputs
      .map(
        (output) =>
          `${output.name} ${output.isTensor ? output.type + describeShape(output.shape) : "(not a tensor)"}`,
      )
      .join(", ");
    throw new ScorerError(
      `${model}: none of its outputs (${outputs}) gives labels (int64 [n]) or scores of ${images.classes} classes ` +
        `(float32 [n, ${images.classes}]): use a model made for this data set's ${images.classes} classes`,
    );
  }
  return {
    input: input.name,
    layout,
    fixedBatch: typeof batch === "number" && batch > 0 ? batch : null,
    scores: scores?.name ?? null,
    label: label?.name ?? null,
  };
}
