// The kinds of options there are: how a value is read, and what is said of a wrong one.
import { readFileSync, statSync } from "node:fs";

import { messageOf, UsageError } from "../errors.ts";
import { nearest } from "../metrics/nearest.ts";
import { parseScale, SCALE_NAMES } from "../scorer/scales.ts";
import { visible } from "../text/visible.ts";
import type { Scale } from "../types.ts";

/** A day: above it, a time-out is none. */
const MOST_SECONDS = 86_400;

/** What every option with a value needs: without one, yargs refuses it. */
export const VALUE = { requiresArg: true } as const;

/** An option that is given once; yargs makes a list of one that is given again. */
function once<T>(name: string, value: T): T {
  if (Array.isArray(value))
    throw new UsageError(`--${name} is given ${value.length} times, but takes one value`);
  if (value === "") throw empty(name);
  return value;
}

function empty(name: string): UsageError {
  return new UsageError(`--${name} is empty: give it a value or leave it out`);
}

/** One value each time, so that `--gate A B` is not read as two gates. */
export function repeatable(name: string) {
  return {
    type: "string",
    array: true,
    nargs: 1,
    coerce(values: string[]): string[] {
      if (values.some((value) => value.trim() === "")) throw empty(name);
      return values;
    },
  } as const;
}

export function text(name: string) {
  return {
    ...VALUE,
    type: "string",
    coerce: (value: unknown): string => String(once(name, value)),
  } as const;
}

/** Without a type, because yargs turns a value that is no number into NaN, before anyone can quote it. */
export function wholeNumber(name: string, lowest: number, highest: number) {
  return {
    ...VALUE,
    coerce(value: unknown): number {
      const given = String(once(name, value));
      const number = given.trim() === "" ? NaN : Number(given);
      if (!Number.isInteger(number) || number < lowest || number > highest) {
        const range =
          highest === Number.MAX_SAFE_INTEGER ? `of at least ${lowest}` : `from ${lowest} to ${highest}`;
        throw new UsageError(`--${name} takes a whole number ${range}, not ${given}`);
      }
      return number;
    },
  } as const;
}

/** A length of time in seconds, fractions allowed. */
export function seconds(name: string) {
  return {
    ...VALUE,
    coerce(value: unknown): number {
      const given = String(once(name, value));
      const number = given.trim() === "" ? NaN : Number(given);
      if (!(number > 0 && number <= MOST_SECONDS))
        throw new UsageError(`--${name} takes seconds from above 0 to ${MOST_SECONDS}, not ${given}`);
      return number;
    },
  } as const;
}

/** How many images may fail: `N`, or `P%` of all. */
export interface FailureLimit {
  readonly value: number;
  readonly unit: "images" | "percent";
}

export function failureLimit(name: string) {
  return {
    ...VALUE,
    type: "string",
    coerce(value: unknown): FailureLimit {
      const given = String(once(name, value)).trim();
      const percent = given.endsWith("%");
      const number = Number(percent ? given.slice(0, -1) : given);
      const wrong = given === "" || given === "%" || !(number >= 0) || (percent && number > 100);
      if (wrong || (!percent && !Number.isInteger(number)))
        throw new UsageError(
          `--${name} takes a number of images, such as 10, or a share of them, such as 0.5%, not ${given}`,
        );
      return { value: number, unit: percent ? "percent" : "images" };
    },
  } as const;
}

/** An http(s) URL. Of a wrong one, nothing is repeated that could hold a password. */
export function httpUrl(name: string) {
  return {
    ...VALUE,
    type: "string",
    coerce(value: unknown): URL {
      const given = String(once(name, value)).trim();
      const url = URL.canParse(given) ? new URL(given) : null;
      if (url !== null && /^https?:$/.test(url.protocol)) return url;
      const shown = given.includes("@") || given.includes("?") ? "what was given" : given;
      throw new UsageError(`--${name} takes a URL such as http://localhost:5001/score, not ${shown}`);
    },
  } as const;
}

