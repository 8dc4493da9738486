import { Curvature } from "./curvature.ts";
import { Descent, norm } from "./descent.ts";
import { evaluate } from "./loss.ts";
import { type SparseImages, sparseImages, usedPixels } from "./sparse.ts";

export interface LogisticOptions {
  /** k: labels are 0 … k − 1. */
  readonly classes: number;
  /** Inverse strength of the penalty: scikit-learn's C. */
  readonly C: number;
  /**
   * The largest gradient norm of a finished class, and so the largest distance of its weights from the optimum: the
   * penalty ½‖w‖² makes the objective 1-strongly convex.
   */
  readonly tolerance: number;
  readonly onIteration?: (iteration: LogisticIteration) => void;
}

export interface LogisticIteration {
  /** Walks over the images until now. */
  readonly evaluations: number;
  /** Classes that have not reached their optimum yet. */
  readonly unfinished: number;
  /** The largest gradient norm of them. */
  readonly gradientNorm: number;
}

export interface LogisticFit {
  /** k×d, for pixels in 0–1. */
  readonly weights: Float64Array;
  /** k */
  readonly intercepts: Float64Array;
  /** k: the minimum of each class. */
  readonly objective: readonly number[];
  /** k: at the weights. */
  readonly gradientNorm: readonly number[];
  /** k: steps of each class. */
  readonly iterations: readonly number[];
}

/**
 * How the optimum is approached: `steps` steps with one estimate of the Hessian, over every `stride`-th image or all. An
 * estimate costs as much as ten walks over the images, and serves until the point has left its surroundings. The first
 * round, from nothing, is as well made on a fifth of the images; the second leads near the optimum, and the third, with
 * an estimate from there, to it. On MNIST the time changes little around these figures; with the first estimate alone
 * it is more than three times as long.
 */
const FIRST_ROUND = { stride: 5, steps: 14 };
const SECOND_ROUND = { steps: 10 };
const LATER_ROUNDS = { steps: 30 };
/** Images behind an estimate of the Hessian, at most. */
const SAMPLE = 12_000;
/** With fewer images, a fifth of them says too little. */
const MANY_IMAGES = 20_000;
const MAX_EVALUATIONS = 500;

/**
 * One-vs-rest logistic regression: for every class the weights w and intercept b that minimise
 * ½(‖w‖² + b²) + C Σ log(1 + exp(−y (w·x + b))), where x is an image's pixels / 255, and y is 1 for images of the class
 * and −1 for others. This is what scikit-learn's `LogisticRegression(solver="liblinear", multi_class="ovr")` minimises.
 * The same images in the same order give the same bits.
 *
 * @param pixels n×d, 0–255
 * @param labels n, each below `classes`
 * @throws RangeError where `pixels` and `labels` do not hold the same number of images
 */
export function trainLogistic(pixels: Uint8Array, labels: Uint8Array, options: LogisticOptions): LogisticFit {
  const steps = logisticSteps(pixels, labels, options);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    options.onIteration?.(step.value);
  }
}

/** `trainLogistic` that pauses after every walk over the images, so that a caller can show progress or stop. */
export function* logisticSteps(
  pixels: Uint8Array,
  labels: Uint8Array,
  options: Omit<LogisticOptions, "onIteration">,
): Generator<LogisticIteration, LogisticFit> {
  if (labels.length === 0 || pixels.length % labels.length !== 0)
    throw new RangeError(
      `${pixels.length} pixels are not a whole number for each of ${labels.length} images`,
    );
  const size = pixels.length / labels.length;
  const used = usedPixels(pixels, size);
  const images = sparseImages(pixels, labels, used, 1);
  const descents = Array.from({ length: options.classes }, (_, label) => new Descent(label, images.width));
  const work: Work = { evaluations: 0, tolerance: options.tolerance };
  if (images.count >= MANY_IMAGES) {
    const { stride, steps } = FIRST_ROUND;
    yield* descend(sparseImages(pixels, labels, used, stride), descents, options.C * stride, steps, work);
  }
  let unfinished = descents;
  for (let { steps } = SECOND_ROUND; unfinished.length > 0; steps = LATER_ROUNDS.steps)
    unfinished = yield* descend(images, unfinished, options.C, steps, work);
  return toFit(descents, used, size);
}

interface Work {
  evaluations: number;
  readonly tolerance: number;
}

/** Takes up to `steps` steps with one estimate of the Hessian. Returns the classes that have not arrived. */
function* descend(
  images: SparseImages,
  descents: readonly Descent[],
  penalty: number,
  steps: number,
  work: Work,
): Generator<LogisticIteration, Descent[]> {
  const slopes = descents.map(() => new Float64Array(images.count));
  const points = descents.map(({ point }) => point);
  evaluate(images, points, penalty, slopes);
  let unfinished = stillUnfinished(descents, work);
  yield progress(unfinished, work);
  let shared: Curvature | null = null;
  for (const descent of unfinished) {
    // At weights of 0 the Hessian is the same for all classes.
    const curvature: Curvature =
      descent.iterations === 0 && shared !== null
        ? shared
        : new Curvature(images, slopes[descents.indexOf(descent)]!, penalty, SAMPLE);
    shared = curvature;
    descent.restart(curvature);
  }
  for (let step = 0; step < steps && unfinished.length > 0; step++) {
    evaluate(
      images,
      unfinished.map(({ trial }) => trial),
      penalty,
    );
    for (const descent of unfinished) descent.advance();
    unfinished = stillUnfinished(unfinished, work);
    yield progress(unfinished, work);
  }
  return unfinished;
}

function stillUnfinished(descents: readonly Descent[], work: Work): Descent[] {
  return descents.filter(({ point }) => !(norm(point.gradient) <= work.tolerance));
}

function progress(unfinished: readonly Descent[], work: Work): LogisticIteration {
  work.evaluations++;
  const gradientNorm = unfinished.reduce((largest, { point }) => Math.max(largest, norm(point.gradient)), 0);
  if (work.evaluations > MAX_EVALUATIONS)
    throw new Error(
      `logistic regression has a gradient norm of ${gradientNorm} after ${MAX_EVALUATIONS} evaluations, expected at most ${work.tolerance}`,
    );
  return { evaluations: work.evaluations, unfinished: unfinished.length, gradientNorm };
}

function toFit(descents: readonly Descent[], used: Uint16Array, size: number): LogisticFit {
  const weights = new Float64Array(descents.length * size);
  for (const [label, { point }] of descents.entries())
    for (const [column, pixel] of used.entries()) weights[label * size + pixel] = point.weights[column]!;
  return {
    weights,
    intercepts: Float64Array.from(descents, ({ point }) => point.weights[used.length]!),
    objective: descents.map(({ point }) => point.objective),
    gradientNorm: descents.map(({ point }) => norm(point.gradient)),
    iterations: descents.map(({ iterations }) => iterations),
  };
}
