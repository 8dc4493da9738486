import { describe, expect, test } from "vitest";

import { discover, starts, type Wanted } from "../../../src/scorer/endpoint/discover.ts";
import type { Reply } from "../../../src/scorer/protocols/protocol.ts";

type Routes = Readonly<Record<string, { readonly status?: number; readonly body: unknown }>>;

/** A service that answers on a few routes, and 404 elsewhere. Counts what it is asked. */
function service(routes: Routes) {
  const asked: string[] = [];
  return {
    asked,
    ask: (path: string): Promise<Reply> => {
      asked.push(path);
      const { status = 200, body } = routes[path] ?? { status: 404, body: { detail: "Not Found" } };
      const text = typeof body === "string" ? body : JSON.stringify(body);
      return Promise.resolve({ status, headers: {}, body: Buffer.from(text) });
    },
  };
}

function wanted(url: string, more: Partial<Wanted> = {}): Wanted {
  return { url: new URL(url), protocol: "auto", model: null, ...more };
}

async function found(url: string, routes: Routes, more: Partial<Wanted> = {}) {
  const { ask } = service(routes);
  const candidates = await discover(wanted(url, more), ask);
  return candidates.map(({ name, url: to, found: because }) => `${name} ${to.href} (${because})`);
}

const KSERVE: Routes = {
  "/": { body: { status: "alive" } },
  "/v2": { body: { name: "kserve", version: "0.20.0", extensions: ["model_repository_extension"] } },
  "/v2/models": { body: { models: ["mnist"] } },
  "/v2/models/mnist": { body: { name: "mnist", versions: null, platform: "", inputs: [], outputs: [] } },
  "/v1/models": { body: { models: ["mnist"] } },
  "/v1/models/mnist": { body: { name: "mnist", ready: true } },
};

const TRITON: Routes = {
  "/v2": { body: { name: "triton", version: "2.50.0", extensions: ["binary_tensor_data"] } },
  "/v2/models/mnist": {
    body: {
      name: "mnist",
      versions: ["3"],
      platform: "onnxruntime_onnx",
      inputs: [{ name: "Input3", datatype: "FP32", shape: [-1, 1, 28, 28] }],
      outputs: [{ name: "Plus214_Output_0", datatype: "FP32", shape: [-1, 10] }],
    },
  },
};

describe("starts()", () => {
  test.each([
    ["http://h/score", ["azureml"]],
    ["http://h/api/v1/service/digits/score", ["azureml"]],
    ["http://h/v1/models/mnist:predict", ["kserve-v1", "tfserving", "torchserve"]],
    ["http://h/v2/models/mnist/infer", ["oip", "oip-binary"]],
    ["http://h/invocations", ["mlflow", "sagemaker"]],
    ["http://h/predictions/mnist", ["torchserve"]],
  ])("of %s are %j", (url, names) => {
    expect(starts(wanted(url)).map(({ name }) => name)).toEqual(names);
  });

  test("takes the model's name from the command line before that of the path", () => {
    const [start] = starts(wanted("http://h/v2/models/mnist/infer", { model: "other" }));
    expect(start?.target).toEqual({ root: "", model: "other", version: null });
  });

  test("of a bare address are all protocols", () => {
    expect(starts(wanted("http://h/")).length).toBeGreaterThanOrEqual(8);
    expect(starts(wanted("http://h/")).every(({ byPath }) => !byPath)).toBe(true);
  });
});

describe("discover()", () => {
  test("keeps the query, and not the fragment", async () => {
    const [candidate] = await found("http://h/score?code=abc#x", {});
    expect(candidate).toBe("azureml http://h/score?code=abc (the path /score)");
  });

  test("says by what it knows a service", async () => {
    expect(await found("http://h/score", { "/": { body: "Healthy" } })).toEqual([
      "azureml http://h/score (the path /score; GET / answers Healthy)",
    ]);
  });

  test("finds the tutorial's service by its address alone", async () => {
    expect(await found("http://h", { "/": { body: "Healthy" } })).toEqual([
      "azureml http://h/score (GET / answers Healthy)",
    ]);
  });

  test("finds protocol and model of KServe by its address alone, and no binary tensors", async () => {
    const candidates = await found("http://h:8080", KSERVE);
    const names = candidates.map((line) => line.split(" ").slice(0, 2).join(" "));
    expect(names).toContain("oip http://h:8080/v2/models/mnist/infer");
    expect(names).toContain("kserve-v1 http://h:8080/v1/models/mnist:predict");
    expect(names.some((name) => name.startsWith("oip-binary"))).toBe(false);
  });

  test("prefers what a service says to what its path may mean", async () => {
    const path = "/v1/models/mnist";
    const tfServing = { [path]: { body: { model_version_status: [{ version: "1", state: "AVAILABLE" }] } } };
    const [first] = await found(`http://h${path}:predict`, tfServing);
    expect(first).toMatch(/^tfserving /);
    const [other] = await found(`http://h${path}:predict`, KSERVE);
    expect(other).toMatch(/^kserve-v1 /);
  });

  test("takes binary tensors where the service lists them, and the model's input as it is described", async () => {
    const { ask } = service(TRITON);
    const candidates = await discover(wanted("http://h/v2/models/mnist/infer"), ask);
    const binary = candidates.find(({ name }) => name === "oip-binary");
    expect(binary?.finding.input).toEqual({ name: "Input3", datatype: "FP32", shape: [-1, 1, 28, 28] });
  });

  test("asks for each path once", async () => {
    const { ask, asked } = service(KSERVE);
    await discover(wanted("http://h"), ask);
    expect(asked).toEqual([...new Set(asked)]);
  });

  test("names the models among which it cannot choose", async () => {
    const several = { ...KSERVE, "/v1/models": { body: { models: ["a", "b"] } } };
    await expect(found("http://h", several, { protocol: "kserve-v1" })).rejects.toThrow(
      "http://h has the models a, b: name one with --model-name",
    );
    await expect(found("http://h", {}, { protocol: "oip" })).rejects.toThrow(
      "http://h does not say that it speaks oip, or which models it has: leave --protocol out to find out what it speaks, " +
        "or name the model with --model-name",
    );
  });

  test("takes the model that is named", async () => {
    expect(await found("http://h/serving", {}, { protocol: "kserve-v1", model: "m" })).toEqual([
      "kserve-v1 http://h/serving/v1/models/m:predict (as asked)",
    ]);
  });

  test("takes a path that nobody knows as it is", async () => {
    expect(await found("http://h/digits", {})).toEqual([
      "azureml http://h/digits (nothing else is known of it)",
    ]);
  });
});
