import type { Layout, PixelChoice } from "../../types.ts";
import type { Wanted } from "./discover.ts";

export interface EndpointOptions extends Wanted {
  readonly layout: Layout | "auto";
  /** The output to read; null: the one that holds scores or labels. */
  readonly output: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as Bearer; null: none. */
  readonly key: string | null;
  /** What may be shown nowhere, the key among it. */
  readonly secrets: readonly string[];
  readonly requestImages: number;
  readonly maxRequestBytes: number;
  readonly concurrency: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly waitMs: number;
  readonly seed: number;
  /** Where answers are kept until the run is done. */
  readonly journalFolder: string;
}

/** What happens while a service is waited for and scored, for whoever looks on. */
export interface EndpointHooks {
  /** Told before each pause of waiting for readiness. */
  readonly onWait: (answer: string) => void;
}

/** An image to be scored, as the service shall see it. */
export interface Item {
  /** Position in the data set's files. */
  readonly index: number;
  /** h×w, 0–255. */
  readonly pixels: Uint8Array;
  readonly choice: PixelChoice;
}
