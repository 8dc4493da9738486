import type { Latency, RequestRecord } from "../types.ts";
import { LogHistogram } from "./log-histogram.ts";

const MOST_SPANS = 60;

interface Span {
  readonly answered: LogHistogram;
  failed: number;
}

/**
 * How a run went, in at most 60 equal spans of time. Requests stand where they ended. Spans begin with a millisecond
 * and double whenever there would be more than 60, so that no record is kept and a run from 60 ms on has at least 30.
 */
export class Timeline {
  #spans: (Span | undefined)[] = [];
  #spanMs = 1;

  add({ startMs, elapsedMs, outcome }: RequestRecord): void {
    const endMs = startMs + elapsedMs;
    while (endMs >= this.#spanMs * MOST_SPANS) this.#double();
    const span = (this.#spans[Math.floor(endMs / this.#spanMs)] ??= emptySpan());
    if (outcome === "answered") span.answered.add(elapsedMs);
    else span.failed += 1;
  }

  #double(): void {
    const halves = this.#spans;
    this.#spans = Array.from({ length: Math.ceil(halves.length / 2) }, (_, i) =>
      joined(halves[2 * i], halves[2 * i + 1]),
    );
    this.#spanMs *= 2;
  }

  spans(): Latency["timeline"] {
    return Array.from(this.#spans, (span = emptySpan(), i) => ({
      seconds: (i * this.#spanMs) / 1000,
      requests: span.answered.count,
      failed: span.failed,
      p50: span.answered.count === 0 ? null : span.answered.quantiles([0.5])[0]!,
      max: span.answered.count === 0 ? null : span.answered.max,
    }));
  }
}

function emptySpan(): Span {
  return { answered: new LogHistogram(), failed: 0 };
}

function joined(first: Span | undefined, second: Span | undefined): Span | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  first.answered.merge(second.answered);
  first.failed += second.failed;
  return first;
}
