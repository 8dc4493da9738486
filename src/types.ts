/**
 * The values that cross a folder boundary, in pipeline order: a data set gives batches, a scorer turns them into
 * scores, the metrics turn scores into an evaluation, and every chart and report is made from that evaluation.
 *
 * Numeric data is in typed arrays, row-major, with the shape in the comment: n images of h×w pixels, k classes.
 */

// ── data set ─────────────────────────────────────────────────────────────────────────────────────────────────────

/** One IDX file as it was read: its name without `.gz`, and the size and digest of its uncompressed content. */
export interface SourceFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Consecutively read labelled images. */
export interface Batch {
  /** n: each image's position in the data set's files, 0-based. */
  readonly indices: Uint32Array;
  /** n×h×w, 0–255. */
  readonly pixels: Uint8Array;
  /** n: positions in the data set's `classes`. */
  readonly labels: Uint8Array;
}

export interface Dataset {
  readonly name: string;
  readonly split: string;
  /** k class names; a label is a position in this list. */
  readonly classes: readonly string[];
  /** [height, width] in pixels. */
  readonly shape: readonly [number, number];
  /** How many images `batches` gives. */
  readonly size: number;
  /** Where the data comes from: the publisher's page, or `local files`. */
  readonly source: string;
  /** The images in file order, in batches of `size` (the last may be smaller). @throws DatasetError */
  batches(size: number): AsyncIterable<Batch>;
  /** The files behind it. Known once `batches` has been read to its end, because reading is what digests them. */
  files(): readonly SourceFile[];
}

// ── scorer ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** unit: x/255; raw: x; mnist: (x/255 − 0.1307)/0.3081; signed: x/127.5 − 1; centered: x/255 − 0.5. */
export type NamedScale = "unit" | "raw" | "mnist" | "signed" | "centered";
/** One by name, or MEAN,STD: (x/255 − MEAN)/STD. */
export type Scale = NamedScale | `${number},${number}`;
/** flat: [n, h·w]; nhw: [n, h, w]; nchw: [n, 1, h, w]; nhwc: [n, h, w, 1]. */
export type Layout = "flat" | "nhw" | "nchw" | "nhwc";

/** What is done to the pixels before a model sees them, whatever the model's layout. */
export interface PixelChoice {
  readonly scale: Scale;
  /** 255 − x first: dark digits on white. */
  readonly invert: boolean;
  /** Rows and columns exchanged. */
  readonly transpose: boolean;
}

/** How images become as large as the model takes them. */
export type Resize = "none" | "pad" | "bilinear";

export interface Preprocessing extends PixelChoice {
  readonly layout: Layout;
  /** Absent where the images are as large as the model takes them. */
  readonly resize?: { readonly method: Exclude<Resize, "none">; readonly to: readonly [number, number] };
}

/**
 * What a scorer's numbers are: probabilities sum to one; log-probabilities do once exponentiated; one-vs-rest scores lie
 * in 0–1 and do not sum to one; logits may be any numbers; labels come without any score.
 */
export type ScoreMeaning = "probabilities" | "log-probabilities" | "one-vs-rest" | "logits" | "labels";

/** A model's cost and shape. */
export interface ModelFacts {
  /** Size of the file, and of files with external weights beside it. */
  readonly bytes: number;
  /** Numbers in its weights. */
  readonly parameters: number;
  /** Version of the ai.onnx operator set. */
  readonly opset: number | null;
  readonly irVersion: number | null;
  /** Name and version of what wrote the file, or null. */
  readonly producer: string | null;
  /** As `Input3 float32 [1, 1, 28, 28]`. */
  readonly input: string;
  /** The output that is read, as `probabilities float32 [N, 10]`. */
  readonly output: string;
  readonly meaning: ScoreMeaning;
  /** Images in one run where the model fixes it; null: any number. */
  readonly fixedBatch: number | null;
}

