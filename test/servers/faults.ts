import type { Scores } from "./service.ts";

/**
 * What can go wrong, by name, and what `value` means for it.
 *
 * - before: instead of an answer; after: to an answer on its way; answer: in what the model said.
 * - None reaches anything but the scoring path.
 */
export const FAULTS = {
  /** 429 without Retry-After; -seconds: with `value` (1) in seconds; -date: with an HTTP-date `value` (1) seconds ahead. */
  "429": "before",
  "429-seconds": "before",
  "429-date": "before",
  /** An empty body. */
  "500": "before",
  /** An HTML page. */
  "502": "before",
  "503": "before",
  "504": "before",
  "408": "before",
  /** As Azure's managed endpoints wrap a model's own status, `value` (500), with ms-azureml-model-error-statuscode. */
  "424": "before",
  /** Above `value` bytes: answers on seeing Content-Length and destroys the connection. Not by rate. */
  "413-abrupt": "before",
  /** The model refuses requests that hold one of the digests `value`, separated by spaces; `status` (500) replaces the server's own. */
  "bad-image": "before",
  /** An error text that holds the request's Authorization; `status` is 500. */
  "key-echo": "before",
  /** 307 to `value`. */
  redirect: "before",
  /** RST after half of the request's body. */
  "reset-request": "before",
  /** RST once the request has been read. */
  "reset-before-reply": "before",
  /** FIN once the request has been read. */
  "close-unanswered": "before",
  /** Nothing, until the client gives up. */
  stall: "before",
  /** HTML, an error's text as JSON string, with status 200. */
  "html-200": "before",
  "text-200": "before",
  /** 200 and `value` (100,000,000) bytes of JSON array. */
  "big-body": "before",
  /** Stops listening and closes all connections, for `value` (500) ms. */
  restart: "before",
  /** RST after half of the reply's body. */
  "reset-reply": "after",
  /** The reply's body in 20 pieces over `value` (2,000) ms. */
  drip: "after",
  /** Half of the body, which Content-Length agrees with; -length: which it does not, then FIN. */
  truncated: "after",
  "truncated-length": "after",
  /** The body as a JSON string. */
  "double-encoded": "after",
  /** FIN `value` (0) ms after the reply, which did not say so. */
  "keep-alive-closed": "after",
  /** One answer fewer or more than images. */
  "count-fewer": "answer",
  "count-more": "answer",
  /** NaN for each third image, from the first. */
  nan: "answer",
  /** The first label is 17; without an effect on scores. */
  "label-out-of-range": "answer",
  /** An image is of any class, with a probability of `value` (0.5). */
  random: "answer",
  /** Protocols with an id name another one. */
  "wrong-id": "answer",
} as const satisfies Record<string, "before" | "after" | "answer">;

export type FaultName = keyof typeof FAULTS;

/** One thing that goes wrong, and how often. */
export interface Fault {
  readonly name: FaultName;
  /** Probability for each scoring request; 1 by default: always. */
  readonly rate?: number;
  /** How often it meets requests with the same image. Not for reset-request, which has not seen the images. */
  readonly perImage?: number;
  /** How often in all. */
  readonly total?: number;
  /** The first so many scoring requests are spared, as a client's probes. */
  readonly after?: number;
  readonly value?: string | number;
  readonly status?: number;
}

/** Decides which requests meet a fault, by a seeded hash of the request's number alone. */
export interface FaultPlan {
  /** The fault that request `number`, from 0, may meet. */
  pick(number: number): Fault | null;
  /** Whether it still may, now that its images are known; counts it where so. */
  allows(fault: Fault, digests: readonly string[]): boolean;
}

export function faultPlan(faults: readonly Fault[], seed: number): FaultPlan {
  const times = new Map<Fault, { total: number; images: Map<string, number> }>(
    faults.map((fault) => [fault, { total: 0, images: new Map<string, number>() }]),
  );
  return {
    pick: (number) => {
      let chance = uniform(number, seed);
      for (const fault of faults) {
        if (number < (fault.after ?? 0) || PERMANENT.has(fault.name)) continue;
        const rate = fault.rate ?? 1;
        if (chance < rate) return fault;
        chance -= rate;
      }
      return null;
    },
    allows: (fault, digests) => {
      const met = times.get(fault)!;
      if (met.total >= (fault.total ?? Infinity)) return false;
      if (digests.some((digest) => (met.images.get(digest) ?? 0) >= (fault.perImage ?? Infinity)))
        return false;
      met.total++;
      if (fault.perImage !== undefined) {
        for (const digest of digests) met.images.set(digest, (met.images.get(digest) ?? 0) + 1);
      }
      return true;
    },
  };
}

/** These look at the request, not at chance. */
const PERMANENT: ReadonlySet<FaultName> = new Set<FaultName>(["413-abrupt", "bad-image"]);

/** In [0, 1): splitmix32 of number and seed. */
function uniform(number: number, seed: number): number {
  let state = (Math.imul(number + 1, 0x9e3779b9) + Math.imul(seed, 0x85ebca6b)) | 0;
  state = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
  state = Math.imul(state ^ (state >>> 15), 0x735a2d97);
  return ((state ^ (state >>> 15)) >>> 0) / 2 ** 32;
}

/** Of every model that is served. */
const CLASSES = 10;

/** What the model said, spoilt. */
export function spoil(scores: Scores, { name, value = 0.5 }: Fault): Scores {
  const { n, k } = scores;
  if (name === "count-fewer" || name === "count-more") {
    const m = name === "count-fewer" ? n - 1 : n + 1;
    const labels = Float64Array.from({ length: m }, (_, i) => scores.labels[i % n]!);
    const values = Float64Array.from({ length: m * k }, (_, i) => scores.values[i % (n * k)]!);
    return { n: m, k, labels, values };
  }
  const [labels, values] = [scores.labels.slice(), scores.values.slice()];
  if (name === "label-out-of-range") labels[0] = 17;
  if (name === "nan") {
    for (let row = 0; row < n; row += 3) {
      labels[row] = NaN;
      values.fill(NaN, row * k, (row + 1) * k);
    }
  }
  if (name === "random") {
    for (let row = 0; row < n; row++) {
      if (Math.random() >= Number(value)) continue;
      const [from, to] = [labels[row]!, Math.floor(Math.random() * CLASSES)];
      labels[row] = to;
      if (k > 0) {
        const [a, b] = [row * k + from, row * k + to];
        [values[a], values[b]] = [values[b]!, values[a]!];
      }
    }
  }
  return { n, k, labels, values };
}
