import { textWidth } from "../../src/charts/text.ts";

/** One line of text of a drawn chart, with the box that its letters fill, in pixels of the picture. */
export interface DrawnText {
  readonly text: string;
  readonly size: number;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

type Matrix = readonly [number, number, number, number, number, number];
const IDENTITY: Matrix = [1, 0, 0, 1, 0, 0];
const ASCENT = 0.73;
const DESCENT = 0.2;

/** Every line of text of an SVG by Vega, measured by the font's widths. */
export function textsOf(svg: string): DrawnText[] {
  const texts: DrawnText[] = [];
  const stack: Matrix[] = [IDENTITY];
  // A group's start or end, or a text with its content; what has no content closes itself.
  const tags = /<(\/g|(?:g|text)(?=\b[^>]*[^/]>|>))\b([^>]*)>(?:(?<=<text[^>]*>)(.*?)<\/text>)?/gsu;
  for (const [, tag = "", attributes = "", content = ""] of svg.matchAll(tags)) {
    if (tag === "/g") stack.pop();
    else {
      const matrix = multiply(stack.at(-1) ?? IDENTITY, transformOf(attributes));
      if (tag === "g") stack.push(matrix);
      else texts.push(...linesOf(content, attributes, matrix));
    }
  }
  return texts;
}

function linesOf(content: string, attributes: string, matrix: Matrix): DrawnText[] {
  const attribute = (name: string) => new RegExp(`\\b${name}="([^"]*)"`, "u").exec(attributes)?.[1];
  const size = Number.parseFloat(attribute("font-size") ?? "NaN");
  const weight = Number(attribute("font-weight") ?? 400) >= 600 ? "semibold" : "regular";
  const spans = [...content.matchAll(/<tspan([^>]*)>([^<]*)<\/tspan>/gu)];
  const lines = spans.length === 0 ? [content] : spans.map(([, , text = ""]) => text);
  const step = Number(/dy="([^"]*)"/u.exec(content)?.[1] ?? 0);
  return lines.map((line, i) => {
    const text = unescape(line);
    const width = textWidth(text, size, weight);
    const anchor = attribute("text-anchor");
    const x = anchor === "middle" ? -width / 2 : anchor === "end" ? -width : 0;
    const y = i * step;
    const corners = [
      [x, y - ASCENT * size],
      [x + width, y + DESCENT * size],
    ].map(([cx = 0, cy = 0]) => point(matrix, cx, cy));
    const [xs, ys] = [corners.map((corner) => corner[0]), corners.map((corner) => corner[1])];
    return {
      text,
      size,
      left: Math.min(...xs),
      right: Math.max(...xs),
      top: Math.min(...ys),
      bottom: Math.max(...ys),
    };
  });
}

function unescape(text: string): string {
  return text.replace(/&lt;/gu, "<").replace(/&gt;/gu, ">").replace(/&amp;/gu, "&");
}

function transformOf(attributes: string): Matrix {
  const transform = /\btransform="([^"]*)"/u.exec(attributes)?.[1] ?? "";
  return [...transform.matchAll(/(\w+)\(([^)]*)\)/gu)].reduce((matrix, [, name, list = ""]) => {
    const [a = 0, b = 0] = list.split(/[ ,]+/u).map(Number);
    if (name === "translate") return multiply(matrix, [1, 0, 0, 1, a, b]);
    if (name !== "rotate") throw new Error(`transform ${name} is not understood`);
    const angle = (a * Math.PI) / 180;
    return multiply(matrix, [Math.cos(angle), Math.sin(angle), -Math.sin(angle), Math.cos(angle), 0, 0]);
  }, IDENTITY);
}

function multiply([a, b, c, d, e, f]: Matrix, [g, h, i, j, k, l]: Matrix): Matrix {
  return [a * g + c * h, b * g + d * h, a * i + c * j, b * i + d * j, a * k + c * l + e, b * k + d * l + f];
}

function point([a, b, c, d, e, f]: Matrix, x: number, y: number): readonly [number, number] {
  return [a * x + c * y + e, b * x + d * y + f];
}
