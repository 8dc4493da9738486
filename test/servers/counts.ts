/** One request as the server saw it. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** 0 where no reply was begun. */
  readonly status: number;
  /** Images that it held, as far as they were read. */
  readonly images: number;
  /** Of the body as it arrived. */
  readonly bytes: number;
  /** The fault that it met, null without one. */
  readonly fault: string | null;
  readonly requestId: string | null;
  readonly userAgent: string | null;
  readonly contentType: string | null;
  /** Milliseconds since the server began to listen. */
  readonly startMs: number;
}

/** What a server has seen. */
export interface Counts {
  /** All requests, and those to the scoring path. */
  readonly requests: number;
  readonly scoringRequests: number;
  /** Images in scoring requests, and how often each arrived, by `imageDigest`. */
  readonly images: number;
  readonly received: Readonly<Record<string, number>>;
  /** How often each image's right answer was sent. */
  readonly answered: Readonly<Record<string, number>>;
  /** Of bodies. */
  readonly bytesReceived: number;
  readonly bytesSent: number;
  readonly connections: number;
  readonly peakConnections: number;
  /** Scoring requests that were under way at once. */
  readonly peakRequests: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  /** Requests that were refused for their key, and requests that carried any Authorization. */
  readonly unauthorized: number;
  readonly authorizations: number;
  /** Header names and their values, the first 50 of each, without that of Authorization. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** The first 100,000 requests. */
  readonly log: readonly Seen[];
}

const MOST_VALUES = 50;
const MOST_SEEN = 100_000;

/** The same, while it is counted. */
export class Tally {
  readonly received = new Map<string, number>();
  readonly answered = new Map<string, number>();
  readonly faults = new Map<string, number>();
  readonly statuses = new Map<string, number>();
  readonly log: Seen[] = [];
  readonly headers = new Map<string, Set<string>>();
  requests = 0;
  scoringRequests = 0;
  images = 0;
  bytesReceived = 0;
  bytesSent = 0;
  connections = 0;
  peakConnections = 0;
  peakRequests = 0;
  unauthorized = 0;
  authorizations = 0;

  seeHeaders(headers: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(headers)) {
      const values = this.headers.get(name) ?? new Set<string>();
      this.headers.set(name, values);
      if (name === "authorization") this.authorizations++;
      else if (values.size < MOST_VALUES) values.add(value);
    }
  }

  see(seen: Seen): void {
    if (this.log.length < MOST_SEEN) this.log.push(seen);
    add(this.statuses, String(seen.status));
    if (seen.fault !== null) add(this.faults, seen.fault);
  }

  counts(): Counts {
    const { log, ...rest } = this;
    return {
      ...rest,
      received: Object.fromEntries(this.received),
      answered: Object.fromEntries(this.answered),
      faults: Object.fromEntries(this.faults),
      statuses: Object.fromEntries(this.statuses),
      headers: Object.fromEntries([...this.headers].map(([name, values]) => [name, [...values]])),
      log,
    };
  }
}

export function add(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
