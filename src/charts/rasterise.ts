import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { deflate, type InputType, type ZlibOptions } from "node:zlib";
import { ReportError } from "../errors.ts";
import { fontUrl } from "./fontface.ts";
import { linesOf, png, RGBA } from "./png.ts";

/** A chart is then 1,200 pixels wide, for a column of some 830 on a page; SVG is there for more. */
const PIXELS_PER_CSS_PIXEL = 1.5;
const CHANNELS = 4;
/** Half the time of the usual 6, for files that are a quarter larger. */
const COMPRESSION = 3;
const FONTS = ["Inter-Regular.ttf", "Inter-SemiBold.ttf"].map(fontUrl);

const deflateAsync = promisify<InputType, ZlibOptions, Uint8Array>(deflate);

/**
 * Rasterises a chart at three pixels for two CSS pixels, on the calling thread (20 ms), and compresses it on another. The
 * rasteriser's own way to another thread keeps a picture's memory in each thread that it uses.
 * @param fonts the TTF files that it is set in
 * @throws ReportError where a font is missing, because the text would be silently blank.
 */
export async function renderPng(svg: string, fonts: readonly URL[] = FONTS): Promise<Uint8Array> {
  const { Resvg } = await loadRasteriser();
  const image = new Resvg(svg, {
    font: { loadSystemFonts: false, fontFiles: fonts.map(existing), defaultFontFamily: "Inter" },
    fitTo: { mode: "zoom", value: PIXELS_PER_CSS_PIXEL },
    // Pixels of digits stay squares, as `image-rendering: pixelated` does in a browser.
    imageRendering: 1,
    logLevel: "off",
  }).render();
  const { width, height } = image;
  const lines = linesOf(image.pixels, CHANNELS * width);
  // Not by `image.asPng()`, which takes as long as drawing does, and blocks this thread.
  return png(width, height, RGBA, await deflateAsync(lines, { level: COMPRESSION }));
}

/**
 * To learn which C library there is, it asks for Node's report, which would ask the name server for the host of every
 * connection that is open.
 */
async function loadRasteriser(): Promise<typeof import("@resvg/resvg-js")> {
  Object.assign(process.report, { excludeNetwork: true });
  return await import("@resvg/resvg-js");
}

function existing(font: URL): string {
  const path = fileURLToPath(font);
  if (existsSync(path)) return path;
  throw new ReportError(
    `The font ${path} is missing, and without it PNG charts have no text: reinstall the package, or run with --charts svg`,
  );
}
