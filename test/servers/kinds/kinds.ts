import type { Deployment, Service } from "../service.ts";
import { azureml } from "./azureml.ts";
import { kserve } from "./kserve.ts";
import { mlflow } from "./mlflow.ts";
import { mlserver } from "./mlserver.ts";
import { sagemaker } from "./sagemaker.ts";
import { tfserving } from "./tfserving.ts";
import { torchserve } from "./torchserve.ts";
import { triton } from "./triton.ts";

/** The servers by name. */
export const KINDS = {
  azureml,
  kserve,
  mlserver,
  mlflow,
  triton,
  tfserving,
  torchserve,
  sagemaker,
} as const satisfies Record<string, (deployment: Deployment) => Service>;

export type Kind = keyof typeof KINDS;
