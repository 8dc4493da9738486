import { getEventListeners } from "node:events";

import { describe, expect, test } from "vitest";

import { ReportError, ScorerError } from "../../../src/errors.ts";
import { seededRandom } from "../../../src/random.ts";
import { createDelivery, Watchdog } from "../../../src/scorer/delivery/delivery.ts";
import type { NoAnswer } from "../../../src/scorer/outcome.ts";
import { answered, range, retry, scene, type Scene } from "./scene.ts";

const connection = retry({ label: "reset", reason: "the connection was reset" });

/** The error that a delivery ends with. */
async function failure(run: Promise<unknown>): Promise<Error> {
  return await run.then(
    () => new Error("it did not fail"),
    (error: unknown) => error as Error,
  );
}

describe("outcome fatal", () => {
  test("rejects every call with its error, those to come too, and aborts what is under way", async () => {
    const error = new ScorerError("The key was refused");
    const scene_ = scene((items, i) => (i === 2 ? { kind: "fatal", error } : [answered(items), 1e6]), {
      maxItems: 1,
      concurrency: 4,
    });
    const { signal } = new AbortController();
    const calls = [range(0, 3), range(3, 6)].map((items) => failure(scene_.delivery.deliver(items, signal)));
    expect(await scene_.clock.run(Promise.all(calls))).toEqual([error, error]);
    expect(await failure(scene_.deliver([9]))).toBe(error);
    expect(scene_.requests).toHaveLength(4);
    expect(scene_.clock.sleeping).toBe(0);
  });

  test("so does an error of the journal, of an attempt that rejects, and of a wrong number of answers", async () => {
    const full = new ReportError("The disk is full");
    const kept = scene(answered);
    const onAnswered = (): never => {
      throw full;
    };
    const { signal } = new AbortController();
    expect(await failure(kept.clock.run(kept.delivery.deliver([1], signal, onAnswered)))).toBe(full);
    const broken = scene(() => {
      throw new TypeError("x is not a function");
    });
    expect((await failure(broken.deliver([1]))).message).toBe("x is not a function");
    const short = scene(() => answered([1]));
    expect((await failure(short.deliver([1, 2]))).message).toBe("1 answers were read for 2 images");
  });
});

describe("an abort", () => {
  test("rejects at once with the signal's reason and leaves no timer, in a request as in a pause", async () => {
    for (const service of [() => [answered([1]), 1e6] as const, () => retry({ afterMs: 1e6 })]) {
      const { delivery, clock } = scene((items) => {
        const outcome = service();
        return "kind" in outcome ? outcome : [answered(items), 1e6];
      });
      const controller = new AbortController();
      const done = failure(delivery.deliver([1], controller.signal));
      const stopped = clock.sleep(50).then(() => controller.abort(new Error("stopped")));
      await clock.run(stopped);
      expect((await clock.run(done)).message).toBe("stopped");
      expect(clock.sleeping).toBe(0);
    }
  });

  test("of one call leaves the others", async () => {
    const two = scene(answered, { maxItems: 1 });
    const controller = new AbortController();
    const first = failure(two.delivery.deliver(range(0, 50), controller.signal));
    const second = two.delivery.deliver([7], new AbortController().signal);
    controller.abort(new Error("stopped"));
    expect((await two.clock.run(first)).message).toBe("stopped");
    expect(await two.clock.run(second)).toEqual([70]);
    expect(two.requests.map(({ items }) => items)).toEqual([[0], [7]]);
  });

  test("is not listened for any more once a call is done", async () => {
    const { signal } = new AbortController();
    const done = scene(answered);
    await done.deliver([1], signal);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  test("before it begins sends nothing", async () => {
    const none = scene(answered);
    const aborted = AbortSignal.abort(new Error("stopped"));
    expect((await failure(none.deliver([1], aborted))).message).toBe("stopped");
    expect(none.requests).toEqual([]);
  });

  test("takes the real timer with it, so that the process can end", async () => {
    const delivery = createDelivery<number, number>({
      attempt: async () => retry({ afterMs: 3_600_000 }),
      bytesOf: () => 1,
      overheadBytes: 0,
      maxBytes: 10,
      maxItems: 10,
      concurrency: 2,
      retries: 3,
      slowMs: 1000,
      watchdog: new Watchdog(Infinity, () => 0),
      random: seededRandom(1),
    });
    const before = timers();
    const controller = new AbortController();
    const done = failure(delivery.deliver([1], controller.signal));
    await new Promise((resolve) => setImmediate(resolve));
    expect(timers()).toBe(before + 1);
    controller.abort(new Error("stopped"));
    expect((await done).message).toBe("stopped");
    expect(timers()).toBe(before);
  });
});

const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;

describe("a service that is away", () => {
  test("ends everything once four requests in a row came to nothing", async () => {
    const away = scene((items, i) => (i < 2 ? answered(items) : connection), {
      concurrency: 8,
      maxItems: 10,
    });
    const error = await failure(away.deliver(range(0, 10_000)));
    expect(error).toBeInstanceOf(ScorerError);
    expect(error.message).toBe(
      "the service stopped answering: 4 requests in a row came to nothing, each sent 4 times; the last reason was: the connection was reset. Once it answers again, run the same command again: it goes on from there",
    );
    expect(away.requests.length).toBeLessThanOrEqual(2 + 12 * 4);
    expect(away.clock.time).toBeLessThan(10_000);
    expect(away.clock.sleeping).toBe(0);
  });

  test("costs no image where it comes back before that", async () => {
    // All retries of the first three fall into the time in which it is away; the fourth outlasts it.
    const back = scene(
      (items) => (items[0] !== 30 && back.clock.time < 400 ? connection : [answered(items), 500]),
      { retries: 1, concurrency: 4, maxItems: 10, random: { below: () => 150 } },
    );
    const answers = await back.deliver(range(0, 40));
    expect(answers).toEqual(range(0, 40).map((item) => item * 10));
    expect(back.requests.map(({ items, at }) => `${items[0]} at ${at}`)).toEqual([
      "0 at 0",
      "10 at 0",
      "20 at 0",
      "30 at 0",
      "0 at 160",
      "10 at 160",
      "20 at 160",
      "0 at 500",
      "10 at 500",
      "20 at 500",
    ]);
  });

  test("fails the images where nothing else can show that it is back", async () => {
    const away = scene(() => connection, { maxItems: 10 });
    const answers = await away.deliver(range(0, 10));
    expect(answers).toEqual(
      range(0, 10).map((): NoAnswer => ({ failed: "the connection was reset (after 4 attempts)" })),
    );
    expect(lengths(away)).toEqual([10, 10, 10, 10]);
  });

  test("a request that fails while others are answered fails alone, and is not tried for ever", async () => {
    const odd = scene((items) => (items[0] === 0 ? connection : answered(items)), {
      maxItems: 10,
      concurrency: 4,
    });
    const answers = await odd.deliver(range(0, 10_000));
    expect(answers.slice(0, 11)).toEqual([
      ...range(0, 10).map(() => ({ failed: "the connection was reset (after 4 attempts)" })),
      100,
    ]);
  });
});

const lengths = ({ requests }: Scene): number[] => requests.map(({ items }) => items.length);
