import { describe, expect, test } from "vitest";

import { ScorerError } from "../../../src/errors.ts";
import { Watchdog, type DeliverySettings } from "../../../src/scorer/delivery/delivery.ts";
import {
  answered,
  Clock,
  range,
  refused,
  retry,
  scene,
  sizes,
  smaller,
  type Scene,
  type Service,
} from "./scene.ts";

const GO_ON = "run the same command again: it goes on from there";
const timeout = retry({ label: "timeout", reason: "no reply within 30 s", overloaded: true, patience: 1 });
const busy = retry({ label: "429", reason: "429 Too Many Requests", overloaded: true });

/** A delivery that is given 60 s without an answer. */
function watched(service: Service, settings: Partial<DeliverySettings<number, number>> = {}): Scene {
  const clock = new Clock();
  return scene(service, { watchdog: new Watchdog(60_000, clock.now), ...settings }, clock);
}

const told = (silence: string, seen: string, reason: string): ScorerError =>
  new ScorerError(
    `no request has been answered for ${silence}: ${seen}; the last reason was: ${reason}. Once the service answers again, ${GO_ON}. ` +
      "A run without an answer goes on for longer with --wait",
  );

describe("a run without an answer", () => {
  test("ends once a minute of time-outs is over, and not with the first of them", async () => {
    const dead = watched(() => [timeout, 30_000], { maxItems: 1 });
    await expect(dead.deliver(range(0, 5))).rejects.toEqual(
      told("60 s", "2 × timeout", "no reply within 30 s"),
    );
    const slow = watched((items, i) => [i === 0 ? timeout : answered(items), 90_000], { maxItems: 1 });
    expect(await slow.deliver([1])).toEqual([10]);
  });

  test("ends within a minute of refusals for now, however many retries there are, with what was seen", async () => {
    const full = watched((_, i) => (i % 8 === 0 ? [timeout, 5000] : busy), {
      maxItems: 1,
      retries: 100,
      concurrency: 8,
    });
    await expect(full.deliver(range(0, 1000))).rejects.toThrow(
      /^no request has been answered for 6\d(\.\d)? s: \d+ × 429, \d × timeout; the last reason was: /,
    );
    expect(full.clock.time).toBeLessThan(75_000);
  });

  test("goes on where smaller requests are answered, which are tried before the others are sent again", async () => {
    const slow = watched((items) => (items.length > 10 ? [timeout, 60_000] : [answered(items), 5000]), {
      maxItems: 40,
    });
    expect(await slow.deliver(range(0, 80))).toEqual(range(0, 80).map((item) => item * 10));
    expect(sizes(slow).slice(0, 4)).toEqual([40, 40, 1, 20]);
  });

  test("ends where smaller requests are not answered either", async () => {
    const dead = watched(() => [timeout, 60_000], { maxItems: 40, concurrency: 4 });
    await expect(dead.deliver(range(0, 1000))).rejects.toThrow(
      /^no request has been answered for \d+(\.\d)? s: \d+ × timeout;/,
    );
    expect(dead.clock.time).toBeLessThan(190_000);
  });

  test.each([
    ["answers", answered([0])],
    ["refuses", refused],
    ["wants smaller requests", smaller],
  ])("goes on while the service %s now and then", async (_, sign) => {
    const shaky = watched(
      (items, i) => {
        if (i > 30) return answered(items);
        return i % 3 === 2 ? [sign.kind === "answered" ? answered(items) : sign, 20_000] : [busy, 20_000];
      },
      { maxItems: 1 },
    );
    expect(await shaky.deliver(range(0, 20))).toHaveLength(20);
  });

  test("does not count the time in which there is nothing to deliver", async () => {
    const clock = new Clock();
    const watchdog = new Watchdog(60_000, clock.now);
    for (let call = 0; call < 5; call++) {
      await clock.run(clock.sleep(600_000));
      const full = scene(() => busy, { watchdog, retries: 1 }, clock);
      expect(await full.deliver([1])).toEqual([{ failed: "429 Too Many Requests (after 2 attempts)" }]);
    }
  });

  test("is one for all deliveries that share a watchdog", async () => {
    const clock = new Clock();
    const watchdog = new Watchdog(60_000, clock.now);
    const ways = [1, 2, 3].map(() =>
      scene(() => [timeout, 20_000], { watchdog, maxItems: 1, retries: 0 }, clock),
    );
    expect(await ways[0]!.deliver([1])).toEqual([{ failed: "no reply within 30 s" }]);
    expect(await ways[1]!.deliver([1])).toEqual([{ failed: "no reply within 30 s" }]);
    await expect(ways[2]!.deliver([1])).rejects.toEqual(told("60 s", "3 × timeout", "no reply within 30 s"));
  });
});

const asks = (afterMs: number) => retry({ label: "429", reason: "429 Too Many Requests", afterMs });

describe("a service that asks to wait", () => {
  test("longer than what is left ends the run at once, with how long", async () => {
    const away = watched((items, i) => (i < 10 ? answered(items) : asks(999_999_999_000)), {
      maxItems: 1,
      retries: 1,
    });
    await expect(away.deliver(range(0, 100))).rejects.toEqual(
      new ScorerError(
        "the service asks to wait for 999,999,999 s (429 Too Many Requests), but a run ends after 60 s without an answer: " +
          `${GO_ON} once that time is over, or with a longer --wait`,
      ),
    );
    expect(away.requests).toHaveLength(11);
    expect(away.clock.time).toBe(110);
  });

  test("a minute gets it, once", async () => {
    const limited = watched((items, i) => (i % 5 === 4 ? asks(60_000) : answered(items)), { maxItems: 1 });
    expect(await limited.deliver(range(0, 20))).toEqual(range(0, 20).map((item) => item * 10));
    const never = watched(() => asks(60_000), { maxItems: 1 });
    await expect(never.deliver([1])).rejects.toEqual(told("60.1 s", "2 × 429", "429 Too Many Requests"));
  });
});