/** What was found out about a service. */
export interface EndpointFacts {
  /** The model's name in the service, null where its protocol has none. */
  readonly model: string | null;
  readonly version: string | null;
  /** The `Server` header, null without one. */
  readonly server: string | null;
  /** How images are written, as `instances of JSON numbers`. */
  readonly encoding: string;
  /** How protocol and encoding were found, as one phrase. */
  readonly found: string;
  /** The output that is read, as `predict int64 [n]`. */
  readonly output: string;
  readonly meaning: ScoreMeaning;
}

export interface ScorerDescription {
  readonly kind: "onnx" | "endpoint";
  readonly name: string;
  readonly sha256?: string;
  /** Without user, password and the values of its query. */
  readonly url?: string;
  readonly protocol?: string;
  readonly preprocessing: Preprocessing;
  readonly model?: ModelFacts;
  readonly endpoint?: EndpointFacts;
}

export interface Scores {
  /** n: the predicted classes; of no meaning for an image without an answer. */
  readonly labels: Uint8Array;
  /** n×k: the model's scores as it gave them where they lie in 0–1, what softmax makes of `logits` otherwise; null: labels only. */
  readonly probabilities: Float32Array | Float64Array | null;
  /** n×k as the model gave them; absent where these are the probabilities. */
  readonly logits?: Float64Array;
  /** True where the labels come from an output of their own, and hold whatever the scores are. */
  readonly labelled?: boolean;
  /** Images of the batch without an answer, by their position in the batch. Absent where each has one. */
  readonly failed?: ReadonlyMap<number, Omit<Failure, "index">>;
}

/** An image without a prediction. */
export interface Failure {
  readonly index: number;
  readonly reason: string;
  /** X-Request-Id of the last request for it, where there was one. */
  readonly request?: string;
}

export interface Scorer {
  describe(): ScorerDescription;
  /** @throws ScorerError */
  score(batch: Batch, signal: AbortSignal): Promise<Scores>;
  /** Scores images anew, whatever answers are kept; absent where the same images have the same scores, as of a local model. @throws ScorerError */
  readonly askAgain?: (batch: Batch, signal: AbortSignal) => Promise<Scores>;
  /** Batches that are best scored at once; absent: one after the other. */
  readonly batchesAtOnce?: number;
  /** What scoring over HTTP shows of itself; absent for a local model. */
  readonly traffic?: Traffic;
  close(): Promise<void>;
}

export interface Traffic {
  /** Calls the listener with each request as it ends, from now on. */
  observe(listener: (record: RequestRecord) => void): void;
  /** Images whose answers an earlier, interrupted run had got. */
  resumed(): number;
}

/** One HTTP request for scores, as it went. */
export interface RequestRecord {
  /** Sent as X-Request-Id. */
  readonly id: string;
  readonly images: number;
  /** Since the first request, when it was sent. */
  readonly startMs: number;
  /** From sending to the last byte of the reply, or to the failure. */
  readonly elapsedMs: number;
  /** Of the bodies. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** `answered`, or why it was not: a status such as `429`, or a word such as `reset`. */
  readonly outcome: string;
  /** Requests that were under way when it was sent, itself included. */
  readonly concurrent: number;
}

// ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** Images with their truth and prediction: what metrics, predictions.csv and the examples are made from. */
export interface ScoredBatch {
  /** n: each image's position in the data set's files. */
  readonly indices: Uint32Array;
  /** n×h×w, 0–255. */
  readonly pixels: Uint8Array;
  /** n */
  readonly truth: Uint8Array;
  /** n */
  readonly predicted: Uint8Array;
  /**
   * n×k in 0–1: the scores as they were given, or what softmax made of `logits`; a row of NaN for an image with a label
   * alone; null where the scorer gives labels only.
   */
  readonly probabilities: Float64Array | null;
  /** n×k: logits or their like as they were given, which rank the images; absent where the probabilities were given. */
  readonly logits?: Float64Array;
}

export interface Interval {
  readonly low: number;
  readonly high: number;
  /** 0.95 for a 95 % interval. */
  readonly level: number;
  /** `wilson`, … */
  readonly method: string;
  /** How many intervals hold together at `level`, this one among them; absent: this one alone. What is picked needs such. */
  readonly simultaneous?: number;
}

