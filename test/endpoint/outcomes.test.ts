import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { digests } from "../cli/command.ts";
import { pixelsOf } from "../servers/scene.ts";
import { imageDigest } from "../servers/start.ts";
import { distance, EPOCH, LENET, LOGREG, metricsOf, predictionsOf, scene, server, SKLEARN } from "./scene.ts";

const { bare, evaluate, local, path } = scene();

const FEW = ["--limit", "400"];

describe("images that the service never takes", () => {
  const BAD = [1234, 5678, 5679];
  const value = BAD.map((index) => imageDigest(pixelsOf(index))).join(" ");

  const SAID = "An unexpected error occurred in scoring script. Check the logs for more info.";

  test.each([
    [400, `400 Bad Request: ${SAID}`],
    [500, `500 Internal Server Error: ${SAID} (after 3 attempts)`],
  ])("with %i are found in few requests, and are alone in failures", async (status, reason) => {
    const { scoreUrl, counts } = await server("azureml", { faults: [{ name: "bad-image", value, status }] });
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, "--max-failures", "3"]);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `mnist-evaluate: 3 of 10000 images have no prediction (${reason}): see failures in ${join(out, "metrics.json")}\n`,
    });
    const { failures, warnings, dataset } = metricsOf(out);
    expect(failures.count).toBe(3);
    expect(failures.images.map(({ index }) => index)).toEqual(BAD);
    for (const image of failures.images) expect(image.reason).toBe(reason);
    expect(dataset).toMatchObject({ images: 10_000, scored: 9_997 });
    expect(distance(predictionsOf(out), await local(LOGREG))).toMatchObject({ images: 9_997, differing: [] });
    expect(warnings[0]).toBe(
      "3 of 10,000 images have no answer from the service that can be used: they have no prediction and are in no number of this report. Their reasons are listed under failures.",
    );
    const { log } = await counts();
    const sent = new Set(log.map(({ requestId }) => requestId));
    expect(failures.images.every(({ request }) => sent.has(request!))).toBe(true);
    expect(log.filter(({ fault }) => fault === "bad-image").length).toBeLessThan(status === 400 ? 30 : 80);
  });

  test.each([
    ["2", 4],
    ["3", 0],
    ["0.2%", 4],
    ["0.3%", 0],
    ["0", 4],
  ])("--max-failures %s of 1,000 ends with %i", async (limit, code) => {
    const args = ["--limit", "1000"];
    const some = [...(await local(LOGREG, ...args)).labels.keys()].slice(500, 503);
    const value = some.map((index) => imageDigest(pixelsOf(index))).join(" ");
    const { scoreUrl } = await server("azureml", { faults: [{ name: "bad-image", value, status: 400 }] });
    expect((await bare(["--endpoint", scoreUrl, "--max-failures", limit, ...args])).code).toBe(code);
  });
});

describe("--dry-run", () => {
  test.each([
    ["azureml", ["--limit", "1000"], 100, 1_000_000],
    ["azureml", ["--batch-size", "37", "--limit", "1000"], 37, 1_000_000],
    ["azureml", ["--max-request-bytes", "50000", "--limit", "1000"], 100, 50_000],
    ["kserve", [], 100, 1_000_000],
    ["mlflow", ["--limit", "1000"], 100, 1_000_000],
    ["sagemaker", ["--limit", "1000"], 100, 1_000_000],
  ] as const)(
    "at %s %j sends nothing, and a run then sends what it says",
    async (kind, args, most, mostBytes) => {
      const { scoreUrl, counts } = await server(kind);
      const { code, stdout, stderr } = await evaluate([
        "--endpoint",
        scoreUrl,
        "--dry-run",
        "--json",
        ...args,
      ]);
      expect({ code, stderr, requests: (await counts()).requests }).toEqual({
        code: 0,
        stderr: "",
        requests: 0,
      });
      const plan = JSON.parse(stdout) as Record<string, number>;
      expect(plan["mostImages"]).toBeLessThanOrEqual(most);
      expect(plan["mostBytes"]).toBeLessThanOrEqual(mostBytes);
      const { out } = await bare(["--endpoint", scoreUrl, ...args]);
      const { latency, dataset } = metricsOf(out);
      expect(plan["images"]).toBe(dataset.images);
      expect(plan["askedAgain"]).toBe(100);
      const twice = 1 + plan["askedAgain"]! / dataset.images;
      // What was tried before is not sent again, but is part of the plan.
      const share = latency!.images / (twice * dataset.images);
      expect(share).toBeGreaterThan(0.7);
      expect(latency!.bytesSent / (twice * plan["bytes"]!) / share).toBeCloseTo(1, 1);
      expect(latency!.requests / (twice * plan["requests"]!)).toBeGreaterThan(share - 0.1);
      expect(latency!.requests / (twice * plan["requests"]!)).toBeLessThan(1.1);
    },
  );
});

