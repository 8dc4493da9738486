import type { Chart } from "./chart.ts";
import { confusion_errors } from "./confusion_errors.ts";
import { confusion_matrix } from "./confusion_matrix.ts";
import { sample_predictions } from "./sample_predictions.ts";
import { top_confusions } from "./top_confusions.ts";
import { worst_errors } from "./worst_errors.ts";

/** Every chart by the name of its files, in the order in which a report shows them. */
export const CHARTS = {
  confusion_matrix,
  confusion_errors,
  sample_predictions,
  top_confusions,
  worst_errors,
} as const satisfies Record<string, Chart>;
