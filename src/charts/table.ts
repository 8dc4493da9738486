import type { Chart } from "./chart.ts";
import { confidence } from "./confidence.ts";
import { confusion_errors } from "./confusion_errors.ts";
import { confusion_matrix } from "./confusion_matrix.ts";
import { latency } from "./latency.ts";
import { parity } from "./parity.ts";
import { per_class } from "./per_class.ts";
import { precision_recall } from "./precision_recall.ts";
import { reliability } from "./reliability.ts";
import { roc } from "./roc.ts";
import { sample_predictions } from "./sample_predictions.ts";
import { top_confusions } from "./top_confusions.ts";
import { worst_errors } from "./worst_errors.ts";

/** Every chart by the name of its files, in the order in which a report shows them. */
export const CHARTS = {
  confusion_matrix,
  confusion_errors,
  sample_predictions,
  per_class,
  top_confusions,
  worst_errors,
  reliability,
  confidence,
  roc,
  precision_recall,
  parity,
  latency,
} as const satisfies Record<string, Chart>;
