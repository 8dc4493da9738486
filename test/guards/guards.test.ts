/**
 * False alarms and misses of every guard, on fifty sound models and on flaws that are made on purpose. The tables stand in
 * docs/guards.md, which is held to them; UPDATE_GOLDEN=1 rewrites them.
 */
import { readFileSync, writeFileSync } from "node:fs";

import { beforeAll, expect, test } from "vitest";

import { createGuards, type GuardName } from "../../src/metrics/guards.ts";
import { createTally } from "../../src/metrics/tally.ts";
import { loadModel, openModel } from "../../src/scorer/open.ts";
import { type Answers, answers, FLAWS, predictedBy, ODD_DATA, UNGUARDED } from "./flaws.ts";
import { CLASSES, logitsOf, mnist, type Model, PIXELS, train, type Training, untrained } from "./models.ts";

const NAMES = "0123456789".split("");
const TEST_IMAGES = 1_000;
const DOCS = new URL("../../docs/guards.md", import.meta.url);
const GUARDS: readonly GuardName[] = [...new Set(Object.values(FLAWS).map(({ guard }) => guard))];

/** Which guards speak. Rows are divided by their sums, as scores are before a guard sees them. */
function spoken({ truth, probabilities, predicted = predictedBy(probabilities) }: Answers): GuardName[] {
  const shares = probabilities.slice();
  for (let at = 0; at < shares.length; at += CLASSES) {
    const row = shares.subarray(at, at + CLASSES);
    const sum = row.reduce((total, p) => total + p, 0);
    row.forEach((p, c) => (row[c] = p / sum));
  }
  const n = truth.length;
  const batch = {
    indices: new Uint32Array(n),
    pixels: new Uint8Array(n),
    truth,
    predicted,
    probabilities: shares,
  };
  const [guards, tally] = [createGuards(CLASSES), createTally(NAMES)];
  guards.add(batch, 0);
  tally.add(batch);
  return guards.findings(tally.measurements(), NAMES, { unpredicted: 0, zero: 0 }).map(({ guard }) => guard);
}

/** 44 ways to train: linear and with a hidden layer, on few and many images, long and short, sure and unsure. */
const WAYS: readonly Training[] = Array.from({ length: 44 }, (_, i) => ({
  hidden: i % 2 === 0 ? 0 : [16, 24, 32][i % 3]!,
  images: [600, 1_200, 1_800][i % 3]!,
  epochs: [1, 3, 6, 2][i % 4]!,
  rate: [0.02, 0.05, 0.005][(i >> 2) % 3]!,
  l2: [0, 0, 0, 1e-4, 3e-3][i % 5]!,
  smoothing: [0, 0, 0.2, 0, 0.4, 0, 0][i % 7]!,
  seed: 100 + i,
}));
const FILES = ["mnist-8", "mnist-12", "pytorch-dynamic-mit", "fixed-batch10", "dup-output", "sklearn-logreg"];

const training = mnist("train", 0, 1_800);
const images = mnist("t10k", 5_000 - TEST_IMAGES / 2, 5_000 + TEST_IMAGES / 2);
/** Flaws are made on every other pair of the trained ones. */
const flawed = () => made.filter((_, i) => i % 4 < 2);
const made: { readonly model: Model; readonly way: Training; readonly sound: Answers }[] = [];
const sound: Answers[] = [];

beforeAll(async () => {
  for (const way of WAYS) {
    const model = train(training, way);
    made.push({ model, way, sound: answers(images, logitsOf(model, images)) });
  }
  sound.push(...made.map((each) => each.sound));
  for (const name of FILES) sound.push(await scored(name));
}, 600_000);

