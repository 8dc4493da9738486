// Sends requests as argv says in JSON and prints what comes of each; bundled and started by a test.
import { openTransport } from "../../../src/scorer/http/transport.ts";

export interface Order {
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  readonly close: boolean;
}

const { urls, timeoutMs, close } = JSON.parse(process.argv[2] ?? "") as Order;
const transport = openTransport({ connections: 1, timeoutMs, headers: {}, key: "K" });
for (const url of urls) {
  const request = {
    method: "POST",
    headers: {},
    body: Buffer.from("[1]"),
    id: "r1",
    maxReplyBytes: 1000,
  } as const;
  const line = await transport.send({ ...request, url: new URL(url) }, new AbortController().signal).then(
    ({ status, body }) => `${status} ${body.toString()}`,
    (error: unknown) => String(error),
  );
  process.stdout.write(`${line}\n`);
}
if (close) await transport.close();
// The process ends by itself, once nothing is open any more.
