import { describe, expect, test } from "vitest";

import { mnist } from "../train/mnist.ts";
import { residentMegabytes, start } from "./process.ts";
import { ask, fakeEngine, serve } from "./scene.ts";

const json = (value: unknown): string => JSON.stringify(value);
const DIGIT = json({ data: [Array.from(mnist("test", 1).pixels, (x) => x / 255)] });

describe("memory in proportion to the body", () => {
  const spaces = " ".repeat(400_000);

  test.each([
    ["short lists in a mixed one", `{"data": ["x", ${"[1], ".repeat(18_999)}[1]]${spaces}}`],
    ["short lists in objects", `{"data": [${'{"a": [1]}, '.repeat(4_900)}{}]${spaces}}`],
  ])("%s", async (_what, body) => {
    const served = await start(["--log", "silent"]);
    expect(await ask(`${served.url}/score`, { body: DIGIT })).toMatchObject({ body: "[7]" });
    const before = residentMegabytes(served);
    expect((await ask(`${served.url}/score`, { body })).status).toBe(400);
    // Without /proc there is nothing to compare.
    expect((residentMegabytes(served) ?? 0) - (before ?? 0)).toBeLessThan(100);
  });
});

describe("fields beside the data", () => {
  test.each([
    "[1, 2, null]",
    '[["a", 1], [2]]',
    "[[1, 2], [3]]",
    '[1, {"a": [2, "b"]}]',
    "[[1, [2]], []]",
    "[1e999]",
  ])("%s does not matter", async (field) => {
    const { url } = await serve({}, fakeEngine());
    const body = `{"meta": ${field}, "data": [[1, 0, 0, 0]], "more": ${field}}`;
    expect(await ask(`${url}/score`, { body })).toMatchObject({ status: 200, body: "[1]" });
  });

  test("the data itself is still refused by row and column", async () => {
    const { url } = await serve({}, fakeEngine());
    const body = `{"meta": [1, "a"], "data": [[1, 0, 0, 0], [1, 0, "x", 0]]}`;
    expect(await ask(`${url}/score`, { body })).toMatchObject({
      status: 400,
      body: json({ message: '"data": row 1, column 2 is a string, but must be a number' }),
    });
  });
});

test("an output that is asked for 6,500 times is refused", async () => {
  const { url } = await serve({}, fakeEngine());
  const inputs = [{ name: "x", shape: [1, 4], datatype: "FP32", data: [1, 0, 0, 0] }];
  const outputs = Array.from({ length: 6_500 }, () => ({ name: "label" }));
  expect(await ask(`${url}/v2/models/mnist/infer`, { body: json({ inputs, outputs }) })).toMatchObject({
    status: 400,
    body: json({ error: '"outputs" asks for "label" twice' }),
  });
});
