import type { Deployment, Service } from "../service.ts";
import { azureml } from "./azureml.ts";
import { kserve } from "./kserve.ts";
import { mlflow } from "./mlflow.ts";
import { mlserver } from "./mlserver.ts";

/** The servers by name. */
export const KINDS = {
  azureml,
  kserve,
  mlserver,
  mlflow,
} as const satisfies Record<string, (deployment: Deployment) => Service>;

export type Kind = keyof typeof KINDS;
