import type { Scale } from "../types.ts";
import type { InputPlan } from "./adapter.ts";
import { ELEMENTS } from "./elements.ts";
import {
  dataTypes,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from "./onnx-proto.ts";
import { parseScale } from "./scales.ts";

/** What a model's file says of the pixels that it takes; null where it leaves that open. */
export interface Stated {
  readonly scale: Scale;
  readonly invert: false | null;
  readonly transpose: false | null;
  /** To be read after "Pixels as x/255 (unit), ". */
  readonly how: string;
}

/** The metadata that `train` writes, and that other models may hold: `x/255`, for upright images, light on dark. */
export const PIXELS_KEY = "pixels";

const FORMULAS: Readonly<Record<string, Scale>> = {
  "x/255": "unit",
  x: "raw",
  "(x/255-0.1307)/0.3081": "mnist",
  "x/127.5-1": "signed",
  "x/255-0.5": "centered",
};

/** What the file says: by its metadata, by the type of its input, or by a graph that begins by scaling its input. */
export function statedPixels(
  model: ModelProto,
  { name, type }: Pick<InputPlan, "name" | "type">,
): Stated | null {
  const scale = statedScale(model);
  if (scale !== null) return { scale, invert: false, transpose: false, how: "as the model's metadata says" };
  if (!ELEMENTS[type].fractional) return WHOLE_NUMBERS;
  const open = { invert: null, transpose: null };
  const input = scaledInput(model.graph ?? {}, name);
  if (input === "0-255")
    return { scale: "raw", ...open, how: "since the model's graph itself scales them down from 0–255" };
  if (input === "0-1")
    return { scale: "unit", ...open, how: "since the model's graph itself normalises 0–1" };
  return null;
}

export const WHOLE_NUMBERS: Stated = {
  scale: "raw",
  invert: null,
  transpose: null,
  how: "as the model takes whole numbers",
};

function statedScale({ metadataProps }: ModelProto): Scale | null {
  const value = metadataProps?.find(({ key }) => key === PIXELS_KEY)?.value ?? "";
  const formula = value.replaceAll("−", "-").replaceAll(/\s/g, "");
  const [, mean, deviation] = /^\(x\/255-([\d.]+)\)\/([\d.]+)$/.exec(formula) ?? [];
  return FORMULAS[formula] ?? parseScale(`${mean},${deviation}`);
}

/** Operators that change a tensor's shape or type alone. */
const SHAPING = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Identity", "Cast"]);
/** Pixels of 0–255 do not get larger than this where a graph scales them down. */
const SMALL = 16;

/** Which numbers a graph is made for that begins with arithmetic: a·x + b by constants. Null where that does not tell. */
function scaledInput(graph: GraphProto, input: string): "0-255" | "0-1" | null {
  let [name, a, b, found] = [input, 1, 0, false];
  for (;;) {
    const users = (graph.node ?? []).filter((node) => node.input?.includes(name));
    const [node] = users;
    if (node === undefined || users.length > 1) break;
    if (!SHAPING.has(node.opType ?? "")) {
      const step = affine(node, name, graph);
      if (step === null) break;
      [a, b, found] = [a * step.a, b * step.a + step.b, true];
    }
    name = node.output?.[0] ?? "";
  }
  const zero = -b / a;
  if (!found || !(a > 0)) return null;
  if (zero > 1.5 || (a * 255 <= SMALL && zero >= 0)) return "0-255";
  return zero > 0 && zero <= 1 ? "0-1" : null;
}

/** What a node makes of x: a·x + b, constants of several numbers by their mean; null where it is no such thing. */
function affine(node: NodeProto, x: string, graph: GraphProto): { a: number; b: number } | null {
  const [first, second] = node.input ?? [];
  const constant = meanOf(first === x ? second : first, graph);
  if (node.opType === "BatchNormalization") {
    const [mean, variance] = (node.input ?? []).slice(3).map((name) => meanOf(name, graph));
    // Its learned scale and bias say nothing of its input.
    return mean == null || variance == null
      ? null
      : { a: 1 / Math.sqrt(variance), b: -mean / Math.sqrt(variance) };
  }
  if (constant === null) return null;
  if (node.opType === "Add") return { a: 1, b: constant };
  if (node.opType === "Mul") return { a: constant, b: 0 };
  if (first !== x) return null;
  if (node.opType === "Sub") return { a: 1, b: -constant };
  return node.opType === "Div" ? { a: 1 / constant, b: 0 } : null;
}

/** The mean of a constant's numbers; null for what is none. */
function meanOf(name: string | undefined, { initializer, node }: GraphProto): number | null {
  const tensor =
    initializer?.find((each) => each.name === name) ??
    node?.find(({ opType, output }) => opType === "Constant" && output?.[0] === name)?.attribute?.[0]?.t;
  const numbers = tensor && numbersOf(tensor);
  return numbers?.length ? numbers.reduce((sum, number) => sum + number, 0) / numbers.length : null;
}

function numbersOf({ dataType, rawData, floatData, doubleData }: TensorProto): readonly number[] | null {
  const [read, bytes] =
    dataType === dataTypes.float
      ? ([floatData, 4] as const)
      : dataType === dataTypes.double
        ? ([doubleData, 8] as const)
        : ([null, 1] as const);
  if (rawData === undefined || read === null) return read ?? null;
  const view = new DataView(rawData.buffer, rawData.byteOffset, rawData.byteLength);
  return Array.from({ length: rawData.length / bytes }, (_, i) =>
    bytes === 4 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true),
  );
}
