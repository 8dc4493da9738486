import { describe, expect, test } from "vitest";

import { backoff } from "../../../src/scorer/delivery/backoff.ts";
import { isNoAnswer } from "../../../src/scorer/delivery/delivery.ts";
import { answered, range, refused, retry, scene, sizes, smaller } from "./scene.ts";

const tenfold = (items: readonly number[]): number[] => items.map((item) => item * 10);

describe("deliver(items, signal)", () => {
  test("gives each image its answer, in requests of at most so many images and bytes", async () => {
    const byItems = scene(answered, { maxItems: 4 });
    expect(await byItems.deliver(range(0, 10))).toEqual(tenfold(range(0, 10)));
    expect(sizes(byItems)).toEqual([4, 4, 2]);
    // 5 bytes around images of 10 each.
    const byBytes = scene(answered, { maxBytes: 35 });
    await byBytes.deliver(range(0, 10));
    expect(sizes(byBytes)).toEqual([3, 3, 3, 1]);
  });

  test("sends an image that is larger than a request may be by itself", async () => {
    const tight = scene(answered, { maxBytes: 30, bytesOf: (item) => (item === 2 ? 99 : 10) });
    expect(await tight.deliver(range(0, 6))).toEqual(tenfold(range(0, 6)));
    expect(tight.requests.map(({ items }) => items)).toEqual([[0, 1], [2], [3, 4], [5]]);
  });

  test("gives nothing for nothing, without a request", async () => {
    const none = scene(answered);
    expect(await none.deliver([])).toEqual([]);
    expect(none.requests).toEqual([]);
  });

  test("calls at once share the limit, earlier ones first, without a barrier between them", async () => {
    const both = scene(answered, { maxItems: 2, concurrency: 2 });
    const { signal } = new AbortController();
    const first = both.delivery.deliver(range(0, 5), signal);
    const second = both.delivery.deliver(range(10, 14), signal);
    expect(await both.clock.run(Promise.all([first, second]))).toEqual([
      tenfold(range(0, 5)),
      tenfold(range(10, 14)),
    ]);
    expect(both.requests.map(({ items, at }) => [...items, `${at} ms`])).toEqual([
      [0, 1, "0 ms"],
      [2, 3, "0 ms"],
      [4, "10 ms"],
      [10, 11, "10 ms"],
      [12, 13, "20 ms"],
    ]);
  });

  test("a retry of an earlier call goes before new requests of a later one", async () => {
    const order = scene((items, i) => (i === 0 ? retry() : [answered(items), 1000]), { maxItems: 2 });
    const { signal } = new AbortController();
    const calls = [range(0, 2), range(10, 16)].map((items) => order.delivery.deliver(items, signal));
    await order.clock.run(Promise.all(calls));
    expect(order.requests.map(({ items }) => items[0])).toEqual([0, 10, 0, 12, 14]);
  });

  test("tells of answered images as they come, and only of those", async () => {
    const some = scene(
      (items) => ({
        kind: "answered",
        answers: items.map((item) => (item % 2 === 0 ? item * 10 : { failed: "NaN" })),
      }),
      { maxItems: 3 },
    );
    const told: unknown[] = [];
    const { signal } = new AbortController();
    const answers = await some.clock.run(
      some.delivery.deliver(range(0, 5), signal, (items, known) => told.push([items, known])),
    );
    expect(told).toEqual([
      [
        [0, 2],
        [0, 20],
      ],
      [[4], [40]],
    ]);
    expect(answers).toEqual([0, { failed: "NaN" }, 20, { failed: "NaN" }, 40]);
    expect(answers.map(isNoAnswer)).toEqual([false, true, false, true, false]);
  });
});

