import type { Deployment, Service } from "../service.ts";
import { azureml } from "./azureml.ts";

/** The servers by name. */
export const KINDS = {
  azureml,
} as const satisfies Record<string, (deployment: Deployment) => Service>;

export type Kind = keyof typeof KINDS;
