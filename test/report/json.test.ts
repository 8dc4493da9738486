import { readFileSync } from "node:fs";
import { Ajv2020, type AnySchema } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { createLatencyTally } from "../../src/metrics/latency.ts";
import { createParityTally } from "../../src/metrics/parity.ts";
import { createTally } from "../../src/metrics/tally.ts";
import { METRIC_NAMES } from "../../src/metrics/table.ts";
import type { Evaluation } from "../../src/types.ts";
import { metricsJson } from "../../src/report/json.ts";
import { evaluation } from "./builders.ts";
import { CASES, scored, serviceEvaluation } from "./cases.ts";
import { golden } from "./golden.ts";

const schema = JSON.parse(
  readFileSync(new URL("../../src/report/metrics.schema.json", import.meta.url), "utf8"),
) as AnySchema & Record<string, unknown>;
const validate = new Ajv2020({ allErrors: true, strict: true }).compile(schema);

/** A copy with the value at a path such as `dataset.images` replaced, or removed where it is undefined. */
function changed(path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(evaluation()) as unknown as Record<string, unknown>;
  const keys = path.split(".");
  const last = keys.pop() ?? "";
  const parent = keys.reduce((node, key) => node[key] as Record<string, unknown>, copy);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return copy;
}

describe("metricsJson(evaluation)", () => {
  it("has a metric, a bin, a row and a curve on one line each, and the large parts last", () => {
    const text = metricsJson(evaluation());
    expect(text).toBe(golden("metrics.json", text));
  });

  it("has latency and parity where there is an endpoint", () => {
    const text = metricsJson(serviceEvaluation());
    expect(text).toBe(golden("metrics-service.json", text));
  });

  it.each(CASES)("reads back as the same value: $name", ({ evaluation }) => {
    expect(JSON.parse(metricsJson(evaluation))).toEqual(evaluation);
  });

  it("keeps every digit of a number", () => {
    const metrics = {
      accuracy: { value: 0.1 + 0.2, interval: null },
      tiny: { value: 5e-324, interval: null },
    };
    const read = JSON.parse(metricsJson(evaluation({ metrics }))) as Evaluation;
    expect(read.metrics["accuracy"]?.value).toBe(0.300_000_000_000_000_04);
    expect(read.metrics["tiny"]?.value).toBe(5e-324);
  });

  it("refuses NaN, which would silently become null", () => {
    const wrong = evaluation({ metrics: { log_loss: { value: Number.NaN, interval: null } } });
    expect(() => metricsJson(wrong)).toThrow(
      new TypeError(
        "metrics.log_loss.value is NaN, which JSON cannot hold: an undefined number must be null",
      ),
    );
  });
});

describe("metrics.schema.json", () => {
  it.each(CASES)("describes $name", ({ evaluation }) => {
    expect([validate(JSON.parse(metricsJson(evaluation))), validate.errors]).toEqual([true, null]);
  });

  it("describes what the tallies of latency and parity give", () => {
    const tally = createLatencyTally();
    const record = { id: "r", images: 3, startMs: 5, bytesSent: 9, bytesReceived: 3, concurrent: 2 };
    tally.add({ ...record, elapsedMs: 12.5, outcome: "answered" });
    tally.add({ ...record, elapsedMs: 3, outcome: "429" });
    const compared = createParityTally(["cat", "dog", "bird"], [2, 2]);
    const rows = [0, 1, 2].map((i) => [i, i, 0] as const);
    const ours = { ...scored(rows, null), pixels: new Uint8Array(12) };
    compared.add({ ...ours, predicted: Uint8Array.of(0, 1, 2) }, ours);
    const outcome = serviceEvaluation({
      latency: tally.latency(7),
      parity: compared.parity(evaluation().scorer, null),
    });
    expect([validate(JSON.parse(metricsJson(outcome))), validate.errors]).toEqual([true, null]);
    const empty = serviceEvaluation({ latency: createLatencyTally().latency(0) });
    expect([validate(JSON.parse(metricsJson(empty))), validate.errors]).toEqual([true, null]);
  });

  it.each([
    ["exact", 100, 3],
    ["binned", 0, 3],
    ["without probabilities", 100, null],
    ["one class only", 100, 1],
  ])("describes what the metrics give: %s", (_, exactScores, k) => {
    const classes = ["cat", "dog", "bird"].slice(0, k ?? 3);
    const rows = [0, 1, 2, 3, 4, 5].map((i) => [i, i % classes.length, 0] as const);
    const probabilities = rows.flatMap(() =>
      classes.map((_, c) => (c === 0 ? 1 - 0.25 * (classes.length - 1) : 0.25)),
    );
    const tally = createTally(classes, { exactScores });
    tally.add(scored(rows, k === null ? null : Float64Array.from(probabilities)));
    const outcome = { ...evaluation({ classes }), ...tally.measurements() };
    expect([validate(JSON.parse(metricsJson(outcome))), validate.errors]).toEqual([true, null]);
  });

  it.each([
    ["extra", 1, "must NOT have additional properties"],
    ["dataset.size", 1, "must NOT have additional properties"],
    ["scorer.preprocessing.scale", "auto", "must match pattern"],
    ["metrics.accuracy", 0.92, "must be object"],
    ["metrics.accuracy", { value: 1, interval: null, note: "" }, "must NOT have additional properties"],
    ["metrics.f1_macro", undefined, "must have required property 'f1_macro'"],
    ["schemaVersion", 2, "must be equal to constant"],
    ["createdAt", "yesterday", `must match pattern`],
    ["failures", undefined, "must have required property 'failures'"],
    ["confusionMatrix.0.0", -1, "must be >= 0"],
    ["confusionMatrix.0.0", 0.5, "must be integer"],
    ["perClass.0.recall.value", "1", "must be number,null"],
    ["environment.git.commit", "main", "must match pattern"],
  ])("refuses %s as %j", (path, value, message) => {
    expect(validate(changed(path, value))).toBe(false);
    expect(validate.errors?.map((error) => error.message).join("\n")).toContain(message);
  });

  it("describes every field, and every metric by name", () => {
    expect(undescribed(schema, "")).toEqual([]);
    const { metrics } = schema["properties"] as Record<string, { properties?: object }>;
    expect(Object.keys(metrics?.properties ?? {})).toEqual(METRIC_NAMES);
  });
});

/** Paths of properties without a description of their own. */
function undescribed(node: unknown, path: string): string[] {
  if (typeof node !== "object" || node === null) return [];
  const own = Object.entries(
    (node as { properties?: Record<string, { description?: string }> }).properties ?? {},
  );
  const missing = own.filter(([, { description }]) => !description).map(([key]) => `${path}.${key}`);
  return [
    ...missing,
    ...Object.entries(node).flatMap(([key, child]) => undescribed(child, `${path}.${key}`)),
  ];
}
