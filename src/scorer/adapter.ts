import type { InferenceSession } from "onnxruntime-node";

import { ScorerError } from "../errors.ts";
import type { Layout, Resize } from "../types.ts";
import { ELEMENTS, isElementType, type ElementType } from "./elements.ts";

export type Metadata = InferenceSession.ValueMetadata;
export type TensorMetadata = Extract<Metadata, { isTensor: true }>;
type Dimension = number | string;

/** One way to hand images to a model. */
export interface InputPlan {
  readonly name: string;
  readonly type: ElementType;
  readonly layout: Layout;
  /** A grey image is repeated for a model that takes three colours. */
  readonly channels: 1 | 3;
  /** Images in one run, where the model fixes it; null: any number. */
  readonly fixedBatch: number | null;
  /** [height, width] that the model takes. */
  readonly shape: readonly [number, number];
  /** How the images come to that size; null: they have it. */
  readonly resize: Exclude<Resize, "none"> | null;
  /** Sizes of one image as the model has them, where dimensions of 1 stand otherwise than in the layout. */
  readonly sizes?: readonly number[];
  /** The model takes the images on their side only: its height is their width. */
  readonly turned: boolean;
}

type Shape = (images: number, channels: number, height: number, width: number) => number[];

const SHAPES = {
  flat: (images, channels, height, width) => [images, channels * height * width],
  nhw: (images, _channels, height, width) => [images, height, width],
  nchw: (images, channels, height, width) => [images, channels, height, width],
  nhwc: (images, channels, height, width) => [images, height, width, channels],
} as const satisfies Record<Layout, Shape>;

/** The shape of a tensor of images in a layout. */
export function tensorShape(
  {
    layout,
    channels,
    shape: [height, width],
    sizes,
  }: Pick<InputPlan, "layout" | "channels" | "shape" | "sizes">,
  images: number,
): number[] {
  if (sizes !== undefined) return [images, ...sizes];
  return SHAPES[layout](images, channels, height, width);
}

/** In the order in which they are tried where a model leaves its dimensions open. */
const WAYS: readonly (readonly [Layout, 1 | 3])[] = [
  ["nchw", 1],
  ["nhwc", 1],
  ["flat", 1],
  ["nhw", 1],
  ["nchw", 3],
  ["nhwc", 3],
];

const isFree = (dimension: Dimension | undefined): boolean => typeof dimension !== "number" || dimension < 0;

/** Whether a dimension of the model's accepts this number: the same, or free. */
function takes(dimension: Dimension | undefined, wanted: number): boolean {
  return isFree(dimension) || dimension === wanted;
}

export function describeShape(shape: readonly Dimension[]): string {
  return `[${shape.map((dimension) => (dimension === "" || dimension === -1 ? "?" : dimension)).join(", ")}]`;
}

export function describeTensor({ name, type, shape }: TensorMetadata): string {
  return `${name} ${type} ${shape.length === 0 ? "of any shape" : describeShape(shape)}`;
}

/**
 * The ways in which a model can take images, most likely first: one where its shape says all, more where it leaves
 * dimensions open.
 *
 * @param images [height, width] of the data set's images
 * @param resize null: it is not to be resized, and asking for it would be no use
 * @throws ScorerError where it cannot take them at all
 */
export function inputPlans(
  file: string,
  inputs: readonly Metadata[],
  images: readonly [number, number],
  wanted: Layout | "auto",
  resize: Resize | null,
): readonly InputPlan[] {
  const input = onlyInput(file, inputs);
  const exact = plansFor(input, images, wanted, false);
  const upright = exact.length > 0 ? exact : plansAroundOnes(input, images, wanted);
  const [height, width] = images;
  const plans =
    upright.length > 0 || height === width ? upright : plansFor(input, [width, height], wanted, true);
  if (plans.length > 0) return plans;
  const size = modelSize(input.shape);
  const fitting = size === null ? [] : plansFor(input, size, wanted, false);
  if (fitting.length === 0 || resize === null || resize === "none")
    throw refusal(file, input, images, wanted, fitting.length > 0 && resize === "none");
  return fitting.map((plan) => ({ ...plan, resize }));
}