describe("outcome retry", () => {
  test("is sent again after a random pause that grows, and its images keep their places", async () => {
    const { requests, retried, deliver, clock } = scene((items, i) => (i < 3 ? retry() : answered(items)));
    expect(await deliver([7, 8])).toEqual([70, 80]);
    expect(retried).toEqual(["503", "503", "503"]);
    const pauses = requests.slice(1).map(({ at }, i) => at - requests[i]!.at - 10);
    for (const [i, most] of [200, 400, 800].entries()) {
      expect(pauses[i]).toBeGreaterThanOrEqual(0);
      expect(pauses[i]).toBeLessThanOrEqual(most);
    }
    expect(new Set(pauses).size).toBe(3);
    expect(clock.sleeping).toBe(0);
  });

  test("its images have no answer once all retries came to nothing, with the last reason", async () => {
    const failing = scene(
      (items, i) => (items.includes(0) ? retry({ reason: `failure ${i}` }) : answered(items)),
      { maxItems: 2, retries: 2 },
    );
    const answers = await failing.deliver(range(0, 6));
    expect(answers.slice(2)).toEqual([20, 30, 40, 50]);
    expect(answers[0]).toEqual({ failed: "failure 4 (after 3 attempts)" });
    expect(answers[1]).toEqual(answers[0]);
    expect(failing.requests).toHaveLength(5);
  });

  test("without retries the reason stands alone", async () => {
    expect(await scene(() => retry(), { retries: 0 }).deliver([1])).toEqual([
      { failed: "the service answered 503" },
    ]);
  });

  test("Retry-After pauses everything for at least that long", async () => {
    const { requests, deliver } = scene(
      (items, i) =>
        i === 1 ? retry({ label: "429", afterMs: 5000, overloaded: true }) : [answered(items), 10 + i],
      { maxItems: 1, concurrency: 4 },
    );
    expect(await deliver(range(0, 12))).toEqual(tenfold(range(0, 12)));
    // The second comes back at 10 ms, together with the first, whose place has been taken by then.
    const until = 10 + 5000;
    expect(requests.filter(({ at }) => at > 10 && at < until)).toEqual([]);
    const [again] = requests.slice(2).filter(({ items }) => items[0] === 1);
    expect(again!.at).toBeGreaterThanOrEqual(until);
  });

  test("waits for longer than a timer can count", async () => {
    const days = 60 * 24 * 3600 * 1000;
    const { requests, deliver, clock } = scene((items, i) =>
      i === 0 ? retry({ afterMs: days }) : answered(items),
    );
    expect(await deliver([1])).toEqual([10]);
    expect(requests[1]!.at).toBeGreaterThanOrEqual(days);
    expect(clock.sleeping).toBe(0);
  });

  test("one that says nothing is split when patience is used up, and the bad image found", async () => {
    const bad = scene((items) =>
      items.includes(37) ? retry({ label: "500", patience: 1 }) : answered(items),
    );
    const answers = await bad.deliver(range(0, 100));
    expect(answers[37]).toEqual({ failed: "the service answered 503 (after 2 attempts)" });
    expect(answers.filter(isNoAnswer)).toHaveLength(1);
    expect(bad.requests.length).toBeLessThanOrEqual(2 + 3 * 7 + 2);
  });
});

describe("outcome refused", () => {
  test("splitting finds one bad image of 100 in about log2 steps", async () => {
    for (const image of [0, 1, 37, 50, 99]) {
      const bad = scene((items) => (items.includes(image) ? refused : answered(items)));
      const answers = await bad.deliver(range(0, 100));
      expect(answers).toEqual(
        range(0, 100).map((i) => (i === image ? { failed: "the service answered 400: bad pixels" } : i * 10)),
      );
      expect(bad.requests.length).toBeLessThanOrEqual(17);
    }
  });

  test("finds several", async () => {
    const images = [3, 4, 5, 6, 7, 8, 60, 99];
    const bad = scene((items) => (items.some((item) => images.includes(item)) ? refused : answered(items)));
    const answers = await bad.deliver(range(0, 100));
    expect(answers.flatMap((answer, i) => (isNoAnswer(answer) ? [i] : []))).toEqual(images);
    expect(bad.requests.length).toBeLessThanOrEqual(50);
  });

  test("stops looking where every image is refused, and says which it did not send by themselves", async () => {
    const all = scene(() => refused, { concurrency: 4 });
    const answers = await all.deliver(range(0, 10_000));
    expect(all.requests.length).toBeLessThanOrEqual(100 + 60);
    const alone = new Set(
      all.requests.filter(({ items }) => items.length === 1).flatMap(({ items }) => items),
    );
    for (const [i, answer] of answers.entries())
      expect(answer).toEqual({
        failed: alone.has(i)
          ? "the service answered 400: bad pixels"
          : "the service answered 400: bad pixels (in a request of 100 images; not sent by itself, since 5 single images in a row were refused for the same reason)",
      });
  });

  test("costs a bounded number of requests where every image gives a 500 that says nothing", async () => {
    const all = scene(() => retry({ label: "500", reason: "500", patience: 2 }), { concurrency: 4 });
    const answers = await all.deliver(range(0, 10_000));
    expect(answers.every(isNoAnswer)).toBe(true);
    expect(all.requests.length).toBeLessThanOrEqual(100 * 3 + 400);
  });

  test("goes on looking where other images of the request are answered", async () => {
    const half = scene((items) => (items.some((item) => item < 50) ? refused : answered(items)));
    const answers = await half.deliver(range(0, 100));
    expect(answers.map(isNoAnswer)).toEqual(range(0, 100).map((i) => i < 50));
    expect(answers.slice(0, 50)).toEqual(
      range(0, 50).map(() => ({ failed: "the service answered 400: bad pixels" })),
    );
    expect(half.requests.length).toBeLessThan(200);
  });
});

