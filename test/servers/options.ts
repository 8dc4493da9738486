import type { Fault } from "./faults.ts";
import type { Output } from "./service.ts";

/** How a server is to be. All but `model` has the default that the head of serve.mjs names. */
export interface ServerOptions {
  /** An ONNX file. */
  readonly model: string;
  readonly port?: number;
  readonly mode?: string;
  readonly output?: Output;
  readonly name?: string;
  /** How many images each request must have, where a server tells it in its metadata and insists: triton. */
  readonly batch?: number;
  readonly precision?: "float32" | "float64";
  readonly scale?: "unit" | "raw" | "mnist";
  readonly workers?: number;
  readonly delayMs?: number;
  readonly imageDelayMs?: number;
  readonly readyAfterMs?: number;
  readonly maxBytes?: number;
  readonly seed?: number;
  readonly faults?: readonly Fault[];
  readonly tls?: { readonly key: string; readonly cert: string };
}
