import { fileURLToPath } from "node:url";

import { packageRoot } from "../package.ts";

export { loadModel, onnxScorer, type LoadedModel, type OnnxOptions } from "./onnx.ts";

/** The model that `npm run train` makes. */
export const bundledModel = fileURLToPath(new URL("data/models/mnist-logreg.onnx", packageRoot));