describe("a run of bad images across two requests", () => {
  test("costs no other image its answer", async () => {
    const bad = scene((items) =>
      items.some((item) => item >= 90 && item < 106) ? refused : answered(items),
    );
    const answers = await bad.deliver(range(0, 300));
    expect(answers.flatMap((answer, i) => (isNoAnswer(answer) ? [i] : []))).toEqual(range(90, 106));
  });
});

describe("a request that was refused as a whole", () => {
  test("says nothing about later ones once an image has been answered", async () => {
    const bad = scene((items) =>
      items.some((item) => item < 100 || item === 250) ? refused : answered(items),
    );
    const answers = await bad.deliver(range(0, 300));
    expect(answers.flatMap((answer, i) => (isNoAnswer(answer) ? [i] : []))).toEqual([...range(0, 100), 250]);
  });
});

describe("outcome smaller", () => {
  test("makes this request and all later ones smaller", async () => {
    const small = scene((items) => (items.length > 30 ? smaller : answered(items)));
    expect(await small.deliver(range(0, 200))).toEqual(tenfold(range(0, 200)));
    expect(sizes(small)).toEqual([100, 50, ...Array.from({ length: 8 }, () => 25)]);
    expect(small.delivery.limits()).toEqual({ items: 100, bytes: 5 + 250, concurrency: 1 });
    expect(small.retried).toEqual(["413", "413"]);
  });

  test("ends with single images where images count for nothing", async () => {
    const small = scene((items) => (items.length > 1 ? smaller : answered(items)), { bytesOf: () => 0 });
    expect(await small.deliver(range(0, 5))).toEqual(tenfold(range(0, 5)));
    expect(sizes(small)).toEqual([5, 1, 1, 1, 1, 1]);
  });

  test("counts requests of the same size that were under way once", async () => {
    const small = scene((items) => (items.length > 50 ? smaller : answered(items)), { concurrency: 4 });
    expect(await small.deliver(range(0, 1000))).toEqual(tenfold(range(0, 1000)));
    expect(sizes(small)).toEqual([100, 100, 100, 100, ...Array.from({ length: 20 }, () => 50)]);
  });

  test("a single image that is too large has no answer", async () => {
    const small = scene((items) => (items.includes(1) ? smaller : answered(items)));
    expect(await small.deliver(range(0, 3))).toEqual([
      0,
      { failed: "the service answered 413: too large" },
      20,
    ]);
  });
});

describe("a slow service", () => {
  test("gets smaller requests, down to one image, and larger ones again when it is fast", async () => {
    let msPerItem = 100;
    const slow = scene((items) => [answered(items), items.length * msPerItem], {
      slowMs: 1000,
      maxItems: 64,
    });
    await slow.deliver(range(0, 64 + 32 + 16 + 8));
    expect(sizes(slow)).toEqual([64, 32, 16, 8]);
    // Small requests are no sign that larger ones would be fast.
    for (let i = 0; i < 20; i++) await slow.deliver([1, 2, 3]);
    expect(slow.delivery.limits().items).toBe(8);
    msPerItem = 2000;
    await slow.deliver(range(0, 30));
    expect(slow.delivery.limits().items).toBe(1);
    msPerItem = 1;
    await slow.deliver(range(0, 5000));
    expect(slow.delivery.limits().items).toBe(64);
    expect(Math.max(...sizes(slow))).toBe(64);
  });
});

