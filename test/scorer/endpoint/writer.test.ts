import { describe, expect, test } from "vitest";

import type { Item } from "../../../src/scorer/endpoint/options.ts";
import { createWriter, type WriterPlan } from "../../../src/scorer/endpoint/writer.ts";
import { PROTOCOLS } from "../../../src/scorer/protocols/table.ts";
import type { PixelChoice } from "../../../src/types.ts";

const IMAGES = [2, 3] as const;
const UNIT: PixelChoice = { scale: "unit", invert: false, transpose: false };
const FLAT: WriterPlan = {
  type: "float32",
  layout: "flat",
  channels: 1,
  turned: false,
  input: null,
  output: null,
  fixedBatch: null,
  filled: false,
};

const items = (choice: PixelChoice, ...images: number[][]): Item[] =>
  images.map((pixels, index) => ({ index, pixels: Uint8Array.from(pixels), choice }));

const FORMS = Object.entries(PROTOCOLS).flatMap(([name, { forms }]) =>
  forms.map((form) => ({ name: `${name} ${form.name}`, form })),
);

describe("createWriter(form, plan, images, mostImages)", () => {
  test("writes images in the way that each is fed", () => {
    const writer = createWriter(PROTOCOLS.azureml.forms[0]!, FLAT, IMAGES, 100);
    const text = (choice: PixelChoice) =>
      writer.request(items(choice, [0, 255, 51, 0, 0, 102]), "id").body.toString();
    expect(text(UNIT)).toBe('{"data":[[0.0,1,0.2,0,0,0.4]]}');
    expect(text({ ...UNIT, scale: "raw" })).toBe('{"data":[[0,255,51,0,0,102]]}');
    expect(text({ ...UNIT, scale: "raw", invert: true })).toBe('{"data":[[255,0,204,255,255,153]]}');
    expect(text({ ...UNIT, scale: "raw", transpose: true })).toBe('{"data":[[0,0,255,0,51,102]]}');
  });

  test.each(["nhw", "nchw", "nhwc"] as const)("nests lists as %s", (layout) => {
    const writer = createWriter(PROTOCOLS.azureml.forms[0]!, { ...FLAT, layout }, IMAGES, 100);
    const raw = items({ ...UNIT, scale: "raw" }, [1, 2, 3, 4, 5, 6]);
    const { data } = JSON.parse(writer.request(raw, "id").body.toString()) as { data: unknown };
    const expected = {
      nhw: [
        [1, 2, 3],
        [4, 5, 6],
      ],
      nchw: [
        [
          [1, 2, 3],
          [4, 5, 6],
        ],
      ],
      nhwc: [
        [[1], [2], [3]],
        [[4], [5], [6]],
      ],
    };
    expect(data).toEqual([expected[layout]]);
  });

  test.each(FORMS)("knows the size of $name beforehand", ({ form }) => {
    const layout = form.row.startsWith("png") ? "nhw" : "flat";
    const writer = createWriter(form, { ...FLAT, type: form.element, layout }, IMAGES, 3);
    const choice: PixelChoice = { ...UNIT, scale: form.element === "uint8" ? "raw" : "mnist" };
    const rows = Array.from({ length: Math.min(3, form.mostRows) }, (_, i) => [i, 255, 0, 7, 128, 13 * i]);
    const all = items(choice, ...rows);
    const { body } = writer.request(all, "x".repeat(60));
    expect(writer.bytes(all)).toBe(body.length);
    for (const item of all) expect(writer.bytesOf(item)).toBeLessThanOrEqual(writer.mostBytesOf(item));
    // What is planned with is no less than what is sent.
    const planned = writer.overheadBytes + all.reduce((sum, item) => sum + writer.bytesOf(item), 0);
    expect(planned).toBeGreaterThanOrEqual(body.length);
    expect(planned - body.length).toBeLessThanOrEqual(form.separator.length + 8);
  });

  test("fills requests up to what the service's input has, at the same size for each", () => {
    const plan = { ...FLAT, fixedBatch: 3, filled: true };
    const writer = createWriter(PROTOCOLS.azureml.forms[0]!, plan, IMAGES, 100);
    const raw = { ...UNIT, scale: "raw" } as const;
    const some = items(raw, [1, 2, 3, 4, 5, 6], [7, 8, 9, 0, 1, 2]);
    const { body } = writer.request(some, "id");
    expect(body.toString()).toBe('{"data":[[1,2,3,4,5,6],[7,8,9,0,1,2],[7,8,9,0,1,2]]}');
    expect(writer.rows(2)).toBe(3);
    expect(writer.mostRows).toBe(3);
    expect(writer.overheadBytes + some.reduce((sum, item) => sum + writer.bytesOf(item), 0)).toBe(
      writer.overheadBytes,
    );
    expect(writer.bytes(some)).toBeGreaterThanOrEqual(body.length);
  });

  test("holds no more images than the service's input", () => {
    const plan = { ...FLAT, fixedBatch: 4 };
    expect(createWriter(PROTOCOLS.oip.forms[0]!, plan, IMAGES, 100).mostRows).toBe(4);
  });
});
