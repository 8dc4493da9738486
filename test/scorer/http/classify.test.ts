import { describe, expect, test } from "vitest";

import type { Outcome } from "../../../src/scorer/outcome.ts";
import { outcomeOfFailure, outcomeOfStatus } from "../../../src/scorer/http/classify.ts";
import { HttpFailure, type FailureKind } from "../../../src/scorer/http/failure.ts";
import { retryAfterMs } from "../../../src/scorer/http/retry-after.ts";

const NOW = Date.parse("2026-11-22T10:00:00Z");

function outcome(
  status: number,
  words: string | null = null,
  headers: Record<string, string> = {},
): Outcome<never> {
  const reply = {
    status,
    headers,
    body: Buffer.alloc(0),
    elapsedMs: 1,
    bytesReceived: 0,
    redirected: null,
    withoutKey: false,
  };
  return outcomeOfStatus(reply, words, NOW);
}

/** The message of a fatal outcome. */
function fatal(status: number, words: string | null = null, redirected: URL | null = null): string {
  const reply = {
    status,
    headers: {},
    body: Buffer.alloc(0),
    elapsedMs: 1,
    bytesReceived: 0,
    redirected,
    withoutKey: redirected !== null,
  };
  const outcome = outcomeOfStatus(reply, words, NOW);
  if (outcome.kind !== "fatal") throw new Error(outcome.kind);
  expect(outcome.error.name).toBe("ScorerError");
  return outcome.error.message;
}

/** What comes of a 424 that wraps a model's own status. */
function inner(status: string, reason?: string): Outcome<never> {
  return outcome(424, "words", {
    "ms-azureml-model-error-statuscode": status,
    ...(reason === undefined ? {} : { "ms-azureml-model-error-reason": reason }),
  });
}

/** How a retry is gone about, in short: `overloaded`, and the patience where it has an end. */
function manner(outcome: Outcome<never>): string {
  if (outcome.kind !== "retry") return outcome.kind;
  const { overloaded, patience } = outcome;
  return [overloaded ? "overloaded" : "retry", ...(patience === null ? [] : [patience])].join(" ");
}

describe("outcomeOfFailure(failure)", () => {
  test.each([
    ["refused", "retry"],
    ["unreachable", "retry"],
    ["reset", "overloaded 2"],
    ["closed", "overloaded 2"],
    ["timeout", "overloaded 1"],
    ["stalled", "overloaded 1"],
    ["too-large", "retry 1"],
    ["malformed", "retry 2"],
  ] as const)("%s: %s", (kind, expected) => {
    const result = outcomeOfFailure(new HttpFailure(kind, "in words"));
    expect(manner(result)).toBe(expected);
    expect(result).toMatchObject({ label: kind, reason: "in words", afterMs: null });
  });

  test.each([
    ["tls", null],
    ["redirect", null],
    ["unreachable", "PROXY_407"],
  ] as const)("%s %s is fatal", (kind: FailureKind, code) => {
    const failure = new HttpFailure(kind, "in words: a cure", { code });
    const result = outcomeOfFailure(failure);
    if (result.kind !== "fatal") throw new Error(result.kind);
    expect(result.error.message).toBe("the service cannot be used: in words: a cure");
    expect(result.error.cause).toBe(failure);
  });
});

