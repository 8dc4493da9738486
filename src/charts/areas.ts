import type { ClassMetrics, Estimate } from "../types.ts";
import { colors } from "./theme.ts";
import { listed, score } from "./wording.ts";

/** Up to this many classes all curves are told apart by colour. */
const ALL_NAMED = 4;
const WORST_NAMED = 3;
/** Areas that are the same may differ by this, having been added up in another order. */
const ROUNDING = 1e-9;
const CURVE_COLORS = [colors.series[1], colors.series[0], colors.series[2], colors.series[3]] as const;

/** A class with the area under its curve. */
export interface Area {
  readonly class: string;
  readonly area: number;
}

/** The classes whose area is defined, smallest area first. */
export function worstFirst(
  classes: readonly ClassMetrics[],
  area: (c: ClassMetrics) => Estimate,
): readonly Area[] {
  return classes
    .flatMap((c) => {
      const { value } = area(c);
      return value === null ? [] : [{ class: c.class, area: value }];
    })
    .sort((a, b) => a.area - b.area);
}

/** The names of the classes that share the smallest area: all of them where all are equal. */
export function smallest(areas: readonly Area[]): readonly string[] {
  return areas.filter((a) => a.area - (areas[0]?.area ?? 0) < ROUNDING).map((a) => a.class);
}

/** The classes to draw in colour, worst first, each with its colour: none where no class is worse than another. */
export function highlighted(areas: readonly Area[]): readonly (Area & { readonly color: string })[] {
  if (areas.length > 1 && smallest(areas).length === areas.length) return [];
  const named = areas.length <= ALL_NAMED ? areas : areas.slice(0, WORST_NAMED);
  return named.map((a, i) => ({ ...a, color: CURVE_COLORS[i] ?? colors.ink }));
}

/** `5`, `3, 5 and 8`, or `12 classes` where the names would be too many for a title. */
export function namesOf(classes: readonly string[]): string {
  return classes.length > WORST_NAMED ? `${classes.length} classes` : listed(classes);
}

/** `0.985`, or `0.985 to 0.999` */
export function range(areas: readonly Area[]): string {
  const [low, high] = [score(areas[0]?.area ?? 0), score(areas.at(-1)?.area ?? 0)];
  return low === high ? low : `${low} to ${high}`;
}
