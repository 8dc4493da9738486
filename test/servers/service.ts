import type { Images } from "./images.ts";

/** What a service was asked; header names in lower case. */
export interface Request {
  readonly method: string;
  readonly path: string;
  /** What follows the `?`. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** What it answers. Headers as they go over the wire, in their order and case. */
export interface Reply {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | Buffer;
}

/** What a model said of n images. Numbers may be NaN where a fault says so. */
export interface Scores {
  readonly n: number;
  /** Of classes; 0 where the model gives labels only. */
  readonly k: number;
  /** n */
  readonly labels: Float64Array;
  /** n×k as the server's output mode has them. */
  readonly values: Float64Array;
}

/** What handles one request: scoring that is counted and that faults reach. */
export interface Exchange {
  /** @throws ModelError where the model refuses an image */
  score(images: Images): Promise<Scores>;
  /** The id that a reply names, given the one of the request. */
  echo(id: string): string;
}

export type Output = "labels" | "probabilities" | "logits";

/** What a service knows of its model and its settings. */
export interface Deployment {
  readonly name: string;
  readonly mode: string | null;
  readonly output: Output;
  /** What a service that takes bytes does to them before the model sees them. */
  readonly scale: "unit" | "raw" | "mnist";
  /** The model's input without its first dimension: `[784]`, `[1, 28, 28]`. */
  readonly rowShape: readonly number[];
  /** As ONNX names it: `float32`, `uint8`. */
  readonly inputType: string;
  /** How many images each request must have; null: any. */
  readonly batch: number | null;
  readonly inputName: string;
  readonly classes: number;
  /** False while the model loads. */
  readonly ready: () => boolean;
}

/** A running service, without its sockets. */
export interface Service {
  /** Where images go: the first is the address that the server gives out. */
  readonly scorePaths: readonly string[];
  /** After how long an idle connection is closed; 0: each answer closes its own. */
  readonly keepAliveMs: number;
  /** True where the server listens while its model loads, and says so. */
  readonly listensWhileLoading?: boolean;
  handle(request: Request, exchange: Exchange): Promise<Reply> | Reply;
}

/** The model refuses an image, or fails on it. */
export class ModelError extends Error {
  override readonly name = "ModelError";
}

const ALL_REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  307: "Temporary Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  404: "Not Found",
  405: "Method Not Allowed",
  408: "Request Timeout",
  413: "Payload Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  424: "Failed Dependency",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

export function reasonOf(status: number): string {
  return ALL_REASONS[status] ?? "Unknown";
}

export function isScoring(service: Service, request: Pick<Request, "method" | "path">): boolean {
  return request.method === "POST" && service.scorePaths.includes(request.path);
}
