import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../src", import.meta.url));

/** What each place in src may import from besides itself; what is not listed is the ground floor. */
const STAGES = ["dataset", "scorer", "metrics", "charts", "report"];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(STAGES.map((stage) => [stage, []])),
  evaluate: STAGES,
  "evaluate.ts": [...STAGES, "evaluate"],
  preflight: STAGES,
  "preflight.ts": [...STAGES, "preflight"],
  "parity.ts": STAGES,
  train: [...STAGES, "evaluate.ts"],
  server: [...STAGES, "evaluate.ts", "preflight.ts"],
  cli: [...STAGES, "evaluate.ts", "preflight.ts", "parity.ts", "train", "server"],
};
const GROUND = [
  "types.ts",
  "errors.ts",
  "random.ts",
  "package.ts",
  "folders.ts",
  "grouped.ts",
  "large-images.ts",
  "files",
  "text",
  "statistics",
];

interface Import {
  readonly from: string;
  readonly to: string;
}

function imports(): Import[] {
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .flatMap((file) =>
      [...readFileSync(join(root, file), "utf8").matchAll(/(?:from|import\()\s*"(\.[^"]+)"/g)].map(
        ([, target]) => ({
          from: file,
          to: relative(root, join(root, dirname(file), target!)),
        }),
      ),
    );
}

const place = (file: string): string => file.split("/")[0]!;

test("imports run downward only: no stage imports another, and nothing imports cli", () => {
  const upward = imports()
    .filter(({ from, to }) => place(from) !== place(to))
    .filter(({ from, to }) => !GROUND.includes(place(to)) && !MAY_IMPORT[place(from)]?.includes(place(to)))
    .map(({ from, to }) => `${from} → ${to}`);
  expect(upward).toEqual([]);
});

test("the ground floor imports nothing but itself", () => {
  const upward = imports().filter(
    ({ from, to }) => GROUND.includes(place(from)) && !GROUND.includes(place(to)),
  );
  expect(upward).toEqual([]);
});

test("no import goes round in a circle", () => {
  const targets = new Map<string, string[]>();
  for (const { from, to } of imports()) targets.set(from, [...(targets.get(from) ?? []), to]);
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(" → "));
    else for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
  };
  for (const file of targets.keys()) visit(file, []);
  expect([...new Set(circles)].slice(0, 5)).toEqual([]);
});

test("only the command's own code reads argv or ends the process", () => {
  const readers = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("cli/"))
    .filter((file) => /process\.(argv|exit)\b/.test(readFileSync(join(root, file), "utf8")));
  expect(readers).toEqual([]);
});
