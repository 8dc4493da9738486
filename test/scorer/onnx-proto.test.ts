import { expect, test } from "vitest";
import {
  attributeTypes,
  dataTypes,
  decodeModel,
  encodeModel,
  type ModelProto,
} from "../../src/scorer/onnx-proto.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** A model that uses every message and every scalar type once. */
const model: ModelProto = {
  irVersion: 8,
  producerName: "test",
  modelVersion: 2 ** 40,
  docString: "über",
  graph: {
    node: [
      {
        input: ["x", ""],
        output: ["y"],
        opType: "If",
        domain: "ai.onnx.ml",
        attribute: [
          { name: "alpha", f: 0.5, type: attributeTypes.float },
          { name: "axis", i: -1, type: attributeTypes.int },
          { name: "mode", s: bytes(97), type: attributeTypes.string },
          { name: "value", t: { dataType: dataTypes.int64, int64Data: [-3] }, type: attributeTypes.tensor },
          { name: "then_branch", g: { name: "then" }, type: attributeTypes.graph },
          { name: "scales", floats: [1, 2.5], type: attributeTypes.floats },
          { name: "axes", ints: [0, -(2 ** 40)], type: attributeTypes.ints },
          { name: "keys", strings: [bytes(), bytes(255)], type: attributeTypes.strings },
        ],
      },
    ],
    name: "graph",
    initializer: [
      { name: "w", dims: [2, 784], dataType: dataTypes.float, rawData: bytes(0, 0, 128, 63) },
      { name: "d", dataType: dataTypes.double, doubleData: [Math.PI], uint64Data: [7], int32Data: [-1] },
      { name: "e", dataLocation: 1, externalData: [{ key: "location", value: "model.onnx.data" }] },
    ],
    sparseInitializer: [{ values: { name: "s" }, indices: { int64Data: [4] }, dims: [9] }],
    input: [
      {
        name: "x",
        type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: "n" }, { dimValue: 784 }] } } },
      },
    ],
    output: [
      {
        name: "y",
        docString: "ZipMap",
        type: {
          sequenceType: { elemType: { mapType: { keyType: 7, valueType: { tensorType: { elemType: 1 } } } } },
        },
      },
    ],
  },
  opsetImport: [{ version: 13 }, { domain: "ai.onnx.ml", version: 3 }],
  metadataProps: [{ key: "classes", value: "a,b" }],
};

test("decodeModel(encodeModel(model)) is the model", () => {
  expect(decodeModel(encodeModel(model))).toEqual(model);
});

test("decodeModel(encodeModel(model)) keeps every int64 and uint64 exactly, to the last one", () => {
  // The last of int64 is where PyTorch's Slice ends.
  const ends = [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n, -(2n ** 53n) - 1n, 2 ** 53 - 1, 1 - 2 ** 53];
  const exact: ModelProto = {
    graph: {
      node: [
        {
          attribute: [
            { name: "end", i: 2n ** 63n - 1n },
            { name: "ends", ints: ends },
          ],
        },
      ],
      initializer: [{ int64Data: ends, uint64Data: [2n ** 64n - 1n, 2n ** 63n, 7] }],
    },
  };
  expect(decodeModel(encodeModel(exact))).toEqual(exact);
  const { graph } = decodeModel(bytes(0x3a, 14, 0x2a, 12, 0x3a, 10, ...Array<number>(9).fill(0xff), 0x01));
  expect(graph?.initializer?.[0]?.int64Data).toEqual([-1]);
});

test("encodeModel(model) writes onnx.proto's field numbers and wire types", () => {
  const encoded = encodeModel({ irVersion: 8, graph: { name: "g" }, opsetImport: [{ version: 13 }] });
  expect([...encoded]).toEqual([0x08, 8, 0x3a, 3, 0x12, 1, 0x67, 0x42, 2, 0x10, 13]);
});

test("decodeModel(bytes) reads packed lists and skips fields that it does not know", () => {
  // ModelProto.graph { initializer { dims: [2, 300] packed }, quantization_annotation: 1 byte }, training_info: 1 byte.
  const file = bytes(0x3a, 10, 0x2a, 5, 0x0a, 3, 2, 0xac, 0x02, 0x72, 1, 0, 0xa2, 1, 1, 0);
  expect(decodeModel(file)).toEqual({ graph: { initializer: [{ dims: [2, 300] }] } });
});

test("decodeModel(bytes) refuses what is no ONNX file", () => {
  const pointer = new TextEncoder().encode("version https://git-lfs.github.com/spec/v1\n");
  expect(() => decodeModel(pointer)).toThrow(
    new RangeError("field 14 (metadataProps) has wire type 6, expected 2"),
  );
});

test("decodeModel(bytes) refuses a file that was cut off", () => {
  const whole = encodeModel({ irVersion: 8, metadataProps: [{ key: "classes", value: "a" }] });
  expect(() => decodeModel(whole.subarray(0, -1))).toThrow(RangeError);
});
