import { basename } from "node:path";

import { seededRandom } from "../random.ts";
import { loadModel, openModel, type LoadedModel, type NumberScorer } from "../scorer/open.ts";
import type { ServedModel } from "../scorer/protocols/service.ts";
import type { Rows } from "../scorer/numbers.ts";
import type { Batch, Layout, Scores } from "../types.ts";

export interface EngineOptions {
  /** An ONNX file. */
  readonly path: string;
  /** k names; null: numbered, as many as the model gives scores. */
  readonly classes: readonly string[] | null;
  readonly layout: Layout | "auto";
  readonly output: string | null;
}

/** What is known of an opened model; plain data, because it may come from another thread. */
export interface EngineFacts extends Omit<ServedModel, "name" | "version" | "server"> {
  readonly file: string;
  readonly sha256: string;
  /** See `NumberScorer`. */
  readonly ownLabels: boolean;
  /** As `Input3 float32 [1, 1, 28, 28]`. */
  readonly takes: string;
  readonly gives: string;
}

/** An opened model that scores rows of numbers, in this thread or another. */
export interface Engine {
  readonly facts: EngineFacts;
  /** Not called again before it has answered. */
  score(rows: Rows, count: number): Promise<Scores>;
  close(): Promise<void>;
}

/** Of a model that leaves its dimensions open. */
const USUAL_SHAPE = [28, 28] as const;
const USUAL_CLASSES = 10;
const PROBE_IMAGES = 64;

/**
 * Opens a model as `evaluate` does. There are no images yet, so that made-up ones tell what its outputs mean.
 *
 * @throws ScorerError
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  const loaded = await loadModel(options.path);
  const shape = shapeOf(loaded);
  const classes = options.classes ?? numbered(classesOf(loaded));
  const opened = await openModel(
    loaded,
    { shape, classes },
    { ...options, resize: null },
    probeImages(shape),
  );
  const scorer = opened.scorer(opened.choices[0]!);
  const { model, sha256 = "" } = scorer.describe();
  const { numbers } = opened;
  const never = new AbortController().signal;
  await warm(numbers, shape[0] * shape[1], never);
  return {
    facts: {
      file: basename(options.path),
      sha256,
      classes,
      shape,
      input: numbers.input.name,
      element: numbers.element,
      whole: numbers.whole,
      ownLabels: numbers.ownLabels,
      hasProbabilities: model!.meaning !== "labels",
      takes: model!.input,
      gives: model!.output,
    },
    score: (rows, count) => numbers.score(rows, count, never),
    close: () => scorer.close(),
  };
}

/** The first run sets memory aside: it is done before the service says that it is ready. */
async function warm(numbers: NumberScorer, size: number, signal: AbortSignal): Promise<void> {
  await numbers.score(
    numbers.element === "float32" ? new Float32Array(size) : new Float64Array(size),
    1,
    signal,
  );
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** Height and width of a model's images as its input's shape tells them. */
function shapeOf({ session }: LoadedModel): readonly [number, number] {
  const [input] = session.inputMetadata;
  const dims = input?.isTensor ? input.shape.slice(1) : [];
  const sizes = dims.filter((size): size is number => typeof size === "number" && size > 0);
  if (sizes.length < dims.length || sizes.length === 0) return USUAL_SHAPE;
  const [first = 0, second = 0, third = 0] = sizes;
  if (sizes.length === 1) {
    const side = Math.sqrt(first);
    return Number.isInteger(side) ? [side, side] : [1, first];
  }
  if (sizes.length === 2) return [first, second];
  return first <= 4 ? [second, third] : [first, second];
}

/** How many classes the outputs' shapes tell. */
function classesOf({ session }: LoadedModel): number {
  for (const output of session.outputMetadata) {
    const last = output.isTensor && output.shape.length >= 2 ? output.shape.at(-1) : undefined;
    if (typeof last === "number" && last > 1) return last;
  }
  return USUAL_CLASSES;
}

/** Strokes on a black ground: nearer to what a model was made for than noise. */
function probeImages([height, width]: readonly [number, number]): Batch {
  const random = seededRandom(1);
  const pixels = new Uint8Array(PROBE_IMAGES * height * width);
  for (let image = 0; image < PROBE_IMAGES; image++) {
    const start = image * height * width;
    let [y, x] = [random.below(height), random.below(width)];
    for (let step = 0; step < 3 * (height + width); step++) {
      pixels[start + y * width + x] = 128 + random.below(128);
      y = Math.min(height - 1, Math.max(0, y + random.below(3) - 1));
      x = Math.min(width - 1, Math.max(0, x + random.below(3) - 1));
    }
  }
  return {
    indices: Uint32Array.from({ length: PROBE_IMAGES }, (_, i) => i),
    pixels,
    labels: new Uint8Array(PROBE_IMAGES),
  };
}
