import { tensorShape, type InputPlan } from "./adapter.ts";
import { ELEMENTS, toElements, type Numbers } from "./elements.ts";
import { wirePixels } from "./wire.ts";

/** Images as numbers that are already as the model wants them: n×h×w. */
export type Rows = Float32Array | Float64Array;

/** Lays such images out as a model takes them; the counterpart of `PixelWriter`. */
export interface RowsWriter {
  write(rows: Rows, count: number, images: number): { readonly buffer: Numbers; readonly shape: number[] };
}

/**
 * A writer for one model. Rows that already lie as the model takes them are handed on, not copied.
 *
 * @param images [height, width]
 */
export function rowsWriter(plan: InputPlan, images: readonly [number, number]): RowsWriter {
  const size = images[0] * images[1];
  const { array } = ELEMENTS[plan.type];
  const order = { layout: plan.layout, channels: plan.channels, transpose: false };
  return {
    write(rows, count, runImages) {
      const shape = tensorShape(plan, runImages);
      const fits = plan.channels === 1 && runImages === count;
      if (fits && rows instanceof array) return { buffer: rows, shape };
      const values = isFloat(plan.type) ? rows : toElements(Array.from(rows), plan.type);
      const buffer = new array(runImages * plan.channels * size);
      const laid: Numbers = wirePixels<Numbers>(values, order, images);
      (buffer as Float32Array).set(laid as Float32Array);
      return { buffer, shape };
    },
  };
}

const isFloat = (type: InputPlan["type"]): boolean => type === "float32" || type === "float64";
