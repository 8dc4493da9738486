import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import type { Chart } from "../../src/charts/chart.ts";
import { renderPng } from "../../src/charts/rasterise.ts";
import { renderSvg } from "../../src/charts/render.ts";
import { CHARTS } from "../../src/charts/table.ts";
import { sizes, WIDTH } from "../../src/charts/theme.ts";
import type { Evaluation } from "../../src/types.ts";
import { evaluation, FASHION, frozen, latencyOf, LETTERS } from "./builders.ts";
import { type DrawnText, textsOf } from "./svg-texts.ts";

const long = LETTERS.slice(0, 47).map((letter) => `${letter}, a rather long name of a class`);
const EVALUATIONS: Readonly<Record<string, Evaluation>> = {
  "2 classes": evaluation({ classes: ["cat", "dog"] }),
  "10 classes": evaluation({ service: true }),
  "10 classes with names": evaluation({ classes: FASHION, service: true }),
  "26 classes": evaluation({ classes: LETTERS.slice(10, 36), support: 800 }),
  "47 classes with long names": evaluation({ classes: long, support: 400, service: true }),
  "62 classes": evaluation({ classes: LETTERS, support: 400 }),
  "labels only": evaluation({ probabilities: false, service: true }),
  "a perfect model": evaluation({ errors: 0 }),
  "a model that is always wrong": evaluation({ classes: 3, support: 20, errors: 1 }),
  "one image": evaluation({
    confusionMatrix: [
      [1, 0],
      [0, 0],
    ],
    classes: 2,
  }),
  "one request": { ...evaluation(), latency: latencyOf([12.345]) },
  "requests that take the same": {
    ...evaluation(),
    latency: latencyOf(Array.from({ length: 150 }, () => 10)),
  },
  "a request that takes ages": { ...evaluation(), latency: latencyOf([...times(5_000), 30_000_000]) },
  "requests of microseconds, and odd reasons": {
    ...evaluation(),
    latency: latencyOf([0.0012, 0.0013, 0.0029], { "<b>": 2_000, "datum.x": 1, reset: 1, "429": 1 }),
  },
  "requests that fail but for two": { ...evaluation(), latency: latencyOf([12, 13], { timeout: 400 }) },
  "millions of images": evaluation({ support: 1_234_567 }),
  "names of markup": evaluation({
    classes: ["<b>", "&amp;", '"id="clip0"', "a\\b", "${x}", "datum.x"],
    service: true,
  }),
};

/** So many times between 8 and 9 ms. */
function times(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 8 + (i % 97) / 97);
}

const charts: readonly (readonly [string, Chart])[] = Object.entries(CHARTS);
const cases = charts.flatMap(([name, chart]) =>
  Object.entries(EVALUATIONS).map(([of, value]) => ({ name, chart, of, value: frozen(value) })),
);
const schema = new Ajv({ strict: false, validateFormats: false }).compile(
  JSON.parse(readFileSync(new URL(import.meta.resolve("vega-lite/vega-lite-schema.json")), "utf8")) as object,
);
const svgs = new Map<Evaluation, Map<string, Promise<string>>>();
const warnings: string[] = [];

/** The chart's SVG, drawn once for all tests, or null where there is none. */
function svgOf(name: string, chart: Chart, value: Evaluation): Promise<string> | null {
  const drawn = svgs.get(value) ?? new Map<string, Promise<string>>();
  svgs.set(value, drawn);
  const spec = chart.spec(value);
  if (spec === null) return null;
  const svg = drawn.get(name) ?? renderSvg(name, spec, (warning) => warnings.push(`${name}: ${warning}`));
  drawn.set(name, svg);
  return svg;
}

describe.each(cases)("$name of $of", ({ name, chart, value }) => {
  it("has a title and a description without holes", () => {
    if (chart.spec(value) === null) return;
    const sentence = /^(?!.*\b(?:NaN|null|Infinity)\b).*\S$/u;
    expect(chart.title(value)).toMatch(sentence);
    expect(chart.title(value)).not.toMatch(/\.$/u);
    expect(chart.description(value)).toMatch(sentence);
  });

  it("has a spec that Vega-Lite's schema accepts", () => {
    const spec = chart.spec(value);
    if (spec === null) return;
    expect(schema(JSON.parse(JSON.stringify(spec))) ? null : schema.errors).toBeNull();
  });

  it("is drawn without a warning", async () => {
    await svgOf(name, chart, value);
    expect(warnings).toEqual([]);
  });

  it("keeps every text inside of the picture, readable, and off the others", async () => {
    const svg = await svgOf(name, chart, value);
    if (svg === null) return;
    const { width, height } = size(svg);
    expect(width).toBe(WIDTH);
    const texts = textsOf(svg);
    const outside = texts.filter(
      (t) => t.left < 0 || t.top < 0 || t.right > width + 0.01 || t.bottom > height,
    );
    expect(outside).toEqual([]);
    expect(texts.filter((t) => t.size < sizes.label)).toEqual([]);
    expect(overlaps(texts)).toEqual([]);
  });
});

describe.each(charts)("%s", (name, chart) => {
  it("is the same bytes when drawn again", async () => {
    const value = EVALUATIONS["10 classes"]!;
    const [first, second] = [await draw(name, chart, value), await draw(name, chart, value)];
    expect(second.svg).toBe(first.svg);
    expect(Buffer.compare(second.png, first.png)).toBe(0);
  });

  it("becomes a PNG of half its size more that is not blank", async () => {
    const { svg, png } = await draw(name, chart, EVALUATIONS["10 classes"]!);
    const image = PNG.sync.read(Buffer.from(png));
    const { width, height } = size(svg);
    expect([image.width, image.height]).toEqual([1.5 * width, Math.ceil(1.5 * height)]);
    const pixels = new Uint32Array(image.data.buffer, image.data.byteOffset, image.data.length / 4);
    expect(new Set(pixels).size).toBeGreaterThan(20);
  });
});

async function draw(name: string, chart: Chart, value: Evaluation) {
  const spec = chart.spec(value);
  if (spec === null) throw new Error(`${name} draws nothing`);
  const svg = await renderSvg(name, spec);
  return { svg, png: await renderPng(svg) };
}

function size(svg: string) {
  const [, width, height] = /<svg [^>]*\bwidth="(\d+)" height="(\d+)"/u.exec(svg) ?? [];
  return { width: Number(width), height: Number(height) };
}

/** Pairs of texts whose boxes share more than a pixel both ways. */
function overlaps(texts: readonly DrawnText[]): string[] {
  const shown = texts.filter(({ text }) => text.trim() !== "").sort((a, b) => a.top - b.top);
  return shown.flatMap((a, i) => {
    const found: string[] = [];
    for (let j = i + 1; j < shown.length && shown[j]!.top < a.bottom - 1; j++) {
      const b = shown[j]!;
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1) found.push(`${a.text} | ${b.text}`);
    }
    return found;
  });
}
