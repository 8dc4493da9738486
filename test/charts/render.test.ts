import { readFileSync } from "node:fs";
import { Resvg } from "@resvg/resvg-js";
import { fileURLToPath } from "node:url";
import { PNG } from "pngjs";
import { describe, expect, it } from "vitest";
import type { TopLevelSpec } from "vega-lite";
import { ReportError } from "../../src/errors.ts";
import { fontFaceCss, fontUrl, standalone } from "../../src/charts/fontface.ts";
import { renderPng } from "../../src/charts/rasterise.ts";
import { renderSvg } from "../../src/charts/render.ts";

const clipped: TopLevelSpec = {
  description: 'Costs < 5 & "more" > 2',
  data: { values: [{ x: 1, y: 2 }] },
  width: 100,
  height: 50,
  mark: { type: "point", clip: true, filled: true },
  encoding: {
    x: { field: "x", type: "quantitative" },
    y: { field: "y", type: "quantitative" },
    color: {
      value: {
        gradient: "linear",
        stops: [
          { offset: 0, color: "red" },
          { offset: 1, color: "blue" },
        ],
      },
    },
  },
};
const text = (content: string, weight: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="40"><rect width="300" height="40" fill="#fff"/>` +
  `<text x="5" y="30" font-family="Inter, sans-serif" font-size="20" font-weight="${weight}">${content}</text></svg>`;

describe("renderSvg(name, spec, warn)", () => {
  it("names ids after the chart, the same whatever was drawn before or meanwhile", async () => {
    const first = await renderSvg("a", clipped);
    const [again] = await Promise.all([renderSvg("a", clipped), renderSvg("b", clipped)]);
    expect(again).toBe(first);
    const ids = [...first.matchAll(/ id="([^"]*)"/gu)].map(([, id]) => id);
    expect(ids).toEqual(["a-0", "a-1"]);
    const references = [...first.matchAll(/url\(#([^)]*)\)/gu)].map(([, id]) => id);
    expect(new Set(references)).toEqual(new Set(["a-0", "a-1"]));
  });

  it("says what the picture shows to who cannot see it", async () => {
    expect(await renderSvg("a", clipped)).toContain(
      '<svg role="img" aria-label="Costs &lt; 5 &amp; &quot;more&quot; &gt; 2" ',
    );
  });

  it("tells warnings", async () => {
    const warnings: string[] = [];
    const spec: TopLevelSpec = {
      ...clipped,
      mark: "bar",
      encoding: { x: { field: "x", type: "nominal", scale: { zero: true } } },
    };
    await renderSvg("a", spec, (warning) => warnings.push(warning));
    expect(warnings).toEqual(['x-scale\'s "zero" is dropped as it does not work with band scale.']);
  });
});

describe("renderPng(svg, fonts)", () => {
  it("draws text, and heavier text with more ink", async () => {
    const [none, regular, semibold] = [
      await ink(text("", 400)),
      await ink(text("Pullover", 400)),
      await ink(text("Pullover", 600)),
    ];
    expect(none).toBe(0);
    expect(regular).toBeGreaterThan(0);
    expect(semibold).toBeGreaterThan(1.2 * regular);
  });

  it("has the pixels of the rasteriser's own PNG", async () => {
    const svg = text("Ankle boot", 600);
    const fontFiles = ["Inter-Regular.ttf", "Inter-SemiBold.ttf"].map((name) => fileURLToPath(fontUrl(name)));
    const reference = new Resvg(svg, {
      font: { loadSystemFonts: false, fontFiles },
      fitTo: { mode: "zoom", value: 1.5 },
    });
    const expected = PNG.sync.read(reference.render().asPng());
    const actual = PNG.sync.read(Buffer.from(await renderPng(svg)));
    expect([actual.width, actual.height]).toEqual([450, 60]);
    expect(Buffer.compare(actual.data, expected.data)).toBe(0);
  });

  it("does not let Node's report, which the rasteriser asks for, look up the hosts of open connections", async () => {
    await renderPng(text("Bag", 400));
    const report = process.report.getReport() as { header: object };
    expect(report.header).not.toHaveProperty("networkInterfaces");
  });

  it("keeps the pixels of images square", async () => {
    const pixels =
      "data:image/png;base64," +
      PNG.sync
        .write(
          Object.assign(new PNG({ width: 2, height: 1 }), {
            data: Buffer.from([0, 0, 0, 255, 255, 255, 255, 255]),
          }),
        )
        .toString("base64");
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="40" height="20"><image xlink:href="${pixels}" width="40" height="20" style="image-rendering: optimizeSpeed; image-rendering: pixelated;"/></svg>`;
    const { data } = PNG.sync.read(Buffer.from(await renderPng(svg)));
    expect(new Set(data.filter((_, i) => i % 4 === 0))).toEqual(new Set([0, 255]));
  });

  it("throws where a font is missing", async () => {
    const font = new URL("file:///nowhere/Inter.ttf");
    await expect(renderPng(text("a", 400), [font])).rejects.toThrow(
      new ReportError(
        "The font /nowhere/Inter.ttf is missing, and without it PNG charts have no text: " +
          "reinstall the package, or run with --charts svg",
      ),
    );
  });
});

describe("standalone(svg)", () => {
  it("puts the fonts into the file, in less than 20 KB", () => {
    const css = fontFaceCss();
    expect(standalone('<svg aria-label="a &gt; b"><g/></svg>')).toBe(
      `<svg aria-label="a &gt; b"><style>${css}</style><g/></svg>`,
    );
    expect(css.length).toBeLessThan(20_000);
    expect(
      [...css.matchAll(/@font-face\{font-family:Inter;font-weight:(\d+);/gu)].map(([, weight]) => weight),
    ).toEqual(["400", "600"]);
    const subset = readFileSync(fontUrl("Inter-SemiBold.subset.woff2"));
    expect(css).toContain(subset.toString("base64"));
  });
});

/** How much darker than white a picture is, summed over its pixels. */
async function ink(svg: string): Promise<number> {
  const { data } = PNG.sync.read(Buffer.from(await renderPng(svg)));
  return data.reduce((sum, value) => sum + 255 - value, 0);
}
