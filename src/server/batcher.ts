import {
  RequestError,
  type NumberBlock,
  type Numbers,
  type ServedScores,
} from "../scorer/protocols/service.ts";
import type { Scores } from "../types.ts";
import { AbortedError } from "./aborted.ts";

export interface BatcherOptions {
  /** Scores `count` rows. Never called again before it has answered. */
  readonly score: (rows: NumberBlock, count: number) => Promise<Scores>;
  readonly rowSize: number;
  /** k */
  readonly classes: number;
  readonly hasProbabilities: boolean;
  /** A row without scores has its label all the same. */
  readonly ownLabels: boolean;
  /** Rows of one run: small requests are scored together up to it, large ones in turns of it. */
  readonly mostRows: number;
  /** How long a few images may wait for those of requests that are being read. */
  readonly delayMs: number;
  /** Whether any request is being read. */
  readonly othersComing: () => boolean;
  /** Told of each run: its rows, how many requests they are of, and milliseconds. */
  readonly onRun: (rows: number, requests: number, ms: number) => void;
}

/** A request's images on their way. */
export interface Job {
  readonly scores: Promise<ServedScores>;
  /** Nobody waits for them any more: the promise rejects with an AbortedError. */
  readonly cancel: () => void;
}

/** Below so many rows a run's own cost outweighs that of its images: only then is it worth waiting for more. */
const WORTH_A_RUN = 16;

class Pending {
  readonly images: Numbers;
  readonly count: number;
  readonly labels: Uint8Array;
  readonly probabilities: Float32Array | null;
  readonly resolve: (scores: ServedScores) => void;
  readonly reject: (error: unknown) => void;
  cancelled = false;
  /** Rows that were given out, and the place of the next one. */
  taken = 0;
  scored = 0;
  block = 0;
  offset = 0;

  constructor(
    images: Numbers,
    count: number,
    classes: number | null,
    resolve: (scores: ServedScores) => void,
    reject: (error: unknown) => void,
  ) {
    this.images = images;
    this.count = count;
    this.labels = new Uint8Array(count);
    this.probabilities = classes === null ? null : new Float32Array(count * classes);
    this.resolve = resolve;
    this.reject = reject;
  }
}

/** Rows of one request in a run: the first one's place in the request and in the run. */
interface Slice {
  readonly job: Pending;
  readonly from: number;
  readonly at: number;
  readonly rows: number;
  readonly part: NumberBlock;
}

/**
 * Scores requests together: what has come in while one run was under way, or within one turn of the event loop, is the
 * next run. A large request takes part with a slice in each run, so that small ones need not wait for all of it.
 */
export class Batcher {
  readonly #options: BatcherOptions;
  #queue: Pending[] = [];
  #rows = 0;
  #running = false;
  #waiting = false;
  #delay: NodeJS.Timeout | null = null;

  constructor(options: BatcherOptions) {
    this.#options = options;
  }

  /** Rows that wait. */
  get queued(): number {
    return this.#rows;
  }

