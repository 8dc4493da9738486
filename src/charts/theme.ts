import type { TopLevelSpec } from "vega-lite";
import { wrapText } from "./text.ts";

/** Okabe and Ito's colours, which stay apart for every kind of colour blindness, and the greys around them. */
export const colors = {
  background: "#ffffff",
  ink: "#1b1f24",
  /** Secondary text: 6.4:1 on white. */
  muted: "#57606a",
  rule: "#8c959f",
  grid: "#e4e7eb",
  /** What is right: correct predictions, the diagonal. */
  right: "#0072b2",
  /** What is wrong: mistakes, confusions. */
  wrong: "#d55e00",
  /** The same in text, which needs more contrast: 5.7:1 on white. */
  wrongText: "#bf3217",
  /** A distinct colour a series. */
  series: ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#1b1f24"],
} as const;

/** Width of every chart in CSS pixels: what a repository page shows without scaling it down. */
export const WIDTH = 800;
/** Space around every chart. */
export const PADDING = 16;
/** Font sizes in CSS pixels; nothing is set smaller than `label`. */
export const sizes = { title: 18, subtitle: 13, axisTitle: 13, label: 12 } as const;
export const FONT = "Inter, 'Helvetica Neue', Arial, sans-serif";
/** Font weights by the name that `text.ts` measures them under. */
export const weights = { regular: 400, semibold: 600 } as const;

const TITLE_LINE = 24;
const SUBTITLE_LINE = 18;
const SUBTITLE_GAP = 8;
const TITLE_GAP = 14;

const config = {
  font: FONT,
  // Each mark's own label would be ten times the size of the drawing; the picture has one description instead.
  aria: false,
  background: colors.background,
  view: { stroke: null },
  // The charts leave out what is undefined themselves, so that Vega-Lite need not filter the data of each layer.
  mark: { invalid: "show" },
  text: { color: colors.ink, fontSize: sizes.label },
  axis: {
    domain: false,
    ticks: false,
    gridColor: colors.grid,
    labelColor: colors.ink,
    labelFontSize: sizes.label,
    labelPadding: 6,
    labelLimit: 180,
    titleColor: colors.muted,
    titleFontSize: sizes.axisTitle,
    titleFontWeight: weights.regular,
    titlePadding: 10,
  },
  legend: {
    labelColor: colors.ink,
    labelFontSize: sizes.label,
    labelLimit: 180,
    titleColor: colors.muted,
    titleFontSize: sizes.label,
    titleFontWeight: weights.regular,
  },
} as const;

export interface Heading {
  /** The finding, as one sentence without a full stop. */
  readonly title: string;
  /** The figures behind it, and how to read the picture. */
  readonly subtitle: string;
  /** What a reader who cannot see the picture needs to know. */
  readonly description: string;
  /** Whole height of the picture in pixels, the heading included. */
  readonly height: number;
}

/**
 * What every chart has in common, to spread into its spec: size, padding, fonts, colours and the heading.
 * Sizes are those of the whole picture: axes, legends and heading take their room from inside.
 */
export function frame(heading: Heading) {
  const { title, subtitle } = headingLines(heading);
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: heading.description,
    width: WIDTH,
    height: heading.height,
    padding: PADDING,
    autosize: { type: "fit", contains: "padding" },
    background: colors.background,
    config,
    title: {
      text: title,
      subtitle,
      anchor: "start",
      frame: "bounds",
      offset: TITLE_GAP,
      fontSize: sizes.title,
      fontWeight: weights.semibold,
      lineHeight: TITLE_LINE,
      color: colors.ink,
      subtitleFontSize: sizes.subtitle,
      subtitleFontWeight: weights.regular,
      subtitleLineHeight: SUBTITLE_LINE,
      subtitlePadding: SUBTITLE_GAP,
      subtitleColor: colors.muted,
    },
  } satisfies Partial<TopLevelSpec>;
}

/** Pixels around the plot for axis labels and what else stands there, without the heading and the padding. */
export interface Room {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A frame for a plot that is laid out by its own measures: `heading.height` less heading, padding and `room`. */
export function fixedFrame(heading: Heading, room: Room) {
  const top = PADDING + headingHeight(heading) + room.top;
  const base = frame(heading);
  return {
    ...base,
    // From the plot's left edge, because the drawing's own bounds may reach further out than `room`.
    title: { ...base.title, frame: "group", dx: -room.left },
    autosize: { type: "none" },
    width: WIDTH - 2 * PADDING - room.left - room.right,
    height: heading.height - top - room.bottom - PADDING,
    padding: { left: PADDING + room.left, right: PADDING + room.right, top, bottom: PADDING + room.bottom },
  } satisfies Partial<TopLevelSpec>;
}

/** Pixels that the heading takes from the picture's height, the gap below it included. */
export function headingHeight(heading: Pick<Heading, "title" | "subtitle">): number {
  const { title, subtitle } = headingLines(heading);
  const titleHeight = (title.length - 1) * TITLE_LINE + sizes.title;
  const subtitleHeight = (subtitle.length - 1) * SUBTITLE_LINE + sizes.subtitle;
  return titleHeight + SUBTITLE_GAP + subtitleHeight + TITLE_GAP;
}

function headingLines({ title, subtitle }: Pick<Heading, "title" | "subtitle">) {
  const room = WIDTH - 2 * PADDING;
  return {
    title: wrapText(title, room, sizes.title, "semibold"),
    subtitle: wrapText(subtitle, room, sizes.subtitle),
  };
}
