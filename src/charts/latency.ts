import type { TopLevelSpec } from "vega-lite";
import type { Evaluation, Latency } from "../types.ts";
import { linear, type Scale, spread } from "./axis.ts";
import type { Chart } from "./chart.ts";
import { type Drawing, layersOf, newDrawing } from "./drawing.ts";
import { type Flag, FLAG_GAP, placeFlags } from "./flags.ts";
import { figuresOf, findingOf, LONG, timeText } from "./latency_wording.ts";
import { colors, fixedFrame, headingHeight, PADDING, WIDTH } from "./theme.ts";
import { wholeNumber } from "./wording.ts";

/** How long requests took, how that went over the run, and how many failed. */
export const latency: Chart = { title, description, spec };

const ROOM = { left: 72, right: 12, top: 0, bottom: 46 };
const PLOT = WIDTH - 2 * PADDING - ROOM.left - ROOM.right;
/** Heights of the three panels, and of what stands between them. */
const BARS = 170;
const COURSE = 150;
const RATE = 64;
const PANEL_TITLE = 26;
const AXIS = 46;
const GAP = 20;
const FLAG_ROW = 18;
/** What is there is seen, however few. */
const LEAST_BAR = 2;
/** Share of an axis that stays free at both ends. */
const MARGIN = 0.03;
/** All times are at least so far apart on their axis, that those that are alike do not fill it. */
const LEAST_RATIO = 1.3;
const LIGHT = "#a8cde4";
/** Bins are of equal ratio: on a linear axis, they would be ever wider. */
const HISTOGRAM_LOGARITHMIC_FROM = 1.5;
const MILLISECONDS = 1000;
const MINUTE = 60;

type Answered = Latency & { readonly perRequest: NonNullable<Latency["perRequest"]> };

function title(e: Evaluation): string {
  return e.latency === null ? "There is no service whose requests were timed" : findingOf(e.latency);
}

function subtitle(e: Evaluation): string {
  if (e.latency === null) return "";
  return `${figuresOf(e.latency)} From sending to the last byte of the reply, without the wait for a turn.`;
}

function description(e: Evaluation): string {
  if (e.latency === null) return `${title(e)}.`;
  const { perRequest } = e.latency;
  const quantiles =
    perRequest === null
      ? ""
      : ` Latency of a request: mean ${timeText(perRequest.mean)}, ${marksOf(perRequest)
          .map(({ name, ms }) => `${name} ${timeText(ms)}`)
          .join(", ")}.`;
  return `Histogram of latencies, and how they went over the run. ${figuresOf(e.latency)}${quantiles}`;
}

function marksOf({ p50, p90, p99, max }: Answered["perRequest"]) {
  return [
    { name: "p50", ms: p50 },
    { name: "p90", ms: p90 },
    { name: "p99", ms: p99 },
    { name: "max", ms: max },
  ];
}

function spec(e: Evaluation): TopLevelSpec | null {
  if (e.latency === null || e.latency.perRequest === null) return null;
  const answered: Answered = { ...e.latency, perRequest: e.latency.perRequest };
  const drawing = newDrawing();
  const bottom = rate(drawing, answered, course(drawing, answered, histogram(drawing, answered, 0)));
  const heading = { title: title(e), subtitle: subtitle(e), description: description(e) };
  const height = 2 * PADDING + headingHeight(heading) + ROOM.top + bottom + ROOM.bottom;
  return { ...fixedFrame({ ...heading, height }, ROOM), layer: layersOf(drawing) };
}

/** Answered requests by latency, with a flag at each quantile. @returns where the panel ends */
function histogram(drawing: Drawing, { histogram: bins, perRequest }: Answered, start: number): number {
  const x = spread(widened([bins[0]!.low, Math.max(bins.at(-1)!.high, perRequest.max)]), [0, PLOT], {
    logarithmicFrom: HISTOGRAM_LOGARITHMIC_FROM,
  });
  const flags = flagsOf(perRequest, x);
  const top = start + PANEL_TITLE + (Math.max(...flags.map(({ row }) => row)) + 1) * FLAG_ROW + FLAG_GAP;
  const bottom = top + BARS;
  const most = Math.max(...bins.map(({ count }) => count));
  const y = linear([0, most], [bottom, top], { ticks: 4, least: 1 });
  panelTitle(drawing, start, "Requests by latency");
  gridOf(drawing, y, wholeNumber);
  for (const { low, high, count } of bins) {
    if (count === 0) continue;
    const [left, right] = [x.at(low), x.at(high)];
    const gap = right - left > 4 ? 0.5 : 0;
    const height = Math.max(LEAST_BAR, bottom - y.at(count));
    drawing.boxes.push({ x: left + gap, x2: right - gap, y: bottom - height, y2: bottom, color: LIGHT });
  }
  for (const { text, at, row, align } of flags) {
    const flag = top - FLAG_GAP - (row + 0.5) * FLAG_ROW;
    drawing.marks.push({ x: at, x2: at, y: flag, y2: bottom, color: colors.ink, width: 1 });
    const side = align === "left" ? FLAG_GAP : -FLAG_GAP;
    drawing.labels.push({ x: at + side, y: flag, text, color: colors.ink, align, weight: "semibold" });
  }
  axisBelow(drawing, x, bottom, timeText, "Latency of a request");
  return bottom + AXIS + GAP;
}