  /** The promise rejects with a RequestError where the model gives no scores for a row, or with whatever `score` threw. */
  submit(images: Numbers, count: number): Job {
    let job: Pending | null = null;
    const scores = new Promise<ServedScores>((resolve, reject) => {
      const { classes, hasProbabilities } = this.#options;
      job = new Pending(images, count, hasProbabilities ? classes : null, resolve, reject);
    });
    this.#queue.push(job!);
    this.#rows += count;
    this.#wake();
    return { scores, cancel: () => this.#fail(job!, new AbortedError("the images need no scores any more")) };
  }

  #wake(): void {
    if (this.#running) return;
    if (this.#delay !== null && !this.#isWorthWaiting()) {
      clearTimeout(this.#delay);
      this.#delay = null;
      setImmediate(() => void this.#run());
    }
    if (this.#waiting) return;
    this.#waiting = true;
    // After all sockets that have something were read.
    setImmediate(() => {
      if (this.#isWorthWaiting()) this.#delay = setTimeout(() => void this.#run(), this.#options.delayMs);
      else void this.#run();
    });
  }

  #isWorthWaiting(): boolean {
    const { delayMs, othersComing, mostRows } = this.#options;
    return delayMs > 0 && this.#rows < Math.min(WORTH_A_RUN, mostRows) && othersComing();
  }

  async #run(): Promise<void> {
    this.#waiting = false;
    this.#delay = null;
    this.#running = true;
    while (this.#queue.length > 0) {
      const slices = this.#nextSlices();
      if (slices.length > 0) await this.#score(slices);
    }
    this.#running = false;
  }

  /** The next run: a part of each request in turn, until it is full. */
  #nextSlices(): Slice[] {
    const slices: Slice[] = [];
    const unfinished: Pending[] = [];
    let used = 0;
    let room = this.#options.mostRows;
    while (room > 0 && used < this.#queue.length) {
      const job = this.#queue[used++]!;
      if (job.cancelled) {
        this.#rows -= job.count - job.taken;
        continue;
      }
      const slice = this.#slice(job, this.#options.mostRows - room, room);
      slices.push(slice);
      room -= slice.rows;
      if (job.taken < job.count) unfinished.push(job);
    }
    this.#queue = [...this.#queue.slice(used), ...unfinished];
    return slices;
  }

  #slice(job: Pending, at: number, room: number): Slice {
    const { rowSize } = this.#options;
    const block = job.images.blocks[job.block]!;
    const rows = Math.min(room, job.count - job.taken, block.length / rowSize - job.offset);
    const part = block.subarray(job.offset * rowSize, (job.offset + rows) * rowSize);
    const slice = { job, from: job.taken, at, rows, part };
    job.taken += rows;
    job.offset += rows;
    this.#rows -= rows;
    if (job.offset * rowSize === block.length) {
      job.block += 1;
      job.offset = 0;
    }
    return slice;
  }

  async #score(slices: readonly Slice[]): Promise<void> {
    const { onRun } = this.#options;
    const rows = slices.reduce((sum, slice) => sum + slice.rows, 0);
    const startedAt = performance.now();
    try {
      const scores = await this.#options.score(this.#joined(slices, rows), rows);
      onRun(rows, slices.length, performance.now() - startedAt);
      for (const slice of slices) this.#deliver(slice, scores);
    } catch (error) {
      // One request's images must not fail the others'.
      if (slices.length === 1) this.#fail(slices[0]!.job, error);
      else for (const slice of slices) await this.#score([{ ...slice, at: 0 }]);
    }
  }

  /** The rows one after the other: copied only where they are of several requests. */
  #joined(slices: readonly Slice[], rows: number): NumberBlock {
    const [first] = slices;
    if (slices.length === 1) return first!.part;
    const length = rows * this.#options.rowSize;
    const joined = first!.part instanceof Float32Array ? new Float32Array(length) : new Float64Array(length);
    for (const { part, at } of slices) joined.set(part, at * this.#options.rowSize);
    return joined;
  }

  #deliver({ job, from, at, rows }: Slice, { labels, probabilities }: Scores): void {
    const { classes, ownLabels } = this.#options;
    job.labels.set(labels.subarray(at, at + rows), from);
    if (job.probabilities !== null && probabilities !== null) {
      const part = probabilities.subarray(at * classes, (at + rows) * classes);
      const none = ownLabels ? -1 : firstWithoutScores(part, classes);
      if (none >= 0) {
        this.#fail(job, new RequestError(500, `the model gives no scores for row ${from + none}`));
        return;
      }
      job.probabilities.set(part, from * classes);
    }
    job.scored += rows;
    if (job.scored === job.count) job.resolve({ labels: job.labels, probabilities: job.probabilities });
  }

  #fail(job: Pending, error: unknown): void {
    job.cancelled = true;
    job.reject(error);
  }
}

/** The first row that is no distribution: not finite, below 0, or all 0; -1 where all are. */
function firstWithoutScores(probabilities: Float32Array | Float64Array, classes: number): number {
  for (let start = 0; start < probabilities.length; start += classes) {
    let sum = 0;
    for (let k = start; k < start + classes; k++) sum += probabilities[k]! >= 0 ? probabilities[k]! : NaN;
    if (!(sum > 0 && sum < Infinity)) return start / classes;
  }
  return -1;
}