/** A public model's answers, with pixels as x/255. */
async function scored(name: string): Promise<Answers> {
  const n = TEST_IMAGES;
  const pixels = new Uint8Array(n * PIXELS);
  for (let row = 0; row < n; row++) {
    for (let at = images.starts[row]!; at < images.starts[row + 1]!; at++)
      pixels[row * PIXELS + images.positions[at]!] = Math.round(255 * images.values[at]!);
  }
  const batch = { indices: Uint32Array.from(images.labels.keys()), labels: images.labels, pixels };
  const loaded = await loadModel(new URL(`../fixtures/models/${name}.onnx`, import.meta.url).pathname);
  const options = { layout: "auto", resize: "none", output: null } as const;
  const opened = await openModel(loaded, { classes: NAMES, shape: [28, 28] }, options, batch);
  const scorer = opened.scorer({ scale: "unit", invert: false, transpose: false });
  try {
    const { probabilities } = await scorer.score(batch, new AbortController().signal);
    return { truth: images.labels, probabilities: Float64Array.from(probabilities!) };
  } finally {
    await scorer.close();
  }
}

/** Without how wide a formatter makes a table. */
const plain = (markdown: string) => markdown.replaceAll(/ +/g, " ").replaceAll(/-{2,}:?/g, "-");
const cell = (count: number): string => (count === 0 ? "·" : String(count));

function falseAlarms(): { readonly rows: string[]; readonly total: number } {
  const perGuard = GUARDS.map((guard) => sound.filter((each) => spoken(each).includes(guard)).length);
  const total = sound.filter((each) => spoken(each).length > 0).length;
  return { rows: GUARDS.map((guard, i) => `| ${guard} | ${cell(perGuard[i]!)} |`), total };
}

function misses(): string[] {
  return Object.entries(FLAWS).map(([flaw, { guard, make }]) => {
    const found = flawed().map((each) => spoken(make(givenOf(each))));
    const right = found.filter((guards) => guards.includes(guard)).length;
    const silent = found.filter((guards) => guards.length === 0).length;
    return `| ${flaw} | ${guard} | ${right} | ${cell(found.length - right - silent)} | ${cell(silent)} |`;
  });
}

function givenOf({ model, way, sound }: (typeof made)[number]) {
  return { model, images, sound, withoutEight: WITHOUT_EIGHT.get(way)!, untrained: untrained(way) };
}
const WITHOUT_EIGHT = new Map<Training, Model>();
beforeAll(() => {
  for (const { way } of flawed()) WITHOUT_EIGHT.set(way, train(training, { ...way, without: 8 }));
}, 600_000);

function spokenTable(cases: readonly (readonly [string, readonly Answers[]])[]): string[] {
  return cases.map(([name, all]) => {
    const counts = new Map<GuardName, number>();
    for (const each of all) for (const guard of spoken(each)) counts.set(guard, (counts.get(guard) ?? 0) + 1);
    const words = [...counts].map(([guard, count]) => `${guard} ${count}`).join(", ");
    return `| ${name} | ${all.length} | ${words === "" ? "·" : words} |`;
  });
}

test("guards warn of what is wrong, and of next to nothing else, as docs/guards.md says", () => {
  expect(sound).toHaveLength(50);
  const alarms = falseAlarms();
  expect(alarms.total).toBeLessThanOrEqual(1);
  const missed = misses();
  const odd = Object.entries(ODD_DATA).map(([name, make]) => [name, sound.map(make)] as const);
  const unguarded = Object.entries(UNGUARDED).map(
    ([name, make]) => [name, flawed().map((each) => make(givenOf(each)))] as const,
  );
  const tables = [
    `| guard | false alarms in ${sound.length} |\n| --- | --: |\n${alarms.rows.join("\n")}`,
    `| flaw | guard | caught in ${flawed().length} | another guard | missed |\n| --- | --- | --: | --: | --: |\n${missed.join("\n")}`,
    `| data | models | guards that spoke |\n| --- | --: | --- |\n${spokenTable(odd).join("\n")}`,
    `| fed | models | guards that spoke |\n| --- | --: | --- |\n${spokenTable(unguarded).join("\n")}`,
  ];
  const text = readFileSync(DOCS, "utf8");
  let at = 0;
  const expected = text.replaceAll(/<!-- table -->[^]*?<!-- \/table -->/g, () => {
    return `<!-- table -->\n\n${tables[at++]}\n\n<!-- /table -->`;
  });
  if (process.env["UPDATE_GOLDEN"] === "1") writeFileSync(DOCS, expected);
  expect(at).toBe(tables.length);
  expect(plain(readFileSync(DOCS, "utf8"))).toBe(plain(expected));
}, 600_000);