/** A number and how sure it is. `value` is null where the number is undefined: never NaN, never a made-up 0. */
export interface Estimate {
  readonly value: number | null;
  readonly interval: Interval | null;
}

export interface ClassMetrics {
  readonly class: string;
  /** Images that truly are of this class. */
  readonly support: number;
  /** Images that were predicted to be of this class. */
  readonly predicted: number;
  readonly precision: Estimate;
  readonly recall: Estimate;
  readonly f1: Estimate;
  readonly roc_auc: Estimate;
  readonly average_precision: Estimate;
}

/** The class with the lowest recall. */
export interface WeakestClass {
  readonly class: string;
  /** Its interval holds together with those of all classes that have images: the class was picked after looking. */
  readonly recall: Estimate;
}

/** One off-diagonal cell of the confusion matrix. */
export interface Confusion {
  readonly true: string;
  readonly predicted: string;
  readonly count: number;
  /** count / support of the true class. */
  readonly rate: number;
  /** Of the rate; it holds together with those of all possible confusions. */
  readonly interval: Interval | null;
}

/** Images whose confidence (the probability of the predicted class) lies in (low, high]. */
export interface CalibrationBin {
  readonly low: number;
  readonly high: number;
  readonly count: number;
  /** Share of correct predictions in the bin, null in an empty bin. */
  readonly accuracy: number | null;
  /** Mean confidence in the bin, null in an empty bin. */
  readonly confidence: number | null;
  readonly interval: Interval | null;
}

/** Whether confidences are those of a calibrated model. */
export interface CalibrationTest {
  /** How often the bins of a perfectly calibrated model are at least so far off. */
  readonly p_value: number;
  readonly method: string;
}

/** How many correct and wrong predictions have their confidence in (low, high]. */
export interface ConfidenceBin {
  readonly low: number;
  readonly high: number;
  readonly correct: number;
  readonly wrong: number;
}

/** One-vs-rest curves of a class, thinned for drawing; the areas come from the full curves. Null where undefined. */
export interface ClassCurves {
  readonly class: string;
  readonly roc: { readonly fpr: readonly number[]; readonly tpr: readonly number[] } | null;
  readonly precision_recall: {
    readonly recall: readonly number[];
    readonly precision: readonly number[];
  } | null;
}

export interface Curves {
  /** True where every score was kept; false where scores were counted into bins. */
  readonly exact: boolean;
  /** How far any area under a curve can be from that of the scores themselves; null where `exact`. */
  readonly maxAreaError?: number | null;
  readonly classes: readonly ClassCurves[];
}

/** Everything that is computed from scored batches alone. */
export interface Measurements {
  /** [true][predicted] counts. */
  readonly confusionMatrix: readonly (readonly number[])[];
  /** Images with a prediction and no usable probabilities: in no number that needs these. */
  readonly withoutProbabilities: number;
  readonly metrics: Readonly<Record<string, Estimate>>;
  readonly perClass: readonly ClassMetrics[];
  /** Null where no class is weaker than the others. */
  readonly weakestClass: WeakestClass | null;
  /** The surest first: by the low end of the interval. */
  readonly topConfusions: readonly Confusion[];
  readonly calibration: {
    readonly bins: readonly CalibrationBin[];
    /** Over all bins; null without images. */
    readonly test: CalibrationTest | null;
  } | null;
  readonly confidence: { readonly bins: readonly ConfidenceBin[] } | null;
  readonly curves: Curves | null;
}

/** Labelled images that ways to feed the pixels were tried on: the scored ones, or others. */
export type TrialSource = "training images" | "scored images";

/** One way to feed the pixels, tried on some labelled images. */
export interface PreflightCandidate extends PixelChoice {
  readonly accuracy: number;
  /** Mean over the images, null where the scorer gives labels only. */
  readonly log_loss: number | null;
  /** Share of confidences that are 1 to float32's precision, null where the scorer gives labels only. */
  readonly saturated: number | null;
  /** Labelled images that it was tried on, and which. */
  readonly images: number;
  readonly on: TrialSource;
}

