import { readFileSync } from "node:fs";

import type { Answer, Protocol, Reply } from "../../../src/scorer/protocols/protocol.ts";

interface Exchange {
  readonly request: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The exchanges of a file of test/fixtures/servers by case. */
export function recorded(server: string): (name: string) => Reply {
  const file = new URL(`../../fixtures/servers/${server}.json`, import.meta.url);
  const cases = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Exchange>>;
  return (name) => {
    const { status, headers, body } = cases[name]!;
    return { status, headers, body: Buffer.from(body) };
  };
}

export function reply(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status: 200,
    headers: { "content-type": "application/json", ...headers },
    body: Buffer.from(body),
  };
}

/** What a reply says, as `name type [dims] first,second,third`, or why it is no answer. */
export function decoded(protocol: Protocol, received: Reply, images?: number): string {
  try {
    const shape = images === undefined ? {} : { shape: [images, 784] };
    return summary(protocol.decode(received, { id: "req-42", ...shape }));
  } catch (error) {
    return String(error);
  }
}

export function summary(answer: Answer): string {
  return Object.entries(answer)
    .map(([name, { type, dims, data }]) =>
      `${name} ${type} [${dims.join(", ")}] ${[...data].slice(0, 3).join(",")}`.trim(),
    )
    .join("; ");
}
