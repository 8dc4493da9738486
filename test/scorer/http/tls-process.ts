// Sends one request to each URL in argv and prints what comes of it; bundled and started by a test.
import { openTransport } from "../../../src/scorer/http/transport.ts";

const settings = { connections: 1, timeoutMs: 5000, maxReplyBytes: 1000, headers: {}, key: "K" };
const transport = openTransport(settings);
for (const url of process.argv.slice(2)) {
  const request = { method: "POST", headers: {}, body: Buffer.from("[1]"), id: "r1" } as const;
  const line = await transport.send({ ...request, url: new URL(url) }, new AbortController().signal).then(
    ({ status, body }) => `${status} ${body.toString()}`,
    (error: unknown) => String(error),
  );
  process.stdout.write(`${line}\n`);
}
// The process ends by itself, once nothing is open any more.
await transport.close();
