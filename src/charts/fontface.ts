import { readFileSync } from "node:fs";
import { ReportError } from "../errors.ts";
import { packageRoot } from "../package.ts";

const FOLDER = "src/charts/fonts/";
const SUBSETS = [
  [400, "Inter-Regular.subset.woff2"],
  [600, "Inter-SemiBold.subset.woff2"],
] as const;
let css: string | undefined;

/** URL of a font file of the package. */
export function fontUrl(name: string): URL {
  return new URL(FOLDER + name, packageRoot);
}

/**
 * The `@font-face` rules that charts need in a browser without Inter: both weights as data URIs, reduced to ASCII and
 * common signs; other characters come from the reader's own fonts. A page with inlined charts needs them once.
 * @throws ReportError where the package's fonts are missing.
 */
export function fontFaceCss(): string {
  css ??= SUBSETS.map(
    ([weight, name]) =>
      `@font-face{font-family:Inter;font-weight:${weight};src:url(data:font/woff2;base64,${read(name)}) format("woff2")}`,
  ).join("");
  return css;
}

function read(name: string): string {
  try {
    return readFileSync(fontUrl(name)).toString("base64");
  } catch (cause) {
    throw new ReportError(`The font ${name} of the charts cannot be read: reinstall the package`, { cause });
  }
}

/** A chart's SVG with the fonts in it, to be a file by itself. */
export function standalone(svg: string): string {
  const end = svg.indexOf(">") + 1;
  return `${svg.slice(0, end)}<style>${fontFaceCss()}</style>${svg.slice(end)}`;
}
