import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { Kind } from "../servers/start.ts";
import { EPOCH, metricsOf, scene, server, type TestServerOptions } from "./scene.ts";

const { bare, evaluate, path } = scene();
const LIMIT = ["--limit", "1000"];
const GATES = ["--gate", "accuracy >= 0.1", "--gate", "failures == 0"];
const HALF = { faults: [{ name: "random", value: 0.5 }] } as const;
const FIGURES = /The service answered (\d+) of 100 images differently when it was asked again/;

describe("a service that answers every other image at random", () => {
  test.each<[Kind, TestServerOptions]>([
    ["azureml", HALF],
    ["tfserving", { ...HALF, output: "probabilities" }],
  ])("%s: is said not to be repeatable, and lets gates on metrics tell nothing", async (kind, options) => {
    const { scoreUrl } = await server(kind, options);
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...LIMIT, ...GATES]);
    const { repeatability, warnings, gates } = metricsOf(out);
    const statement = repeatability!.statement;
    expect(repeatability).toMatchObject({ images: 100, repeatable: false });
    expect(repeatability!.differing).toBeGreaterThan(15);
    expect(Number(FIGURES.exec(statement)?.[1])).toBe(repeatability!.differing);
    expect(warnings).toContain(
      `${statement}: its answers do not repeat, so that another run would give other numbers. Is part of it random, or are there several models behind the URL?`,
    );
    const reason = `accuracy could not be told: t${statement.slice(1)}, so that its answers do not repeat`;
    expect(gates.map(({ metric, result, reason }) => ({ metric, result, reason }))).toEqual([
      { metric: "accuracy", result: "untold", reason },
      { metric: "failures", result: "passed", reason: "failures is 0, exactly 0 as asked" },
    ]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `mnist-evaluate: --gate 'accuracy >= 0.1': ${reason}\n`,
    });
  });

  test("stands in the headline of the summary and of the reports, and ends with 0 without gates", async () => {
    const { scoreUrl } = await server("azureml", HALF);
    const out = path("headline");
    const args = ["--endpoint", scoreUrl, ...LIMIT, "--charts", "none", "--out", out];
    const { code, stdout } = await evaluate(args, { env: EPOCH });
    expect(code).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^Accuracy \d\d\.\d\d % \(.*\), not repeatable, /);
    expect(stdout).toMatch(FIGURES);
    const read = (name: string): string => readFileSync(join(out, name), "utf8");
    expect(read("report.md")).toMatch(/^## Accuracy [^\n]*, not repeatable\n/);
    expect(read("report.html")).toMatch(/<h1>Accuracy [^\n]*, not repeatable<\/h1>/);
    expect(read("report.html")).toMatch(FIGURES);
  });

  test("is noticed though an interrupted run's answers are kept", async () => {
    const { scoreUrl, counts, stop } = await server("azureml", { ...HALF, workers: 4, delayMs: 20 });
    const out = path("resumed");
    const args = ["--endpoint", scoreUrl, "--concurrency", "4"];
    await bare(args, {
      out,
      async during(child) {
        while ((await counts()).images < 4000) await new Promise((resolve) => setTimeout(resolve, 20));
        child.kill("SIGINT");
      },
    });
    const { code } = await bare([...args, ...GATES], { out });
    expect([code, metricsOf(out).repeatability?.repeatable]).toEqual([2, false]);
    await stop();
  });
});

describe("a service that repeats its answers", () => {
  test.each<[Kind, TestServerOptions]>([
    ["azureml", {}],
    ["tfserving", { output: "probabilities" }],
    ["triton", { batch: 7 }],
  ])("%s: is asked again in one request, and nothing is said", async (kind, options) => {
    const { scoreUrl } = await server(kind, options);
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...LIMIT, ...GATES]);
    const { repeatability, warnings, latency, gates } = metricsOf(out);
    expect({ code, stderr, results: gates.map(({ result }) => result) }).toEqual({
      code: 0,
      stderr: "",
      results: ["passed", "passed"],
    });
    expect(repeatability).toMatchObject({ images: 100, differing: 0, repeatable: true });
    // Other images in a request change the last bits.
    expect(repeatability!.maxDifference ?? 0).toBeLessThan(1e-6);
    expect(warnings.filter((warning) => /repeat/.test(warning))).toEqual([]);
    expect(latency!.images).toBeLessThanOrEqual(1000 + 100);
  });

  test("but fails when it is asked again: that is said, and the run stands", async () => {
    const all = await server("azureml");
    await bare(["--endpoint", all.scoreUrl, ...LIMIT]);
    const before = (await all.counts()).scoringRequests - 1;
    const { scoreUrl } = await server("azureml", { faults: [{ name: "500", after: before }] });
    const { code, out } = await bare(["--endpoint", scoreUrl, ...LIMIT, ...GATES, "--retries", "1"]);
    const { repeatability, warnings, failures } = metricsOf(out);
    expect({ code, repeatability, failures: failures.count }).toEqual({
      code: 0,
      repeatability: null,
      failures: 0,
    });
    expect(warnings[0]).toMatch(
      /^It is not known whether the service repeats its answers: asked again, it gave none \(.+\)\.$/,
    );
  });
});
