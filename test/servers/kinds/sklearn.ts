import type { InputError } from "../images.ts";

const RESHAPE =
  "Reshape your data either using array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a single sample.";
const NAN =
  "Input X contains NaN.\nLogisticRegression does not accept missing values encoded as NaN natively. For supervised learning, you might want to consider sklearn.ensemble.HistGradientBoostingClassifier and Regressor which accept missing values encoded as NaNs natively. Alternatively, it is possible to preprocess the data, for instance by using an imputer transformer in a pipeline or drop samples with missing values. See https://scikit-learn.org/stable/modules/impute.html You can find a list of all estimators that handle NaN values at the following page: https://scikit-learn.org/stable/modules/impute.html#estimators-that-handle-nan-values";

/** What numpy or scikit-learn says of such an input. */
export function sklearnMessage(error: InputError, features: number): string {
  const { kind, shape } = error;
  if (kind === "not-list") return `Expected 2D array, got scalar array instead:\narray=None.\n${RESHAPE}`;
  if (kind === "strings") return error.message;
  if (kind === "missing") return NAN;
  if (kind === "ragged") {
    return `setting an array element with a sequence. The requested array has an inhomogeneous shape after ${shape.length} dimensions. The detected shape was (${shape.join(", ")}${shape.length === 1 ? "," : ""}) + inhomogeneous part.`;
  }
  if (shape.length === 1) return `Expected 2D array, got 1D array instead:\narray=[].\n${RESHAPE}`;
  if (shape.length > 2) return `Found array with dim ${shape.length}. LogisticRegression expected <= 2.`;
  if (shape[0] === 0) {
    return `Found array with 0 sample(s) (shape=(0, ${shape[1]})) while a minimum of 1 is required by LogisticRegression.`;
  }
  return `X has ${shape[1]} features, but LogisticRegression is expecting ${features} features as input.`;
}
