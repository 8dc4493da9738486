/** From a number to pixels from the left or the top, with the numbers that an axis names. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
  readonly logarithmic: boolean;
}

/** Numbers of an axis: about how many, and the least that two may be apart. */
export interface Ticks {
  readonly ticks?: number;
  readonly least?: number;
}

/** Above this ratio a linear axis would press the smaller numbers together. */
const LOGARITHMIC_FROM = 8;
const TICKS = 6;
/** Fewest numbers of a logarithmic axis for which 1, 2, 5, 10 … do. */
const FEWEST = 4;
const STEPS = [1, 2, 5, 10];
/** Steps may be so much smaller than asked for, lest an axis has no number but 0. */
const SHORTER = 0.7;
const ROUNDING = 1e-9;

/** A linear scale whose numbers are round. @param range pixels of the domain's ends */
export function linear(
  domain: readonly [number, number],
  range: readonly [number, number],
  ticks: Ticks = {},
): Scale {
  const [low, high] = domain;
  const [from, to] = range;
  return {
    at: (value) => from + ((value - low) / (high - low)) * (to - from),
    ticks: roundNumbers(domain, ticks),
    logarithmic: false,
  };
}

function roundNumbers([low, high]: readonly [number, number], { ticks = TICKS, least = 0 }: Ticks): number[] {
  const rough = (high - low) / ticks;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(least, power * (STEPS.find((each) => each * power >= rough * SHORTER) ?? 1));
  const first = Math.ceil(low / step - ROUNDING);
  const count = Math.floor(high / step + ROUNDING) - first + 1;
  // Multiplied, because adding steps up would add their rounding up.
  return Array.from({ length: Math.max(0, count) }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * A scale of positive numbers that is logarithmic where they span more than a factor.
 *
 * @param range pixels of the domain's ends
 */
export function spread(
  domain: readonly [number, number],
  range: readonly [number, number],
  { ticks = TICKS, logarithmicFrom = LOGARITHMIC_FROM } = {},
): Scale {
  const [low, high] = domain;
  const [from, to] = range;
  if (high / low <= logarithmicFrom) return linear(domain, range, { ticks });
  const width = Math.log(high / low);
  return {
    at: (value) => from + (Math.log(value / low) / width) * (to - from),
    ticks: powers(domain, ticks),
    logarithmic: true,
  };
}

/** 1, 2, 5, 10 …, or powers of ten alone where those are too many; round numbers where they are too few. */
function powers(domain: readonly [number, number], ticks: number): number[] {
  const all = multiples(domain, [1, 2, 5]);
  if (all.length < FEWEST) return roundNumbers(domain, { ticks });
  if (all.length <= 2 * ticks) return all;
  const tens = multiples(domain, [1]);
  return tens.filter((_, i) => i % Math.ceil(tens.length / (2 * ticks)) === 0);
}

function multiples([low, high]: readonly [number, number], digits: readonly number[]): number[] {
  const [first, last] = [Math.floor(Math.log10(low)), Math.floor(Math.log10(high))];
  return Array.from({ length: last - first + 1 }, (_, i) => first + i)
    .flatMap((exponent) => digits.map((digit) => Number(`${digit}e${exponent}`)))
    .filter((value) => value >= low && value <= high);
}