describe("with --endpoint and --model", () => {
  test("that agree, parity is 1 and its gate passes", async () => {
    const { scoreUrl } = await server("azureml", { output: "probabilities" });
    const { code, stderr, out } = await bare([
      "--endpoint",
      scoreUrl,
      "--model",
      LOGREG,
      "--gate",
      "parity >= 1",
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { parity, gates } = metricsOf(out);
    expect(parity).toMatchObject({
      images: 10_000,
      agreement: { value: 1 },
      differing: { count: 0, images: [] },
    });
    expect(parity!.verdict).not.toBe("skew");
    expect(parity!.maxDifference).toBeLessThan(1e-6);
    expect(gates).toMatchObject([{ expression: "parity >= 1", actual: 1, passed: true }]);
  });

  test("that differ, its gate ends with 1", async () => {
    const { scoreUrl } = await server("azureml", { output: "probabilities" });
    const { code, out } = await bare([
      "--endpoint",
      scoreUrl,
      "--model",
      LENET,
      "--gate",
      "parity >= 1",
      ...FEW,
    ]);
    expect(code).toBe(1);
    const { parity, gates } = metricsOf(out);
    expect(parity!.verdict).toBe("skew");
    expect(parity!.differing.count).toBeGreaterThan(10);
    expect(parity!.agreement.value).toBe(1 - parity!.differing.count / 400);
    expect(gates[0]).toMatchObject({ passed: false, actual: parity!.agreement.value });
  });

  test("by two solvers, the few images that differ are those of two local runs", async () => {
    const { scoreUrl } = await server("kserve", { output: "probabilities" });
    const { out } = await bare(["--endpoint", scoreUrl, "--model", SKLEARN]);
    const { differing } = distance(await local(LOGREG), await local(SKLEARN));
    expect(metricsOf(out).parity!.differing.images.map(({ index }) => index)).toEqual(differing);
  });
});

describe("the same numbers come", () => {
  test.each<readonly [string, readonly string[], object]>([
    ["image by image", ["--batch-size", "1"], { mostImages: 1 }],
    ["one request at a time", ["--concurrency", "1"], { peakRequests: 1 }],
    ["with 1,000 bytes a request", ["--max-request-bytes", "1000"], {}],
    ["with 50 requests at once", ["--concurrency", "50", "--batch-size", "7"], { mostImages: 7 }],
  ])("%s", async (_, args, most) => {
    const { scoreUrl, counts } = await server("azureml");
    const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...args, ...FEW]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(distance(predictionsOf(out), await local(LOGREG, ...FEW))).toMatchObject({
      images: 400,
      differing: [],
    });
    const { log, peakRequests } = await counts();
    const mostImages = Math.max(...log.map(({ images }) => images));
    expect({ peakRequests, mostImages }).toMatchObject(most);
  });

  test("each time, byte for byte, with SOURCE_DATE_EPOCH", async () => {
    const { scoreUrl } = await server("kserve", { output: "probabilities" });
    const runs = ["one", "two"].map((name) => path("epoch", name, "reports"));
    for (const out of runs) {
      const args = ["--endpoint", scoreUrl, "--model", SKLEARN, "--out", out, ...FEW];
      expect((await evaluate(args, { env: EPOCH })).code).toBe(0);
    }
    const [one, two] = runs.map(digests);
    expect(Object.keys(one!).length).toBeGreaterThan(20);
    expect(one).toEqual(two);
  });

  test("and are printed as JSON, quietly, without a terminal", async () => {
    const { scoreUrl } = await server("azureml");
    const args = ["--endpoint", scoreUrl, "--charts", "none", ...FEW];
    const json = await evaluate([...args, "--json", "--out", path("json")]);
    expect(JSON.parse(json.stdout)).toMatchObject({ images: 400, out: path("json") });
    expect(json.stderr).toBe("");
    const quiet = await evaluate([...args, "--quiet", "--out", path("quiet")]);
    expect(quiet).toEqual({ code: 0, signal: null, stdout: "", stderr: "" });
    const plain = await evaluate([...args, "--out", path("plain")]);
    expect(plain.stderr).toBe("");
    expect(plain.stdout).not.toContain("\u001B");
    expect(plain.stdout).toContain(`Service: ${scoreUrl}, azureml, data\n`);
    expect(plain.stdout).toMatch(
      /\nLatency: \d+ requests?, p50 [\d.]+ ms, p90 [\d.]+ ms, p99 [\d.]+ ms, max [\d.]+ ms, [\d,]+ images\/s\n/,
    );
  });
});
