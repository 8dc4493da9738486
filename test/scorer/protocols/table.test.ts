import * as fc from "fast-check";
import { describe, expect, test } from "vitest";

import type { Form, Protocol, RequestShape } from "../../../src/scorer/protocols/protocol.ts";
import { ReplyError } from "../../../src/scorer/protocols/protocol.ts";
import { PROTOCOLS, type ProtocolName } from "../../../src/scorer/protocols/table.ts";
import { requestBody, requestBytes } from "../../../src/scorer/request.ts";
import { ROWS, rowWriter } from "../../../src/scorer/rows.ts";
import { SCALES } from "../../../src/scorer/scales.ts";
import { decoded, reply } from "./replies.ts";

const MEMBERS = Object.entries(PROTOCOLS) as [ProtocolName, Protocol][];
const FORMS = MEMBERS.flatMap(([name, protocol]) =>
  protocol.forms.map((form) => [name, form.name, form] as const),
);
const JSON_FORMS = FORMS.filter(([, , { row }]) => row.startsWith("json"));
const INPUT = { name: 'x"', datatype: "FP32", shape: [-1, 784] };

const PIXELS = Uint8Array.from({ length: 3 * 784 }, (_, i) => i % 256);
const scaled = (scale: "unit" | "raw"): number[] => Array.from({ length: 256 }, (_, x) => SCALES[scale](x));
const ARRAYS = { float32: Float32Array, float64: Float64Array, uint8: Uint8Array } as const;

function valuesFor({ element }: Form): Float32Array | Float64Array | Uint8Array {
  return ARRAYS[element].from(scaled(element === "uint8" ? "raw" : "unit"));
}

function body(form: Form, images: number, input: RequestShape["input"] = null) {
  const shape = [images, ...(ROWS[form.row].picture ? [28, 28] : [784])];
  const request = { shape, input, id: "req-42", output: null };
  const writer = rowWriter(form.row, valuesFor(form), shape.slice(1));
  const written = requestBody(form, request, writer, PIXELS.subarray(0, images * 784));
  let rowBytes = 0;
  for (let i = 0; i < images; i++) rowBytes += writer.bytesOf(PIXELS.subarray(i * 784, (i + 1) * 784));
  return { ...written, expectedBytes: requestBytes(form, request, rowBytes) };
}

/** The longest list of numbers in JSON, flattened. */
function numbersIn(json: unknown): number[] {
  if (Array.isArray(json)) {
    const flat = json.flat(Infinity) as unknown[];
    if (flat.every((value) => typeof value === "number")) return flat;
    return longest(flat.map(numbersIn)).length === 0 ? [] : flat.flatMap(numbersIn);
  }
  return typeof json === "object" && json !== null ? longest(Object.values(json).map(numbersIn)) : [];
}

const longest = (lists: readonly number[][]): number[] =>
  lists.reduce((best, list) => (list.length > best.length ? list : best), []);

function thrownBy(run: () => unknown): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return error;
  }
}

describe.each(FORMS)("%s in the form %s", (_, __, form) => {
  test("is exactly as long as it says, for one image and more", () => {
    for (let images = 1; images <= Math.min(3, form.mostRows); images++) {
      const written = body(form, images, INPUT);
      expect(written.expectedBytes).toBe(written.body.length);
    }
  });

  test("carries its element", () => {
    expect(ROWS[form.row].elements as readonly string[]).toContain(form.element);
  });

  test("says what it is in its headers, which hold no line breaks", () => {
    const headers = body(form, 1).headers;
    expect(headers["Content-Type"]).toMatch(/^(application\/(json|octet-stream)|text\/csv|image\/png)$/);
    expect(Object.values(headers).join()).not.toMatch(/[\r\n]/);
  });
});

describe.each(JSON_FORMS)("%s in the form %s", (_, __, form) => {
  test("is JSON that holds every pixel's number, bit for bit, in the images' order", () => {
    const images = Math.min(3, form.mostRows);
    const numbers = numbersIn(JSON.parse(body(form, images, INPUT).body.toString()));
    const values = valuesFor(form);
    const expected = Array.from(PIXELS.subarray(0, images * 784), (pixel) => values[pixel]!);
    expect(Array.from(ARRAYS[form.element].from(numbers))).toEqual(expected);
  });
});

