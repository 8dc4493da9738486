import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus } from "pure-rand/generator/xoroshiro128plus";

/** Everything random comes from one of these, so that a seed repeats a run. */
export interface Random {
  /** A whole number in 0 … bound − 1, each as likely. */
  below(bound: number): number;
}

/** Two sources with the same seed give the same numbers. */
export function seededRandom(seed: number): Random {
  const generator = xoroshiro128plus(seed);
  return { below: (bound) => uniformInt(generator, 0, bound - 1) };
}

/** `count` different whole numbers below `bound`, or all of them; each choice is as likely. */
export function samplePositions(random: Random, count: number, bound: number): ReadonlySet<number> {
  const chosen = new Set<number>();
  while (chosen.size < Math.min(count, bound)) chosen.add(random.below(bound));
  return chosen;
}
