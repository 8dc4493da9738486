import type { TopLevelSpec } from "vega-lite";
import type { Evaluation } from "../types.ts";

/** A spec of marks drawn over each other, and its parts. */
export type LayeredSpec = Extract<TopLevelSpec, { layer: unknown[] }>;
export type Layer = LayeredSpec["layer"][number];

/** A picture of an evaluation: what it says, and how it is drawn. All three are pure. */
export interface Chart {
  /** What the picture says, as one sentence without a full stop. */
  readonly title: (evaluation: Evaluation) => string;
  /** What a reader who cannot see the picture needs to know. */
  readonly description: (evaluation: Evaluation) => string;
  /** The Vega-Lite spec, or null where there is nothing to draw from, such as no probabilities. */
  readonly spec: (evaluation: Evaluation) => TopLevelSpec | null;
}