export function choice<T extends string>(name: string, choices: readonly T[]) {
  return {
    ...VALUE,
    choices,
    coerce(value: unknown): T {
      const given = String(once(name, value));
      if (!choices.includes(given as T)) throw new UsageError(notOneOf(name, given, choices));
      return given as T;
    },
  } as const;
}

/** A scale by its name or as MEAN,STD, or one of `others`. */
export function scaleChoice<T extends string = never>(...others: readonly T[]) {
  return {
    ...VALUE,
    type: "string",
    coerce(value: unknown): Scale | T {
      // A config file may give the two numbers as a list.
      const given = String(once("scale", isPair(value) ? value.join(",") : value));
      const scale = others.includes(given as T) ? (given as T) : parseScale(given);
      if (scale !== null) return scale;
      throw new UsageError(
        given.includes(",")
          ? `--scale takes MEAN,STD as two numbers in units of x/255, such as 0.1307,0.3081, STD above 0, not ${given}`
          : notOneOf("scale", given, [...others, ...SCALE_NAMES, "MEAN,STD"]),
      );
    },
  } as const;
}

const isPair = (value: unknown): value is unknown[] =>
  Array.isArray(value) &&
  value.length === 2 &&
  value.every((part) => part !== "" && Number.isFinite(Number(part)));

/** What the scales make of a pixel, for `--help`. */
export const SCALE_FORMULAS =
  "x/255 (unit), x (raw), (x/255−0.1307)/0.3081 (mnist), x/127.5−1 (signed), x/255−0.5 (centered), (x/255−MEAN)/STD (MEAN,STD)";

/** A list that may be written `a,b` or given by repeating the option; `none` is the empty one. */
export function listOf<T extends string>(name: string, choices: readonly T[]) {
  return {
    ...VALUE,
    type: "string",
    coerce(value: unknown): T[] {
      const items = [value]
        .flat()
        .flatMap((item) => String(item).split(","))
        .map((item) => item.trim())
        .filter((item) => item !== "");
      // A config file may give the empty list as such.
      if (items.length === 0 && [value].flat().length > 0) throw empty(name);
      const wanted = items.filter((item) => item !== "none");
      const wrong = wanted.find((item) => !choices.includes(item as T));
      if (wrong !== undefined) throw new UsageError(notOneOf(name, wrong, [...choices, "none"]));
      if (wanted.length > 0 && wanted.length < items.length)
        throw new UsageError(`--${name}: none cannot be combined with ${wanted[0]}`);
      return choices.filter((item) => wanted.includes(item));
    },
  } as const;
}

function notOneOf(name: string, given: string, choices: readonly string[]): string {
  const meant = nearest(given, choices);
  const advice = meant.length === 0 ? "" : `: did you mean ${meant.join(" or ")}?`;
  return `--${name}: ${given} is not one of ${choices.join(", ")}${advice}`;
}

/** What charts and terminals cannot show: controls, breaks of lines, changes of direction, halves of characters. */
const STEERING = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u202A-\u202E\u2066-\u2069\uFFFE\uFFFF]/u;

/** Names written `a,b`, a file that holds one a line, or a list of names; in the latter two, names may hold commas. */
export function classNames(value: unknown): string[] {
  const list: unknown[] = Array.isArray(value) ? value : (linesOf(String(value)) ?? String(value).split(","));
  const names = list.map((name) => String(name).trim());
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  const steering = names.find((name) => STEERING.test(name));
  if (names.includes("")) throw new UsageError("--classes has an empty name: write --classes a,b,c");
  if (twice !== undefined)
    throw new UsageError(`--classes names ${twice} twice: every class needs its own name`);
  if (steering !== undefined)
    throw new UsageError(
      `--classes: the name '${visible(steering)}' holds a control character: write names in characters that show`,
    );
  return names;
}

/** The lines of a file of this name, without a last empty one; null where there is none. */
function linesOf(path: string): string[] | null {
  // A name that no file has is the usual case: a list of names.
  if (!statSync(path, { throwIfNoEntry: false })?.isFile()) return null;
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path));
    return text.replace(/\n$/, "").split("\n");
  } catch (error) {
    throw new UsageError(`--classes ${path}: cannot read the names, one a line: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
