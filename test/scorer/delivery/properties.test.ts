import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ScorerError } from "../../../src/errors.ts";
import { seededRandom } from "../../../src/random.ts";
import { createDelivery, isNoAnswer, Watchdog } from "../../../src/scorer/delivery/delivery.ts";
import type { NoAnswer, Outcome } from "../../../src/scorer/outcome.ts";
import { answered, range, refused, retry, scene, smaller } from "./scene.ts";

const RETRIES = 2;
const STOPPED = "the service stopped answering: ";
const bytesOf = (item: number): number => 1 + (item % 17);
const OUTCOMES = {
  answered,
  partly: (items: readonly number[]): Outcome<number> => ({
    kind: "answered",
    answers: items.map((item) => (item % 3 === 0 ? { failed: "NaN" } : item * 10)),
  }),
  retry: () => retry(),
  overloaded: () => retry({ label: "timeout", overloaded: true, patience: 1 }),
  asked: () => retry({ label: "429", overloaded: true, afterMs: 700 }),
  unclear: () => retry({ label: "500", patience: 1 }),
  refused: () => refused,
  smaller: () => smaller,
} as const;

const names = Object.keys(OUTCOMES) as (keyof typeof OUTCOMES)[];
const runs = fc.record({
  outcomes: fc.array(fc.constantFrom(...names, "answered", "answered"), { minLength: 1, maxLength: 40 }),
  latencies: fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 10 }),
  calls: fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 4 }),
  limits: fc.record({
    maxItems: fc.integer({ min: 1, max: 25 }),
    maxBytes: fc.integer({ min: 1, max: 300 }),
    concurrency: fc.integer({ min: 1, max: 6 }),
  }),
  seed: fc.integer(),
});

test("deliver(items, signal) gives each image one answer or reason in its place, within all limits, whatever comes", async () => {
  await fc.assert(
    fc.asyncProperty(runs, async ({ outcomes, latencies, calls, limits, seed }) => {
      const given = new Map<number, Set<string>>();
      const run = scene(
        (items, i) => {
          const outcome = OUTCOMES[outcomes[i % outcomes.length]!](items);
          for (const [k, item] of items.entries()) {
            const said = outcome.kind === "answered" ? outcome.answers[k]! : { failed: reasonOf(outcome) };
            given.set(item, (given.get(item) ?? new Set()).add(JSON.stringify(said)));
          }
          return [outcome, latencies[i % latencies.length]!];
        },
        {
          ...limits,
          bytesOf,
          overheadBytes: 5,
          retries: RETRIES,
          slowMs: 300,
          random: seededRandom(seed),
        },
      );
      const { signal } = new AbortController();
      const batches = calls.map((size, i) => range(i * 100, i * 100 + size));
      const told: number[] = [];
      const done = Promise.all(
        batches.map(async (items) =>
          run.delivery.deliver(items, signal, (images, answers) => {
            expect(answers).toEqual(images.map((image) => image * 10));
            told.push(...images);
          }),
        ),
      );
      const ended = await run.clock.run(done).catch((error: unknown) => error as ScorerError);
      const beyond = run.requests.filter(
        ({ items, active }) =>
          active > limits.concurrency ||
          items.length > limits.maxItems ||
          (items.length > 1 && items.reduce((sum, item) => sum + bytesOf(item), 5) > limits.maxBytes),
      );
      expect(beyond).toEqual([]);
      // A request and its halves, theirs, … are fewer than twice the images; each may have a second round.
      const images = calls.reduce((sum, size) => sum + size, 0);
      expect(run.requests.length).toBeLessThanOrEqual(2 * images * 2 * (RETRIES + 1));
      expect(run.clock.sleeping).toBe(0);
      const stopped = ended instanceof ScorerError;
      expect(stopped ? ended.message : STOPPED).toContain(STOPPED);
      const answers = stopped ? [] : ended;
      expect(answers.map((list) => list.length)).toEqual(stopped ? [] : calls);
      const pairs = answers.flatMap((list, i) => list.map((answer, k) => [answer, batches[i]![k]!] as const));
      expect(pairs.filter(([answer, item]) => !isGiven(answer, item, given))).toEqual([]);
      const known = pairs.filter(([answer]) => !isNoAnswer(answer)).map(([, item]) => item);
      expect(stopped ? [] : told.sort((a, b) => a - b)).toEqual(known);
    }),
    { numRuns: 300 },
  );
});

const reasonOf = (outcome: Outcome<number>): string => ("reason" in outcome ? outcome.reason : "");

/** Whether an answer is the image's own, or a reason one that a request with the image met. */
function isGiven(answer: number | NoAnswer, item: number, given: ReadonlyMap<number, Set<string>>): boolean {
  if (!isNoAnswer(answer)) return answer === item * 10;
  const failed = answer.failed.replace(/ \((after \d+ attempts|in a request of .*)\)$/, "");
  return given.get(item)?.has(JSON.stringify({ failed })) ?? false;
}

const unsent = (answer: number | NoAnswer): boolean =>
  isNoAnswer(answer) && answer.failed.includes("not sent by itself");

describe("with bad images among good ones", () => {
  const bad = fc.uniqueArray(fc.integer({ min: 0, max: 199 }), { maxLength: 60 });

  test("each good one of a request that was answered in part has its answer, and each bad one its reason", async () => {
    await fc.assert(
      fc.asyncProperty(
        bad,
        fc.boolean(),
        fc.integer({ min: 1, max: 4 }),
        async (images, unclear, concurrency) => {
          const wrong = new Set(images);
          const failure = unclear ? retry({ label: "500", patience: 1 }) : refused;
          const { deliver, requests } = scene(
            (items) => (items.some((item) => wrong.has(item)) ? failure : answered(items)),
            { maxItems: 50, concurrency },
          );
          const answers = await deliver(range(0, 200));
          const failed = answers.flatMap((answer, i) => (isNoAnswer(answer) && !unsent(answer) ? [i] : []));
          expect(failed.filter((i) => !wrong.has(i))).toEqual([]);
          expect([...wrong].filter((i) => !isNoAnswer(answers[i]))).toEqual([]);
          // Only where the images that were tried first are all bad may good ones be given up.
          expect(images.length < 5 && answers.some(unsent)).toBe(false);
          const each = unclear ? 16 : 8;
          expect(requests.length).toBeLessThanOrEqual(4 * (unclear ? 2 : 1) + images.length * 3 * each);
        },
      ),
      { numRuns: 300 },
    );
  });
});

test("100,000 requests of one image each cost about a second of the event loop or less", async () => {
  const delivery = createDelivery<number, number>({
    attempt: async (items) => answered(items),
    bytesOf: () => 800,
    overheadBytes: 100,
    maxBytes: 1e6,
    maxItems: 1,
    concurrency: 16,
    retries: 3,
    slowMs: 1000,
    watchdog: new Watchdog(Infinity, () => 0),
    random: seededRandom(1),
  });
  const items = range(0, 100_000);
  const start = process.cpuUsage();
  const answers = await delivery.deliver(items, new AbortController().signal);
  const { user, system } = process.cpuUsage(start);
  expect(answers.at(-1)).toBe(999_990);
  expect((user + system) / 1000).toBeLessThan(1500);
});