describe("concurrency", () => {
  test("starts at 4 and grows by about one a round up to the most", async () => {
    const { requests, deliver, delivery } = scene(answered, { maxItems: 1, concurrency: 8 });
    await deliver(range(0, 100));
    const most = (at: number): number =>
      Math.max(...requests.filter((request) => request.at === at).map(({ active }) => active));
    expect([0, 10, 20, 30, 40, 50, 60].map(most)).toEqual([4, 5, 6, 7, 8, 8, 8]);
    expect(delivery.limits().concurrency).toBe(8);
  });

  test("does not grow while there is too little to do", async () => {
    const idle = scene(answered, { concurrency: 8 });
    for (let i = 0; i < 20; i++) await idle.deliver([i]);
    expect(idle.delivery.limits().concurrency).toBe(4);
  });

  test("is halved once for a round of overload, never below one", async () => {
    const limits: number[] = [];
    const busy = scene((items, i) => (i < 8 ? retry({ overloaded: true }) : answered(items)), {
      maxItems: 1,
      concurrency: 4,
      retries: 9,
      onRetry: () => limits.push(busy.delivery.limits().concurrency),
    });
    expect(await busy.deliver(range(0, 4))).toEqual(tenfold(range(0, 4)));
    expect(limits).toEqual([2, 2, 2, 2, 1, 1, 1, 1]);
  });

  test("is not touched by failures that are no overload", async () => {
    const { deliver, delivery } = scene((items, i) => (i < 8 ? retry() : answered(items)), {
      maxItems: 1,
      concurrency: 4,
      retries: 9,
    });
    await deliver(range(0, 4));
    expect(delivery.limits().concurrency).toBe(4);
  });
});

describe("outcome retry, of a request that took too long", () => {
  test("is split when patience is used up, and later requests are smaller", async () => {
    const slow = scene((items) =>
      items.length > 30
        ? [retry({ label: "timeout", overloaded: true, patience: 1 }), 5000]
        : answered(items),
    );
    expect(await slow.deliver(range(0, 200))).toEqual(tenfold(range(0, 200)));
    expect(slow.delivery.limits().items).toBeLessThanOrEqual(50);
    // The second request is begun while the first waits.
    expect(sizes(slow).filter((size) => size === 100).length).toBeLessThanOrEqual(4);
    expect(
      sizes(slow)
        .slice(4)
        .every((size) => size <= 50),
    ).toBe(true);
    expect(sizes(slow).length).toBeLessThanOrEqual(30);
  });
});

describe("backoff(failures, afterMs, random)", () => {
  const longest = { below: (bound: number) => bound - 1 };
  const shortest = { below: () => 0 };

  test("doubles up to 10 s, and begins at nothing", () => {
    const most = [1, 2, 3, 4, 5, 6, 7, 8, 100, 5000].map((failures) => backoff(failures, null, longest));
    expect(most).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000, 10_000]);
    expect(backoff(3, null, shortest)).toBe(0);
  });

  test("adds to what the service asked for, and never takes from it", () => {
    expect(backoff(1, 3000, shortest)).toBe(3000);
    expect(backoff(1, 3000, longest)).toBe(3200);
    expect(backoff(1, -5, shortest)).toBe(0);
  });
});

test("an image without an answer bears the last request that it was in", async () => {
  let count = 0;
  const named = scene((items) => {
    const request = `request-${(count += 1)}`;
    return items.includes(3) ? { ...refused, request } : answered(items);
  });
  const answers = await named.deliver(range(0, 6));
  const failed = answers.flatMap((answer) => (isNoAnswer(answer) ? [answer] : []));
  expect(failed).toEqual([
    { failed: expect.stringContaining("400"), request: `request-${lastWith(named, 3)}` },
  ]);
});

function lastWith(
  scene: { readonly requests: readonly { readonly items: readonly number[] }[] },
  item: number,
): number {
  return scene.requests.findLastIndex(({ items }) => items.includes(item)) + 1;
}
