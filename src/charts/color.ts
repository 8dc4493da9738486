import { colors } from "./theme.ts";

type Rgb = readonly [number, number, number];

function parse(hex: string): Rgb {
  const n = Number.parseInt(hex.slice(1), 16);
  return [n >> 16, (n >> 8) & 255, n & 255];
}

/** Relative luminance of `#rrggbb`, 0–1. WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(hex: string): number {
  const [r, g, b] = parse(hex).map((channel) => {
    const s = channel / 255;
    return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
  }) as unknown as Rgb;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast ratio of two `#rrggbb` colours, 1–21. WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
export function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

/** The contrast that text needs. WCAG 2.2, level AA. */
const READABLE = 4.5;

/** A colour in which text can be read on a filled area: the usual ink, or white, or black, of which one always can. */
export function textOn(fill: string): string {
  const inks = [colors.ink, colors.background, "#000000"];
  return inks.find((ink) => contrast(ink, fill) >= READABLE) ?? colors.ink;
}

/** The colour at `share` (0–1) of the way through evenly spaced `#rrggbb` stops. */
export function ramp(stops: readonly string[], share: number): string {
  const position = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const i = Math.min(Math.floor(position), stops.length - 2);
  const from = parse(stops[i] ?? colors.background);
  const to = parse(stops[i + 1] ?? colors.background);
  const mixed = from.map((channel, c) => Math.round(channel + ((to[c] ?? 0) - channel) * (position - i)));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, "0")).join("")}`;
}
