import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, onTestFinished, test } from "vitest";

import { ScorerError } from "../../src/errors.ts";
import { checkUnchanged, readModel } from "../../src/scorer/model-file.ts";
import { external, graph, node, value } from "./models/graph.ts";
import { writeModel } from "./models.ts";

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-model-file-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const sha256 = (...contents: (Uint8Array | string)[]): string => {
  const hash = createHash("sha256");
  for (const content of contents) hash.update(content);
  return hash.digest("hex");
};

const weight = (name: string) => ({ name, dims: [1], dataType: 1, rawData: new Uint8Array(4) });

/** A model with one weight in each of these files. */
function modelWith(locations: readonly string[]): Uint8Array {
  return graph({
    inputs: [value("x", "float", ["N", 1])],
    nodes: [node("Sum", ["x", ...locations].join(" "), "y")],
    initializers: locations.map((location) => external(weight(location), location, 0)),
    outputs: [value("y", "float", ["N", 1])],
  });
}

describe("readModel(path)", () => {
  test("digests the file alone where it holds its weights", async () => {
    const path = writeModel(temporaryFolder(), "logits");
    const content = readFileSync(path);
    expect(await readModel(path)).toMatchObject({
      bytes: content.length,
      sha256: sha256(content),
      external: false,
    });
  });

  test("digests external weights too, so that other weights are another model", async () => {
    const folder = temporaryFolder();
    const path = writeModel(folder, "external-data");
    const weights = readFileSync(join(folder, "external-data.onnx.data"));
    const before = await readModel(path);
    expect(before.sha256).toBe(sha256(readFileSync(path), weights));
    weights[0]! ^= 1;
    writeFileSync(join(folder, "external-data.onnx.data"), weights);
    const after = await readModel(path);
    expect(after.bytes).toBe(before.bytes);
    expect(after.sha256).not.toBe(before.sha256);
  });

  test("digests several external files once each, in the order of their names", async () => {
    const folder = temporaryFolder();
    const content = modelWith(["b.data", "a.data", "b.data"]);
    writeFileSync(join(folder, "model.onnx"), content);
    writeFileSync(join(folder, "a.data"), "aaaa");
    writeFileSync(join(folder, "b.data"), "bbbbb");
    expect(await readModel(join(folder, "model.onnx"))).toMatchObject({
      bytes: content.length + 9,
      sha256: sha256(content, "aaaa", "bbbbb"),
      external: true,
    });
  });

  test("refuses a folder in the place of external weights", async () => {
    const folder = temporaryFolder();
    const path = join(folder, "model.onnx");
    writeFileSync(path, modelWith(["a.data"]));
    mkdirSync(join(folder, "a.data"));
    await expect(readModel(path)).rejects.toThrow(
      new ScorerError(
        `${path} keeps its weights in a.data, which is no file: copy that file into the same folder`,
      ),
    );
  });
});

describe("checkUnchanged(file)", () => {
  test.each(["external-data.onnx", "external-data.onnx.data"])(
    "notices that %s has other content",
    async (name) => {
      const folder = temporaryFolder();
      const path = writeModel(folder, "external-data");
      const file = await readModel(path);
      const content = readFileSync(join(folder, name));
      writeFileSync(join(folder, name), content);
      await checkUnchanged(file);
      content[content.length - 1]! ^= 1;
      writeFileSync(join(folder, name), content);
      await expect(checkUnchanged(file)).rejects.toThrow(
        new ScorerError(`${path} changed while it was used: run again once no other program writes to it`),
      );
    },
  );
});
