import { type LoggerInterface, parse, View } from "vega";
import * as vega from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { visibleLines } from "../text/visible.ts";
import { textWidth } from "./text.ts";

const SEMIBOLD_FROM = 600;

interface TextItem {
  readonly fontSize?: number;
  readonly fontWeight?: number | string;
  readonly limit?: number;
}

/** A mark or an item of Vega's scene graph. */
interface SceneNode {
  readonly marktype?: string;
  readonly items?: readonly SceneNode[];
  readonly url?: string;
  image?: { readonly complete: boolean; readonly src: string | undefined; readonly url: string | undefined };
}

// Without a canvas Vega guesses widths, and cuts or pads axes by the error. Its types leave this hook out.
const { textMetrics } = vega as unknown as {
  textMetrics: { width: (item: TextItem, text: string | number | null | undefined) => number };
};
textMetrics.width = (item, text) => {
  const heavy = item.fontWeight === "bold" || Number(item.fontWeight) >= SEMIBOLD_FROM;
  const width = textWidth(String(text ?? "").trim(), item.fontSize ?? 11, heavy ? "semibold" : "regular");
  // What is wider than its limit is cut to it, in a search that asks for widths here in turn.
  return item.limit !== undefined && item.limit > 0 ? Math.min(width, item.limit) : width;
};

/** Tells warnings and errors apart from what need not be heard. */
function loggerTo(warn: (message: string) => void): LoggerInterface {
  const say = (...messages: readonly unknown[]) => {
    warn(messages.map(String).join(" "));
    return logger;
  };
  const silent = () => logger;
  const logger: LoggerInterface = { level: () => logger, error: say, warn: say, info: silent, debug: silent };
  return logger;
}

/**
 * Draws a chart as SVG, the same bytes for the same spec. Ids inside start with `name`, so that several charts can
 * stand in one page. The text needs Inter: see `standalone` and `fontFaceCss`.
 * @param warn is told what Vega-Lite and Vega find doubtful in the spec.
 */
export async function renderSvg(
  name: string,
  spec: TopLevelSpec,
  warn: (message: string) => void = () => {},
): Promise<string> {
  const logger = loggerTo(warn);
  const { spec: drawing } = compile(spec, { logger });
  const view = new View(parse(drawing), { renderer: "none", logger });
  try {
    await view.runAsync();
    settleImages((view.scenegraph() as unknown as { root: SceneNode }).root);
    const svg = withOwnIds(await view.toSVG(), name, spec.description ?? "");
    // A name may hold what XML forbids, or what turns the text around it.
    return visibleLines(svg);
  } finally {
    view.finalize();
  }
}

/**
 * Gives each image its source. Vega would do so after a first drawing and a wait, and then draw a second time.
 */
function settleImages(node: SceneNode): void {
  for (const item of node.items ?? []) {
    if (node.marktype === "image") item.image = { complete: false, src: item.url, url: item.url };
    settleImages(item);
  }
}

/** Vega numbers ids through the life of a process: they are numbered anew, and named after the chart. */
function withOwnIds(svg: string, name: string, description: string): string {
  const ids = new Map<string, string>();
  for (const [, id = ""] of svg.matchAll(
    /<(?:clipPath|linearGradient|radialGradient|pattern) id="([^"]+)"/gu,
  )) {
    ids.set(id, `${name}-${ids.size}`);
  }
  const renamed = (id: string) => ids.get(id) ?? id;
  return svg
    .replace(
      /(<(?:clipPath|linearGradient|radialGradient|pattern) id=")([^"]+)/gu,
      (_, tag: string, id: string) => tag + renamed(id),
    )
    .replace(/="url\(#([^)]+)\)"/gu, (_, id: string) => `="url(#${renamed(id)})"`)
    .replace("<svg ", `<svg role="img" aria-label="${escapeAttribute(description)}" `);
}

function escapeAttribute(text: string): string {
  return text.replace(/&/gu, "&amp;").replace(/</gu, "&lt;").replace(/>/gu, "&gt;").replace(/"/gu, "&quot;");
}
