import { azureml } from "./azureml.ts";
import { kserveV1 } from "./kserve-v1.ts";
import { mlflow } from "./mlflow.ts";
import { oip, oipBinary } from "./oip.ts";
import type { Protocol } from "./protocol.ts";
import { sagemaker } from "./sagemaker.ts";
import { tfserving } from "./tfserving.ts";
import { torchserve } from "./torchserve.ts";

/** The serving APIs, by the values of `--protocol`, in the order in which they are looked for. */
export const PROTOCOLS = {
  azureml,
  "kserve-v1": kserveV1,
  oip,
  "oip-binary": oipBinary,
  tfserving,
  mlflow,
  torchserve,
  sagemaker,
} as const satisfies Record<string, Protocol>;

export type ProtocolName = keyof typeof PROTOCOLS;
