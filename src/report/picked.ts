import type { Confusion, Evaluation } from "../types.ts";
import { count, level, percent, range } from "./format.ts";

// What is said of what was picked after looking: an interval by itself would be too narrow for it.

/** `Weakest: 5, the lowest recall of 10: 86.21 % (82.69–89.27 %, a 95 % interval that allows for the choice).`; empty without. */
export function weakestSentence({ weakestClass }: Evaluation): string {
  const { value = null, interval = null } = weakestClass?.recall ?? {};
  if (weakestClass === null || interval === null) return "";
  return (
    `Weakest: ${weakestClass.class}, the lowest recall of ${count(interval.simultaneous ?? 1)}: ${percent(value)} ` +
    `(${range(interval, "percent")}, a ${level(interval)} interval that allows for the choice).`
  );
}

/** How the confusions are ranked, and what their intervals hold; empty without. */
export function confusionsSentence([first]: readonly Confusion[]): string {
  if (!first?.interval) return "";
  const { interval } = first;
  return (
    `Ranked by the low end of the ${level(interval)} intervals, which hold for all ` +
    `${count(interval.simultaneous ?? 1)} possible confusions together.`
  );
}
