import { fileURLToPath } from "node:url";

import { packageRoot } from "../package.ts";

export {
  openModel,
  scoredClasses,
  type Images,
  type ModelOptions,
  type NumberScorer,
  type OpenedModel,
} from "./onnx.ts";
export { checkUnchanged } from "./model-file.ts";
export { loadModel, type LoadedModel } from "./session.ts";

/** The model that `npm run train` makes. */
export const bundledModel = fileURLToPath(new URL("data/models/mnist-logreg.onnx", packageRoot));
