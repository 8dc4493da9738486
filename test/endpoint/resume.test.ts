import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { interruptedText } from "../../src/cli/interruption.ts";
import { ASKED_AGAIN } from "../../src/evaluate.ts";
import type { Counts, StartedServer } from "../servers/start.ts";
import {
  distance,
  EPOCH,
  LOGREG,
  metricsOf,
  predictionsOf,
  scene,
  server,
  SKLEARN,
  type TestServerOptions,
} from "./scene.ts";

const { bare, evaluate, local, path } = scene();

const KILLS = Number(process.env["KILLS"] ?? 5);
/** Slow enough to be interrupted anywhere: about a second of scoring. */
const SLOW = { workers: 4, delayMs: 20 } as const;
const AT_ONCE = 4;
const IN_REQUEST = 100;
const ARGS = ["--concurrency", String(AT_ONCE), "--batch-size", String(IN_REQUEST)];
/** What is tried before anything is known of the service, again by each run. */
const TRIAL = 1 + 2 * 64;

const metrics = (out: string): string => readFileSync(join(out, "metrics.json"), "utf8");
const isJournal = (name: string): boolean => name.startsWith(".scored-");
const hidden = (out: string): string[] => readdirSync(out).filter((name) => name.startsWith("."));
const GOES_ON = `mnist-evaluate: ${interruptedText("evaluate")}; the service's answers so far are kept, and the same command goes on from there\n`;

async function imagesOf(counts: () => Promise<Counts>): Promise<number> {
  return (await counts()).images;
}

/** An unbroken run: its metrics.json, how long it takes and how many images the server scores for it. */
async function unbroken({ scoreUrl, counts }: StartedServer) {
  const before = await imagesOf(counts);
  const start = performance.now();
  const { code, stderr, out } = await bare(["--endpoint", scoreUrl, ...ARGS], { env: EPOCH });
  expect({ code, stderr, hidden: hidden(out) }).toEqual({ code: 0, stderr: "", hidden: [] });
  return { text: metrics(out), ms: performance.now() - start, images: (await imagesOf(counts)) - before };
}

test(`kill -9 at ${KILLS} random moments: the same command ends with the same metrics.json and asks little twice`, async () => {
  const served = await server("azureml", SLOW);
  const { scoreUrl, counts } = served;
  // The first run on a machine takes longer, so that most moments would come after the end of the others.
  await unbroken(served);
  const whole = await unbroken(served);
  const excesses: number[] = [];
  for (let i = 0; i < KILLS; i++) {
    const out = path(`killed-${i}`);
    const moment = 100 + ((whole.ms - 150) * (i + Math.random())) / KILLS;
    const before = await imagesOf(counts);
    const during = async (child: ChildProcess): Promise<void> => {
      await sleep(moment);
      child.kill("SIGKILL");
    };
    const killed = await bare(["--endpoint", scoreUrl, ...ARGS], { env: EPOCH, out, during });
    const left = existsSync(out) ? readdirSync(out) : [];
    expect(left.includes("metrics.json") ? metrics(out) : whole.text).toBe(whole.text);
    const { code, stderr } = await bare(["--endpoint", scoreUrl, ...ARGS], { env: EPOCH, out });
    const at = `killed after ${moment.toFixed(0)} ms (${killed.signal ?? killed.code})`;
    expect({ at, code, stderr }).toEqual({
      at,
      code: 0,
      stderr: expect.stringMatching(/^(warning: \S+: .+\n)?$/) as string,
    });
    expect({ at, text: metrics(out) }).toEqual({ at, text: whole.text });
    expect(hidden(out).filter((name) => !name.startsWith(".partial-"))).toEqual([]);
    // A run that had ended, or whose report was complete, leaves nothing to go on from.
    if (killed.signal === null || (left.includes("metrics.json") && !left.some(isJournal))) continue;
    const excess = (await imagesOf(counts)) - before - whole.images;
    excesses.push(excess);
  }
  expect(excesses.length).toBeGreaterThan(KILLS / 2);
  expect(Math.max(...excesses)).toBeLessThanOrEqual(AT_ONCE * IN_REQUEST + TRIAL);
  if (process.env["KILLS"] !== undefined) process.stdout.write(`asked twice: ${excesses.join(" ")}\n`);
}, 600_000);

/** Where a run is in the midst of scoring. */
async function midway({ counts }: StartedServer, before = 0): Promise<void> {
  for (;;) {
    if ((await imagesOf(counts)) - before > 4_000) return;
    await sleep(20);
  }
}