/** Quantiles that read the same share a flag. */
function flagsOf(perRequest: Answered["perRequest"], x: Scale): Flag[] {
  const texts = new Map<string, { readonly names: string[]; readonly at: number }>();
  for (const { name, ms } of marksOf(perRequest)) {
    const same = texts.get(timeText(ms));
    if (same) same.names.push(name);
    else texts.set(timeText(ms), { names: [name], at: x.at(ms) });
  }
  const marks = [...texts].map(([time, { names, at }]) => ({ text: `${names.join(", ")} ${time}`, at }));
  return placeFlags(marks, PLOT);
}

/** Median and longest latency over the run. */
function course(drawing: Drawing, answered: Answered, start: number): number {
  const spans = answered.timeline.flatMap(({ seconds, p50, max }) =>
    p50 === null || max === null ? [] : [{ seconds, p50, max }],
  );
  const top = start + PANEL_TITLE;
  const bottom = top + COURSE;
  const { x, width } = timeAxis(answered);
  const least = Math.min(...spans.map(({ p50 }) => p50));
  const most = Math.max(...spans.map(({ max }) => max));
  const y = spread(widened([least, most]), [bottom, top], { ticks: 4 });
  const scale = y.logarithmic ? ", logarithmic" : "";
  panelTitle(drawing, start, `Median (dot) and longest (line's end) over the run${scale}`);
  gridOf(drawing, y, timeText);
  for (const { seconds, p50, max } of spans) {
    const at = x.at(seconds + width / 2);
    drawing.marks.push({ x: at, x2: at, y: y.at(p50), y2: y.at(max), color: LIGHT, width: 3 });
    drawing.dots.push({ x: at, y: y.at(p50), color: colors.right });
  }
  return bottom + 14;
}

/** Answered and failed attempts over the run. */
function rate(drawing: Drawing, answered: Answered, start: number): number {
  const { timeline } = answered;
  const top = start + PANEL_TITLE;
  const bottom = top + RATE;
  const { x, width, ticks, label } = timeAxis(answered);
  const most = Math.max(...timeline.map(({ requests, failed }) => requests + failed));
  const y = linear([0, most], [bottom, top], { ticks: 2, least: 1 });
  const anyFailed = timeline.some(({ failed }) => failed > 0);
  panelTitle(
    drawing,
    start,
    anyFailed ? "Attempts answered (blue) and failed (orange)" : "Requests answered",
  );
  gridOf(drawing, y, wholeNumber);
  for (const { seconds, requests, failed } of timeline) {
    const [left, right] = [x.at(seconds) + 0.5, x.at(seconds + width) - 0.5];
    const split = bottom - (requests === 0 ? 0 : Math.max(LEAST_BAR, bottom - y.at(requests)));
    const end = split - (failed === 0 ? 0 : Math.max(LEAST_BAR, bottom - y.at(failed)));
    if (requests > 0) drawing.boxes.push({ x: left, x2: right, y: split, y2: bottom, color: LIGHT });
    if (failed > 0) drawing.boxes.push({ x: left, x2: right, y: end, y2: split, color: colors.wrong });
  }
  axisBelow(drawing, { ...x, ticks }, bottom, label, "Since the first request");
  return bottom;
}

/** Time since the first request, by the spans' own width. */
function timeAxis({ timeline, durationSeconds }: Answered) {
  const width = timeline.length > 1 ? timeline[1]!.seconds : Math.max(durationSeconds, 1 / MILLISECONDS);
  const end = timeline.length * width;
  const x = linear([0, end], [0, PLOT]);
  if (end * MILLISECONDS < LONG)
    return { x, width, ticks: x.ticks, label: (s: number) => timeText(s * MILLISECONDS) };
  const minutes = linear([0, end / MINUTE], [0, PLOT]).ticks;
  const label = (s: number) => (s === 0 ? "0" : `${wholeNumber(s / MINUTE)} min`);
  return { x, width, ticks: minutes.map((minute) => minute * MINUTE), label };
}

function widened([low, high]: readonly [number, number]): readonly [number, number] {
  const ratio = Math.max(1, LEAST_RATIO / (high / low)) ** 0.5 * (high / low) ** MARGIN;
  return [low / ratio, high * ratio];
}

function panelTitle(drawing: Drawing, y: number, text: string): void {
  drawing.labels.push({
    x: -ROOM.left,
    y: y + PANEL_TITLE / 2 - 4,
    text,
    color: colors.muted,
    align: "left",
    weight: "semibold",
  });
}

function gridOf(drawing: Drawing, y: Scale, text: (value: number) => string): void {
  for (const tick of y.ticks) {
    const at = y.at(tick);
    drawing.rules.push({ x: 0, x2: PLOT, y: at, y2: at, color: colors.grid, width: 1 });
    drawing.labels.push({
      x: -8,
      y: at,
      text: text(tick),
      color: colors.ink,
      align: "right",
      weight: "regular",
    });
  }
}

/** The numbers that fit, in the same distance from each other, and what they are. */
function axisBelow(
  drawing: Drawing,
  x: Scale,
  y: number,
  text: (value: number) => string,
  name: string,
): void {
  drawing.marks.push({ x: 0, x2: PLOT, y, y2: y, color: colors.rule, width: 1 });
  for (const tick of x.ticks) {
    const at = x.at(tick);
    drawing.marks.push({ x: at, x2: at, y, y2: y + 4, color: colors.rule, width: 1 });
    drawing.labels.push({
      x: at,
      y: y + 14,
      text: text(tick),
      color: colors.ink,
      align: "center",
      weight: "regular",
    });
  }
  const title = x.logarithmic ? `${name} (logarithmic)` : name;
  drawing.labels.push({
    x: PLOT / 2,
    y: y + 36,
    text: title,
    color: colors.muted,
    align: "center",
    weight: "regular",
  });
}