describe("outcomeOfStatus(reply, errorText, now)", () => {
  test.each([
    [400, "refused"],
    [408, "overloaded 1"],
    [409, "retry"],
    [413, "smaller"],
    [418, "refused"],
    [422, "refused"],
    [423, "retry"],
    [425, "retry"],
    [424, "overloaded 2"],
    [429, "overloaded"],
    [500, "retry 2"],
    [502, "retry"],
    [503, "overloaded"],
    [504, "overloaded 1"],
    [507, "overloaded 2"],
    [520, "retry"],
    [524, "overloaded 1"],
    [529, "overloaded"],
    [599, "retry"],
    ...[204, 304, 401, 403, 404, 405, 406, 407, 410, 411, 414, 415, 426, 431, 501, 505, 511].map(
      (status) => [status, "fatal"] as const,
    ),
  ] as const)("%i: %s", (status, expected) => {
    const result = outcome(status);
    expect(manner(result)).toBe(expected);
    expect("label" in result ? result.label : String(status)).toBe(String(status));
  });

  test("gives the status and the service's own words as the reason", () => {
    expect(outcome(503, "no free worker")).toEqual({
      kind: "retry",
      label: "503",
      reason: "503 Service Unavailable: no free worker",
      afterMs: null,
      overloaded: true,
      patience: null,
    });
    expect(outcome(413)).toEqual({ kind: "smaller", label: "413", reason: "413 Payload Too Large" });
    expect(outcome(422, "json_invalid")).toEqual({
      kind: "refused",
      label: "422",
      reason: "422 Unprocessable Entity: json_invalid",
    });
    expect(outcome(500)).toMatchObject({ reason: "500 Internal Server Error, without saying why" });
    expect(outcome(500, "boom")).toMatchObject({ reason: "500 Internal Server Error: boom" });
    expect(outcome(520)).toMatchObject({ reason: "520" });
  });

  test("waits for a model that is not loaded yet", () => {
    expect(outcome(400, "Model slow is not ready yet.")).toEqual({
      kind: "retry",
      label: "not ready",
      reason: "400 Bad Request: Model slow is not ready yet.",
      afterMs: null,
      overloaded: false,
      patience: null,
    });
  });

  test("looks through 424 at the model's own answer", () => {
    expect(inner("503", "model_error")).toMatchObject({
      kind: "retry",
      label: "424",
      reason:
        "424 Failed Dependency, the model's own answer was 503 Service Unavailable (model_error): words",
      overloaded: true,
      patience: null,
    });
    expect(
      ["429", "500", "502", "504", "400", "413", "404", "424", "200", ""].map((code) => manner(inner(code))),
    ).toEqual([
      "overloaded",
      "retry 2",
      "retry",
      "overloaded 1",
      "refused",
      "smaller",
      "fatal",
      "overloaded 2",
      "overloaded 2",
      "overloaded 2",
    ]);
    expect(inner("500")).toMatchObject({
      label: "424",
      reason: "424 Failed Dependency, the model's own answer was 500 Internal Server Error: words",
    });
    expect(inner("")).toMatchObject({ reason: "424 Failed Dependency: words" });
  });

  test("says of what no retry mends what to do", () => {
    const key = "Is the key right? --api-key-env names the environment variable that holds it";
    expect(fatal(401)).toBe(`the service answered 401 Unauthorized. ${key}`);
    expect(fatal(403, "quota")).toBe(`the service answered 403 Forbidden: quota. ${key}`);
    expect(fatal(401, null, new URL("https://user:pass@b.test/score?key=1"))).toBe(
      "the service answered 401 Unauthorized. It was redirected to https://b.test/score?key=…, where the key is not sent: " +
        "give that URL to --endpoint",
    );
    expect(fatal(404, "Model with name x does not exist.")).toBe(
      "the service answered 404 Not Found: Model with name x does not exist. " +
        "Is the path of --endpoint right, and do --protocol and --model-name fit the service?",
    );
    expect(fatal(405)).toBe(
      "the service answered 405 Method Not Allowed. " +
        "It takes no POST there: is the path of --endpoint right, and does --protocol fit the service?",
    );
    expect(fatal(415)).toBe(
      "the service answered 415 Unsupported Media Type. It does not take this content type: does --protocol fit the service?",
    );
    expect(fatal(304)).toBe(
      "the service answered 304 Not Modified. It names no place to go to: give the URL that answers to --endpoint",
    );
    expect(fatal(204)).toBe(
      "the service answered 204 No Content. A scoring service answers 200: does --protocol fit the service?",
    );
  });

  test("heeds Retry-After at every status that is tried again", () => {
    for (const status of [408, 424, 425, 429, 500, 502, 503, 504])
      expect(outcome(status, null, { "retry-after": "7" })).toMatchObject({ kind: "retry", afterMs: 7000 });
  });
});

test.each<[string, Record<string, string>, number | null]>([
  ["none", {}, null],
  ["seconds", { "retry-after": "2" }, 2000],
  ["seconds with a fraction", { "retry-after": " 0.25 " }, 250],
  ["zero", { "retry-after": "0" }, 0],
  ["less than zero", { "retry-after": "-1" }, 0],
  ["an hour", { "retry-after": "3600" }, 3_600_000],
  ["more than anybody waits", { "retry-after": "9".repeat(400) }, Number.MAX_SAFE_INTEGER],
  ["a date", { "retry-after": "Sun, 22 Nov 2026 10:00:05 GMT" }, 5000],
  ["a date that is past", { "retry-after": "Sun, 22 Nov 2026 09:00:00 GMT" }, 0],
  ["a date of the old form", { "retry-after": "Sunday, 22-Nov-26 10:00:07 GMT" }, 7000],
  [
    "a date by the server's own clock",
    { "retry-after": "Sat, 01 Jan 2000 00:00:03 GMT", date: "Sat, 01 Jan 2000 00:00:00 GMT" },
    3000,
  ],
  ["milliseconds", { "retry-after-ms": "1500", "retry-after": "9" }, 1500],
  ["Azure's milliseconds", { "x-ms-retry-after-ms": "33", "retry-after": "9" }, 33],
  ["milliseconds that are none", { "x-ms-retry-after-ms": "00:00:00.033", "retry-after": "9" }, 9000],
  ["words", { "retry-after": "soon" }, null],
  ["an empty text", { "retry-after": "" }, null],
])("retryAfterMs(headers, now) of %s", (_, headers, expected) => {
  expect(retryAfterMs(headers, NOW)).toBe(expected);
});