describe("evaluate --endpoint, interrupted", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "by %s, ends with 130 and says that the same command goes on",
    async (signal) => {
      const served = await server("azureml", SLOW);
      const { scoreUrl, counts } = served;
      const whole = await unbroken(served);
      const out = path(signal);
      const before = await imagesOf(counts);
      const during = async (child: ChildProcess): Promise<void> => {
        await midway(served, before);
        child.kill(signal);
      };
      const stopped = await bare(["--endpoint", scoreUrl, ...ARGS], { env: EPOCH, out, during });
      expect(stopped).toEqual({ code: 130, signal: null, stdout: "", stderr: GOES_ON, out });
      expect(readdirSync(out)).toEqual([expect.stringMatching(/^\.scored-[0-9a-f-]+\.journal$/)]);
      const { code, stderr } = await bare(["--endpoint", scoreUrl, ...ARGS], { env: EPOCH, out });
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(metrics(out)).toBe(whole.text);
      expect((await imagesOf(counts)) - before - whole.images).toBeLessThanOrEqual(
        AT_ONCE * IN_REQUEST + TRIAL,
      );
    },
  );

  test("by SIGINT at any moment before scoring, ends with 130", async () => {
    const faults = [{ name: "nan", rate: 0.5 }] as const;
    const { scoreUrl, counts, stop } = await server("azureml", { faults, delayMs: 80 });
    for (const ms of [0, 100, 300, 500]) {
      const { requests } = await counts();
      const stopped = await bare(["--endpoint", scoreUrl, ...ARGS], {
        async during(child: ChildProcess) {
          while ((await counts()).requests === requests) await sleep(5);
          await sleep(ms);
          child.kill("SIGINT");
        },
      });
      expect(stopped).toMatchObject({ code: 130, stdout: "", stderr: GOES_ON });
    }
    await stop();
    const waiting = await evaluate(["--endpoint", scoreUrl, "--out", path("waiting"), ...ARGS], {
      async during(child: ChildProcess) {
        await once(child.stderr!, "data");
        child.kill("SIGINT");
      },
    });
    expect(waiting).toMatchObject({
      code: 130,
      stderr: `waiting up to 60 s for the service: GET /: the connection was refused\n${GOES_ON}`,
    });
  });

  test("tells in latency how many answers an earlier run had got", async () => {
    const served = await server("azureml", SLOW);
    const out = path("resumed");
    const during = async (child: ChildProcess): Promise<void> => {
      await midway(served);
      child.kill("SIGINT");
    };
    await bare(["--endpoint", served.scoreUrl, ...ARGS], { out, during });
    await bare(["--endpoint", served.scoreUrl, ...ARGS], { out });
    const { latency, repeatability } = metricsOf(out);
    expect(latency!.resumed).toBeGreaterThan(2_000);
    const again = repeatability!.images;
    expect(latency!.resumed + latency!.images - again).toBeLessThanOrEqual(10_000);
    expect(latency!.resumed + latency!.images - again).toBeGreaterThanOrEqual(10_000 - 300);
  });
});

/** A server on a port that another one had. */
async function again(url: string, model: string, options: TestServerOptions = {}): Promise<StartedServer> {
  return await server("azureml", { ...SLOW, ...options, model, port: Number(new URL(url).port) });
}

/** Kills the server midway. @returns the output folder of the run that met it */
async function abandoned(
  name: string,
  options: TestServerOptions = {},
): Promise<{ readonly served: StartedServer; readonly out: string }> {
  const served = await server("azureml", { ...SLOW, ...options });
  const out = path(name);
  const during = async (): Promise<void> => {
    await midway(served);
    await served.stop();
  };
  const args = ["--endpoint", served.scoreUrl, ...ARGS, "--retries", "2"];
  const { code, stderr } = await bare(args, { env: EPOCH, out, during });
  expect({ code, stderr }).toEqual({
    code: 4,
    stderr: expect.stringMatching(
      /^mnist-evaluate: the service stopped answering: 4 requests in a row came to nothing, each sent 3 times; the last reason was: the connection was refused\. Once it answers again, run the same command again: it goes on from there\n$/,
    ) as string,
  });
  expect(hidden(out)).toEqual([expect.stringMatching(/^\.scored-/)]);
  return { served, out };
}

describe("evaluate --endpoint, whose service goes away in the middle", () => {
  test("ends with 4, and goes on once it is back", async () => {
    const { served, out } = await abandoned("back");
    const back = await again(served.url, LOGREG);
    const { code, stderr } = await bare(["--endpoint", back.scoreUrl, ...ARGS], { env: EPOCH, out });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    // Some are asked again once more, to see whether the answers repeat.
    expect(await imagesOf(back.counts)).toBeLessThan(7_500 + ASKED_AGAIN);
    expect(metrics(out)).toBe((await unbroken(back)).text);
  });

  test("and comes back with another model: nothing of the earlier run is used, and a warning says so", async () => {
    const { served, out } = await abandoned("other", { output: "probabilities" });
    const other = await again(served.url, SKLEARN, { output: "probabilities" });
    const { code, stderr } = await bare(["--endpoint", other.scoreUrl, ...ARGS], { env: EPOCH, out });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(distance(predictionsOf(out), await local(SKLEARN))).toMatchObject({
      images: 10_000,
      differing: [],
    });
    expect(metricsOf(out).warnings).toContain(
      "An interrupted run's answers were not used: the service now answers otherwise, so that all images are scored again.",
    );
    expect(hidden(out)).toEqual([]);
  });
});

test("evaluate --endpoint waits for a service that is not there yet", async () => {
  const first = await server("azureml");
  await first.stop();
  const waiting = bare(["--endpoint", first.scoreUrl, "--limit", "100"]);
  await sleep(700);
  await again(first.url, LOGREG);
  expect(await waiting).toMatchObject({ code: 0, stderr: "" });
});
