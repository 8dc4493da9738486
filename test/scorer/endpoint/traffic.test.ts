import { expect, test } from "vitest";

import { trafficLog } from "../../../src/scorer/endpoint/traffic.ts";
import { createLatencyTally } from "../../../src/metrics/latency.ts";

test("trafficLog() tells how each request went, from the moment that it is observed", () => {
  let time = 5;
  const log = trafficLog(() => time, "run");
  log.begin(log.identity(), 10).end("answered", 1, 1);
  const tally = createLatencyTally();
  const records: unknown[] = [];
  log.observe((record) => {
    records.push(record);
    tally.add(record);
  });
  time = 20;
  const [first, second] = [log.begin(log.identity(), 100), log.begin(log.identity(), 200)];
  time = 30;
  first.lost("closed");
  time = 45;
  first.end("answered", 7, 3);
  second.end("503", 2, 0);
  const common = { startMs: 15, bytesReceived: 0, images: 0 };
  expect(records).toEqual([
    { ...common, id: "run-2", elapsedMs: 10, bytesSent: 100, outcome: "closed", concurrent: 1 },
    {
      ...common,
      id: "run-2",
      elapsedMs: 25,
      bytesSent: 100,
      bytesReceived: 7,
      images: 3,
      outcome: "answered",
      concurrent: 1,
    },
    {
      ...common,
      id: "run-3",
      elapsedMs: 25,
      bytesSent: 200,
      bytesReceived: 2,
      outcome: "503",
      concurrent: 2,
    },
  ]);
  // What was sent twice counts twice.
  const { retries, bytesSent, requests } = tally.latency(0);
  expect({ retries, bytesSent, requests }).toEqual({
    retries: { closed: 1, "503": 1 },
    bytesSent: 400,
    requests: 1,
  });
});
