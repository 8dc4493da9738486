import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";
import yargs from "yargs";

import {
  evaluateOptions,
  trainOptions,
  type EvaluateArguments,
  type TrainArguments,
} from "../../src/cli/options.ts";
import { UsageError } from "../../src/errors.ts";

function strict(args: readonly string[]) {
  return yargs([...args])
    .strict()
    .exitProcess(false)
    .fail((message, error) => {
      throw error ?? new Error(message);
    });
}

/** The options as a command gets them. @throws what yargs would print */
function parse(args: readonly string[], config: object = {}): EvaluateArguments {
  return evaluateOptions(strict(args).config(config)).parseSync();
}

function parseTrain(args: readonly string[]): TrainArguments {
  return trainOptions(strict(args)).parseSync();
}

describe("evaluateOptions(args)", () => {
  test("have the defaults that the documentation gives", () => {
    expect(parse([])).toMatchObject({
      dataset: "mnist",
      split: "test",
      dataDir: "data",
      mirror: [],
      offline: false,
      refresh: false,
      scale: "auto",
      layout: "auto",
      seed: 42,
      out: "reports",
      charts: ["svg", "png"],
      reports: ["json", "csv", "html", "markdown", "junit"],
      gate: [],
      quiet: false,
      json: false,
    });
    for (const name of ["images", "labels", "classes", "limit", "model", "color"]) {
      expect(parse([])).not.toHaveProperty(name);
    }
  });

  test.each([
    [["--charts", "png"], { charts: ["png"] }],
    [["--charts", "png, svg,"], { charts: ["svg", "png"] }],
    [["--charts", "png", "--charts", "svg"], { charts: ["svg", "png"] }],
    [["--charts", "none"], { charts: [] }],
    [["--reports=none"], { reports: [] }],
    [["--reports", "junit,json"], { reports: ["json", "junit"] }],
    [
      ["--gate", "accuracy >= 0.9", "--gate=recall[5] > 0.8"],
      { gate: ["accuracy >= 0.9", "recall[5] > 0.8"] },
    ],
    [["--mirror", "http://a", "--mirror", "file:///b"], { mirror: ["http://a", "file:///b"] }],
    [["--limit", "1e3", "--seed", "-7"], { limit: 1000, seed: -7 }],
    [
      ["--images", "i", "--labels", "l", "--classes", "cat, dog"],
      { images: "i", labels: "l", classes: ["cat", "dog"] },
    ],
    [
      ["--offline", "--refresh", "--mirror", "file:///b"],
      { offline: true, refresh: true, mirror: ["file:///b"] },
    ],
    [["--out", "2026"], { out: "2026" }],
    [["--no-color"], { color: false }],
    [["--scale", "centered"], { scale: "centered" }],
    [["--scale", "0.2860, 0.3530"], { scale: "0.286,0.353" }],
    [["--scale=-0.5,2"], { scale: "-0.5,2" }],
    [["--color"], { color: true }],
  ])("read %j", (args, expected) => {
    expect(parse(args)).toMatchObject(expected);
  });

  test.each([
    [["--charts", "pdf"], "--charts: pdf is not one of svg, png, none"],
    [["--charts", "pn"], "--charts: pn is not one of svg, png, none: did you mean png?"],
    [["--charts", "none,svg"], "--charts: none cannot be combined with svg"],
    [["--split", "tests"], "--split: tests is not one of test, train: did you mean test?"],
    [["--split", "test", "--split", "train"], "--split is given 2 times, but takes one value"],
    [["--model", "a", "--model", "b", "--model", "c"], "--model is given 3 times, but takes one value"],
    [["--model", ""], "--model is empty: give it a value or leave it out"],
    [["--charts", ""], "--charts is empty: give it a value or leave it out"],
    [["--reports="], "--reports is empty: give it a value or leave it out"],
    [["--reports", ","], "--reports is empty: give it a value or leave it out"],
    [["--mirror", ""], "--mirror is empty: give it a value or leave it out"],
    [["--mirror", "http://a", "--mirror="], "Not enough arguments following: mirror"],
    [["--gate", ""], "--gate is empty: give it a value or leave it out"],
    [["--classes="], "--classes has an empty name: write --classes a,b,c"],
    [["--model"], "Not enough arguments following: model"],
    [["--gate"], "Not enough arguments following: gate"],
    [["--limit", "--quiet"], "Not enough arguments following: limit"],
    [["--limit", "0"], "--limit takes a whole number of at least 1, not 0"],
    [["--limit", "ten"], "--limit takes a whole number of at least 1, not ten"],
    [["--limit", "1.5"], "--limit takes a whole number of at least 1, not 1.5"],
    [["--limit", "1", "--limit", "2"], "--limit is given 2 times, but takes one value"],
    [["--limit="], "--limit is empty: give it a value or leave it out"],
    [["--seed", "2147483648"], "--seed takes a whole number from -2147483648 to 2147483647, not 2147483648"],
    [["--batch-size", "-1"], "--batch-size takes a whole number from 1 to 1000000, not -1"],
    [
      ["--offline", "--refresh"],
      "--refresh downloads again, which --offline forbids: leave one of the two out",
    ],
    [["--labels", "l"], "--images and --labels go together: name both files of the pair"],
    [
      ["--images", "i", "--labels", "l", "--classes", "a,,b"],
      "--classes has an empty name: write --classes a,b,c",
    ],
    [
      ["--images", "i", "--labels", "l", "--classes", "a,b,a"],
      "--classes names a twice: every class needs its own name",
    ],
    [
      ["--scale", "centred"],
      "--scale: centred is not one of auto, unit, raw, mnist, signed, centered, MEAN,STD: did you mean centered?",
    ],
    ...["0.5,0", "0.5,", "0.1,0.2,0.3", "0.5,x"].map((given): [string[], string] => [
      ["--scale", given],
      `--scale takes MEAN,STD as two numbers in units of x/255, such as 0.1307,0.3081, STD above 0, not ${given}`,
    ]),
    [["--scale", "unit", "--scale", "raw"], "--scale is given 2 times, but takes one value"],
    [["--gate", "accuracy", ">=", "0.9"], "Unknown arguments: >=, 0.9"],
  ])("refuse %j", (args, message) => {
    expect(() => parse(args)).toThrow(message);
  });

  test("read --classes from a file, one a line, and say what is wrong with it", () => {
    const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-options-"));
    try {
      const file = (name: string, content: string | Uint8Array) => {
        writeFileSync(join(folder, name), content);
        return join(folder, name);
      };
      const classes = (path: string) => parse(["--images", "i", "--labels", "l", "--classes", path]).classes;
      expect(classes(file("names.txt", "T-shirt, top\r\nAnkle boot\nça\n"))).toEqual([
        "T-shirt, top",
        "Ankle boot",
        "ça",
      ]);
      expect(() => classes(file("gap.txt", "a\n\nb\n"))).toThrow(
        "--classes has an empty name: write --classes a,b,c",
      );
      const binary = file("binary", Uint8Array.of(0xff, 0xfe, 0x0a));
      expect(() => classes(binary)).toThrow(`--classes ${binary}: cannot read the names, one a line: `);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("go before the config file's, as a whole", () => {
    const config = {
      limit: "5",
      seed: "7",
      gate: ["accuracy > 1"],
      charts: ["svg"],
      images: "i",
      labels: "l",
    };
    expect(parse(["--limit", "9", "--gate", "recall[1] > 0"], config)).toMatchObject({
      limit: 9,
      seed: 7,
      gate: ["recall[1] > 0"],
      charts: ["svg"],
      images: "i",
    });
  });
});

describe("a list in the config file", () => {
  const own = { images: "i", labels: "l" };

  test.each([
    [{ ...own, classes: ["a,b", " c"] }, { classes: ["a,b", "c"] }],
    [{ ...own, classes: "a,b, c" }, { classes: ["a", "b", "c"] }],
    [{ charts: [] }, { charts: [] }],
    [{ reports: ["json", "csv"] }, { reports: ["json", "csv"] }],
    [{ mirror: "http://a" }, { mirror: ["http://a"] }],
    [{ scale: ["0.1307", "0.3081"] }, { scale: "0.1307,0.3081" }],
  ])("is read as it stands: %j", (config, expected) => {
    expect(parse([], config)).toMatchObject(expected);
  });

  test.each([
    [{ mirror: ["http://a", ""] }, "--mirror is empty: give it a value or leave it out"],
    [{ mirror: "" }, "--mirror is empty: give it a value or leave it out"],
    [{ charts: "" }, "--charts is empty: give it a value or leave it out"],
    [{ ...own, classes: ["a", ""] }, "--classes has an empty name: write --classes a,b,c"],
  ])("is refused where a value is empty: %j", (config, message) => {
    expect(() => parse([], config)).toThrow(message);
  });
});

describe("trainOptions(args)", () => {
  test("take the file to write, and no option of evaluate", () => {
    expect(parseTrain(["--model", "m.onnx"])).toMatchObject({ model: "m.onnx", dataDir: "data" });
    expect(() => parseTrain(["--limit", "5"])).toThrow("Unknown argument: limit");
    expect(() => parseTrain(["--split", "train"])).toThrow("Unknown argument: split");
  });

  test("replace the bundled model by one of its own data set only", () => {
    expect(parseTrain([])).toMatchObject({ dataset: "mnist" });
    expect(parseTrain(["--dataset", "kmnist", "--model", "k.onnx"])).toMatchObject({ model: "k.onnx" });
    expect(() => parseTrain(["--dataset", "kmnist"])).toThrow(
      new UsageError(
        "--dataset kmnist would replace the bundled model, which is of mnist: name the file to write with --model",
      ),
    );
  });
});