/** How the preprocessing was found: what was chosen, and what the other ways would have scored. */
export interface Preflight {
  /** What says so: the command line, the model's file, a trial; or nothing, so that x/255 is taken. */
  readonly source: "option" | "model" | TrialSource | "default";
  readonly chosen: PixelChoice;
  /** The choice and its reason, as one sentence without its full stop. */
  readonly statement: string;
  /** Best first, on other images before the scored ones; none where nothing had to be tried. */
  readonly candidates: readonly PreflightCandidate[];
}

/** Milliseconds; of the requests that were answered. */
export interface LatencyQuantiles {
  readonly mean: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** What scoring over HTTP took. Closed loop: a request is sent when an earlier one is done, so that waiting is not in it. */
export interface Latency {
  /** Requests that were answered. */
  readonly requests: number;
  /** Images in them; those that were asked again count again. */
  readonly images: number;
  /** Images whose answers an earlier, interrupted run had got. */
  readonly resumed: number;
  /** From sending to the last byte of the reply; null where none was answered. */
  readonly perRequest: LatencyQuantiles | null;
  /** The same, each divided by the request's images. */
  readonly perImage: LatencyQuantiles | null;
  /** From the first request's start to the last one's end. */
  readonly durationSeconds: number;
  readonly imagesPerSecond: number | null;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Attempts that were not answered, by reason: a status such as `429`, or a word such as `reset`. */
  readonly retries: Readonly<Record<string, number>>;
  /** Requests under way at once: the mean over all that were sent, and the most; null where none was. */
  readonly concurrency: { readonly mean: number; readonly max: number } | null;
  /** Images a request that was answered: the mean, and the most; null where none was. */
  readonly requestImages: { readonly mean: number; readonly max: number } | null;
  /** Answered requests by latency: `low` < ms ≤ `high`; without empty bins at both ends. */
  readonly histogram: readonly { readonly low: number; readonly high: number; readonly count: number }[];
  /**
   * The run in at most 60 equal spans of time, which begin at `seconds`; a request stands where it ended. `p50`, `max`
   * in ms, null where none was answered in the span.
   */
  readonly timeline: readonly {
    readonly seconds: number;
    /** Answered in the span, and failed in it. */
    readonly requests: number;
    readonly failed: number;
    readonly p50: number | null;
    readonly max: number | null;
  }[];
}

/** One image on which endpoint and model differ. */
export interface ParityDifference {
  readonly index: number;
  readonly truth: string;
  readonly endpoint: string;
  readonly model: string;
  /** Probability of its own prediction, null where it gives labels only. */
  readonly endpointConfidence: number | null;
  readonly modelConfidence: number | null;
}

/** How the service's answers compare with a local model's, image by image. */
export interface Parity {
  /** The local model. */
  readonly model: ScorerDescription;
  /** Images that both answered. */
  readonly images: number;
  /** Share of them with the same prediction. */
  readonly agreement: Estimate;
  /** Largest absolute difference of a probability, null where either gives labels only. */
  readonly maxDifference: number | null;
  /** Mean absolute difference over images and classes. */
  readonly meanDifference: number | null;
  /** The local model's own accuracy on these images. */
  readonly modelAccuracy: Estimate;
  /** `untold`: labels alone can be compared, and so few differ that rounding and other weights look alike. */
  readonly verdict: "identical" | "rounding" | "skew" | "untold";
  /** The verdict and its reason, as one sentence without its full stop. */
  readonly statement: string;
  /** Images with different predictions: their number, and the first 1,000 of them. */
  readonly differing: { readonly count: number; readonly images: readonly ParityDifference[] };
  /** The first of them, for the picture. h×w pixels, 0–255, base64. */
  readonly examples: readonly (ParityDifference & { readonly pixels: string })[];
}

/** Whether a service answers images as it did before. */
export interface Repeatability {
  /** Images that were answered during the run, and again after it. */
  readonly images: number;
  /** Those of them that were given another class. */
  readonly differing: number;
  /** Largest absolute difference of a probability, null where it gives labels only. */
  readonly maxDifference: number | null;
  /** The answers differ by no more than rounding. */
  readonly repeatable: boolean;
  /** As one sentence without its full stop. */
  readonly statement: string;
}

export interface GateResult {
  readonly expression: string;
  readonly metric: string;
  readonly operator: string;
  readonly expected: number;
  /** Null where the metric is undefined in this run. */
  readonly actual: number | null;
  /** Confidence level of the bound that was compared; null: the value itself was. */
  readonly level: number | null;
  /** `untold`: the metric is undefined, or something about the run keeps its value from deciding. */
  readonly result: "passed" | "failed" | "untold";
  readonly passed: boolean;
  readonly reason: string;
}

// ── evaluation ───────────────────────────────────────────────────────────────────────────────────────────────────

/** One image that a chart shows. */
export interface Example {
  readonly index: number;
  readonly truth: string;
  readonly predicted: string;
  /** Probability of the predicted class, null where the scorer gives labels only. */
  readonly confidence: number | null;
  /** h×w pixels, 0–255, base64; of a large image a part, see `shownShape`. */
  readonly pixels: string;
}

export interface Environment {
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly packages: Readonly<Record<string, string>>;
  readonly git: { readonly commit: string; readonly branch: string | null; readonly dirty: boolean } | null;
}

/** The outcome of a run as plain JSON: metrics.json is this value, and every chart and report is made from it. */
export interface Evaluation extends Measurements {
  readonly schemaVersion: 1;
  /** ISO 8601, UTC. */
  readonly createdAt: string;
  readonly durationSeconds: number | null;
  readonly seed: number;
  readonly dataset: {
    readonly name: string;
    readonly split: string;
    /** All of them, with a prediction or without. */
    readonly images: number;
    /** Images with a prediction: the sum of `confusionMatrix`. */
    readonly scored: number;
    readonly classes: readonly string[];
    readonly shape: readonly [number, number];
    readonly files: readonly SourceFile[];
    readonly source: string;
  };
  readonly scorer: ScorerDescription;
  /** Null where there was nothing to choose, as for a model that takes bytes. */
  readonly preflight: Preflight | null;
  /** Scoring alone, without reading and measuring; null with SOURCE_DATE_EPOCH. */
  readonly imagesPerSecond: number | null;
  readonly environment: Environment | null;
  /** Images without a prediction: never counted as wrong, never dropped silently. */
  readonly failures: {
    readonly count: number;
    /** k: how many of them are of each class. */
    readonly perClass: readonly number[];
    /** The accuracy over all images if these were all wrong, and if they were all right; null where there are none. */
    readonly accuracyRange: { readonly low: number; readonly high: number } | null;
    /** The first 1,000 of them. */
    readonly images: readonly Failure[];
  };
  readonly gates: readonly GateResult[];
  /** Null without both an endpoint and a model. */
  readonly parity: Parity | null;
  /** Null without an endpoint, and where nothing was answered again. */
  readonly repeatability: Repeatability | null;
  readonly comparison: null;
  /** Null without an endpoint, and with SOURCE_DATE_EPOCH. */
  readonly latency: Latency | null;
  readonly slices: null;
  readonly warnings: readonly string[];
  /** `sample`: seeded random images; `mistakes`: the wrong predictions of highest confidence, most confident first. */
  readonly examples: { readonly sample: readonly Example[]; readonly mistakes: readonly Example[] };
}

// ── charts and reports ───────────────────────────────────────────────────────────────────────────────────────────

export interface RenderedChart {
  readonly name: string;
  /** What the picture says, as one sentence. */
  readonly title: string;
  /** What a reader who cannot see the picture needs to know. */
  readonly description: string;
  /** Self-contained SVG document. */
  readonly svg: string;
}

/** A file of the report: its path inside the output folder, with forward slashes, and its content. */
export interface ReportFile {
  readonly path: string;
  readonly content: string | Uint8Array;
}
