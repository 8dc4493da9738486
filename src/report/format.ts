import type { Estimate, GateResult, Interval } from "../types.ts";

/** Stands for an undefined number. */
export const UNDEFINED = "–";
const MOST_DIGITS = 15;

/** `percent`: 0.9204 is shown as `92.04 %`; `decimal`: as `0.9204`. */
export type NumberStyle = "percent" | "decimal";

/** A whole number with thousands separators: `10,000`. */
export function count(value: number): string {
  return String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");
}

/** `1 image`, `2 images`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/**
 * A fixed number of decimals, or as many more as it takes that a number just short of `limits` does not look as if it
 * had reached them: one mistake in a million images is not 100 %.
 */
function fixed(value: number, digits: number, limits: readonly number[]): string {
  for (let d = digits; d <= MOST_DIGITS; d++) {
    const text = value.toFixed(d);
    if (!limits.some((limit) => limit !== value && Number(text) === limit)) return text;
  }
  return String(value);
}

/** A share between 0 and 1 as `92.04 %`: 100 % and 0 % only where it is exactly that. */
export function percent(value: number | null, digits = 2): string {
  return value === null ? UNDEFINED : `${fixed(value * 100, digits, [0, 100])} %`;
}

/** Four decimals, `0.3447`: 0 and 1 only where it is exactly that. */
export function decimal(value: number | null, digits = 4): string {
  return value === null ? UNDEFINED : fixed(value, digits, [-1, 0, 1]);
}

export function styled(value: number | null, style: NumberStyle): string {
  return style === "percent" ? percent(value) : decimal(value);
}

/** `91.49–92.55 %` or `0.9149–0.9255`; with a negative bound `-0.0100 to 0.0200`; empty without an interval. */
export function range(interval: Pick<Interval, "low" | "high"> | null, style: NumberStyle): string {
  if (interval === null) return "";
  const { low, high } = interval;
  const dash = low < 0 ? " to " : "–";
  if (style === "decimal") return `${decimal(low)}${dash}${decimal(high)}`;
  return `${percent(low).replace(" %", "")}${dash}${percent(high)}`;
}

/** `95 %` of an interval's level. */
export function level(interval: Pick<Interval, "level">): string {
  return `${Number((interval.level * 100).toFixed(6))} %`;
}

/** `92.04 % (91.49–92.55 %)`, without brackets where there is no interval. */
export function estimate({ value, interval }: Estimate, style: NumberStyle): string {
  const bounds = range(interval, style);
  return bounds === "" ? styled(value, style) : `${styled(value, style)} (${bounds})`;
}

/**
 * What a gate measured, with as many decimals as it takes to stand on the same side of the threshold as the number
 * itself: 0.919996 against 0.92 is never shown as 0.9200.
 */
export function measured({ actual, expected }: Pick<GateResult, "actual" | "expected">): string {
  if (actual === null) return UNDEFINED;
  // Counts and times are larger than shares.
  const least = Math.abs(actual) < 10 ? 4 : Number.isInteger(actual) ? 0 : 1;
  for (let digits = least; digits <= MOST_DIGITS; digits++) {
    const text = actual.toFixed(digits);
    if (Math.sign(Number(text) - expected) === Math.sign(actual - expected)) return text;
  }
  return String(actual);
}

/** `0.61 s`, `12 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

const DIGITS_OF_SPEED = 3;
const MS_PER_SECOND = 1000;
const MS_PER_MINUTE = 60_000;
/** From here on a time is told in minutes. */
const LONG = 3 * MS_PER_MINUTE;

/** `0.42 ms`, `12.3 ms`, `1.5 s`, `20.3 min`: timing tells no more than three digits. */
export function latencyText(ms: number): string {
  const rounded = Number(ms.toPrecision(DIGITS_OF_SPEED));
  if (rounded < MS_PER_SECOND) return `${rounded} ms`;
  const [size, unit] = rounded < LONG ? [MS_PER_SECOND, "s"] : [MS_PER_MINUTE, "min"];
  return `${Number((ms / size).toPrecision(DIGITS_OF_SPEED))} ${unit}`;
}

/** A difference of probabilities with two digits that say something: `3.1e-7`, `0.0074`. */
export function difference(value: number | null): string {
  return value === null ? UNDEFINED : String(Number(value.toPrecision(2)));
}

/** A mean of whole numbers: `63.7`, `64`. */
export function mean(value: number): string {
  const [whole = "", tenth = "0"] = value.toFixed(1).split(".");
  return tenth === "0" ? count(Number(whole)) : `${count(Number(whole))}.${tenth}`;
}

/** `339,000 images/s`: timing tells no more than three digits. */
export function speed(imagesPerSecond: number): string {
  return `${count(Math.round(Number(imagesPerSecond.toPrecision(DIGITS_OF_SPEED))))} images/s`;
}

const UNITS = ["bytes", "kB", "MB", "GB"] as const;
const STEP = 1000;

/** `816 bytes`, `32.6 kB`, `1.20 GB`: three digits, in powers of 1,000. */
export function bytes(size: number): string {
  if (size < STEP) return size === 1 ? "1 byte" : `${size} bytes`;
  let power = Math.min(UNITS.length - 1, Math.floor(Math.log10(size) / 3));
  // 999,950 bytes are 1.00 MB, not 1000 kB.
  if (Number((size / STEP ** power).toPrecision(3)) >= STEP && power < UNITS.length - 1) power += 1;
  return `${(size / STEP ** power).toPrecision(3)} ${UNITS[power]}`;
}

/** The first characters of a digest or a commit: enough to tell it by. */
export function short(hash: string): string {
  return hash.slice(0, 12);
}