function onlyInput(
  file: string,
  inputs: readonly Metadata[],
): TensorMetadata & { readonly type: ElementType } {
  const [input] = inputs;
  if (input === undefined || inputs.length > 1) {
    const names = inputs.map(({ name }) => name).join(", ");
    throw new ScorerError(
      `${file} has ${inputs.length} inputs${names && ` (${names})`}, but an image classifier has one: ` +
        "export it with the image as its only input",
    );
  }
  if (!input.isTensor || !isElementType(input.type)) {
    throw new ScorerError(
      `${file} takes ${input.name} as ${input.isTensor ? input.type : "something other than a tensor"}, but pixels can ` +
        `be given as ${Object.keys(ELEMENTS).join(", ")}: export it with such an input`,
    );
  }
  return input as TensorMetadata & { readonly type: ElementType };
}

function plansFor(
  input: TensorMetadata & { readonly type: ElementType },
  shape: readonly [number, number],
  wanted: Layout | "auto",
  turned: boolean,
): InputPlan[] {
  return WAYS.filter(([layout, channels]) => {
    if (wanted !== "auto" && layout !== wanted) return false;
    // The runtime gives a tensor whose shape is not known at all the shape of a scalar.
    if (input.shape.length === 0) return true;
    const sizes = tensorShape({ layout, channels, shape }, 1);
    return (
      input.shape.length === sizes.length && sizes.every((size, i) => i === 0 || takes(input.shape[i], size))
    );
  }).map(([layout, channels]) => {
    const [batch] = input.shape;
    const fixedBatch = typeof batch === "number" && batch > 0 ? batch : null;
    return { name: input.name, type: input.type, layout, channels, fixedBatch, shape, resize: null, turned };
  });
}

/** [1, 784, 1] and [1, 1, 1, 784] hold a flat image: dimensions of 1 do not count. */
function plansAroundOnes(
  input: TensorMetadata & { readonly type: ElementType },
  shape: readonly [number, number],
  wanted: Layout | "auto",
): InputPlan[] {
  const [batch = "", ...dimensions] = input.shape;
  const sizes = dimensions.filter((size) => typeof size === "number" && size > 0) as number[];
  if (sizes.length < dimensions.length) return [];
  const large = { ...input, shape: [batch, ...sizes.filter((size) => size !== 1)] };
  return plansFor(large, shape, wanted, false).map((plan) => ({ ...plan, sizes }));
}

function refusal(
  file: string,
  input: TensorMetadata & { readonly type: ElementType },
  [height, width]: readonly [number, number],
  wanted: Layout | "auto",
  canBeResized: boolean,
): ScorerError {
  const fitting = wanted === "auto" ? [] : plansFor(input, [height, width], "auto", false);
  if (fitting.length > 0) {
    return new ScorerError(
      `${file} takes ${describeTensor(input)}, which is --layout ${fitting[0]!.layout}, not ${wanted}: leave --layout out`,
    );
  }
  const given = wanted === "auto" ? "" : ` as --layout ${wanted}`;
  const size = modelSize(input.shape);
  const takesWhat =
    size === null
      ? `takes ${describeTensor(input)}`
      : `takes images of ${size.join("×")} pixels (${describeTensor(input)})`;
  const advice = canBeResized
    ? "nothing is resized unless you say how: add --resize bilinear or --resize pad, whichever the model was trained with"
    : "use a model made for this data set, or the data set that it was made for";
  return new ScorerError(
    `${file} ${takesWhat}, but the data set's images are ${height}×${width}${given}: ${advice}`,
  );
}

/** [height, width] that a fixed shape means, where that is plain. */
function modelSize(shape: readonly Dimension[]): readonly [number, number] | null {
  const sizes = shape.slice(1).filter((size): size is number => typeof size === "number" && size > 0);
  if (sizes.length !== shape.length - 1) return null;
  const [first = 0, second = 0, third = 0] = sizes;
  if (sizes.length === 1) {
    const side = [first, first / 3].map(Math.sqrt).find(Number.isInteger);
    return side === undefined ? null : [side, side];
  }
  if (sizes.length === 2) return [first, second];
  if (sizes.length !== 3) return null;
  return first <= 4 ? [second, third] : [first, second];
}