describe.each(MEMBERS)("%s", (_, protocol) => {
  const places = [
    { root: "", model: "mnist", version: null },
    { root: "/a/b", model: "my model/ü%", version: null },
  ];

  test("has forms of different names", () => {
    const names = protocol.forms.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThan(0);
  });

  test("knows its own scoring path again, at any root", () => {
    for (const target of places) {
      const path = protocol.scorePath(target);
      const found = protocol.fromPath(path)!;
      expect(found).toEqual({ ...target, model: found.model === null ? null : target.model });
      expect(protocol.scorePath(found)).toBe(path);
      expect(protocol.fromPath(`${path}/`)).toEqual(found);
    }
  });

  test("has readiness paths and questions below the root", () => {
    for (const target of places) {
      const asked = protocol.questions.flatMap(({ path }) => path(target) ?? []);
      const paths = [...protocol.readyPaths(target), ...asked];
      expect(paths.length).toBeGreaterThan(1);
      for (const path of paths) {
        expect(path.slice(0, target.root.length + 1)).toBe(`${target.root}/`);
        expect(new URL(path, "http://host").pathname).toBe(path);
      }
    }
  });

  test("knows no path of other things", () => {
    for (const path of [
      "",
      "/",
      "/predict",
      "/score/x",
      "/v3/models/m:predict",
      "/v1/models/%:predict",
      "/x/invocations/y",
    ]) {
      expect([path, protocol.fromPath(path)]).toEqual([path, null]);
    }
  });

  test.each([
    ["", "the reply is empty"],
    [" \n", "the reply is empty"],
    ["<!DOCTYPE html><html><head><title>Sign in &amp; go</title>", "the reply is an HTML page: Sign in & go"],
    ["<html>\n<body>Hello", "the reply is an HTML page"],
    ['{"predictions": [1, 2, 3', "the reply breaks off after 24 bytes"],
    ['{"predictions": ["a', "the reply breaks off after 19 bytes"],
    ["[1, 2] and more", 'the reply is not JSON: "[1, 2] and more"'],
    ["Internal Server Error", 'the reply is not JSON: "Internal Server Error"'],
    [Buffer.from([0x1f, 0x8b, 0x08, 0, 1, 2, 3]), "the reply is not JSON: binary data"],
    ['{"error": "model is gone"}', "the service answered with an error: model is gone"],
    [
      '{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":{"x":1}}]}',
      "the service answered with an error: missing: Field required",
    ],
  ])("refuses %j", (received, expected) => {
    expect(decoded(protocol, reply(received))).toBe(`ReplyError: ${expected}`);
  });

  test("takes a byte order mark for what it is", () => {
    const answer = { outputs: [{ name: "y", shape: [1], datatype: "INT64", data: [7] }] };
    const json = JSON.stringify(protocol.fromPath("/v2") === null ? { predictions: [7] } : answer);
    expect(decoded(protocol, reply(`\uFEFF${json}`))).toMatch(/^y? ?int64 \[1\] 7$/);
  });

  test("never throws anything but ReplyError, whatever comes", () => {
    const keys = fc.constantFrom(
      "predictions",
      "outputs",
      "result",
      "name",
      "shape",
      "data",
      "datatype",
      "parameters",
      "__proto__",
      "0",
    );
    const { json } = fc.letrec((tie) => ({
      json: fc.oneof(
        { maxDepth: 5 },
        fc.oneof(fc.double(), fc.integer(), fc.string(), fc.boolean(), fc.constant(null), fc.constant("NaN")),
        fc.array(tie("json"), { maxLength: 4 }),
        fc.dictionary(keys, tie("json"), { maxKeys: 4 }),
      ),
    }));
    const bodies = fc.oneof(
      json.map((value) => Buffer.from(JSON.stringify(value))),
      json.map((value) => Buffer.from(JSON.stringify({ predictions: value, outputs: value }))),
      json.map((value) =>
        Buffer.from(JSON.stringify({ outputs: [{ name: "y", shape: value, data: value }] })),
      ),
      fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
      fc.string().map((text) => Buffer.from(text)),
    );
    const types = fc.constantFrom("application/json", "text/csv", "text/html");
    const lengths = fc.constantFrom(
      {},
      { "inference-header-content-length": "7" },
      { "inference-header-content-length": "x" },
    );
    fc.assert(
      fc.property(bodies, types, lengths, (bytes, type, length) => {
        const received = reply(bytes, { "content-type": type, ...length });
        const thrown = thrownBy(() => protocol.decode(received, { id: "req-42", shape: [2, 784] }));
        expect(thrown === null || (thrown instanceof ReplyError && !thrown.message.includes("\n"))).toBe(
          true,
        );
        const words = protocol.errorText({ ...received, status: 500 });
        expect(words === null || (words.length > 0 && words.length <= 300 && !words.includes("\n"))).toBe(
          true,
        );
        const target = { root: "", model: "m", version: null };
        for (const { read } of protocol.questions) read(received, target);
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});
