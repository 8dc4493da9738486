import { describe, expect, test } from "vitest";

import { oip, oipBinary } from "../../../src/scorer/protocols/oip.ts";
import type { Form } from "../../../src/scorer/protocols/protocol.ts";
import { requestBody } from "../../../src/scorer/request.ts";
import { rowWriter } from "../../../src/scorer/rows.ts";
import { decoded, reply } from "./replies.ts";

const target = { root: "/x", model: "mnist", version: null };
const unit = Float32Array.from({ length: 256 }, (_, x) => x / 255);
const raw = Uint8Array.from({ length: 256 }, (_, x) => x);
const form = (name: string): Form => [...oip.forms, ...oipBinary.forms].find((one) => one.name === name)!;

function request(
  name: string,
  datatype: string | null,
  values: Float32Array | Uint8Array,
  output: string | null = null,
) {
  const input = datatype === null ? null : { name: "pixels", datatype, shape: [-1, 2] };
  const writer = rowWriter(form(name).row, values, [2]);
  return requestBody(
    form(name),
    { shape: [2, 2], input, id: "r-1", output },
    writer,
    Uint8Array.of(0, 255, 1, 128),
  );
}

describe("requests of the Open Inference Protocol", () => {
  test("name the input as the metadata does, and are flat", () => {
    const { body, headers } = request("FP32", "FP32", unit);
    expect(body.toString()).toBe(
      '{"id":"r-1","inputs":[{"name":"pixels","shape":[2,2],"datatype":"FP32","data":[0.0,1,0.003921569,0.5019608]}]}',
    );
    expect(headers).toEqual({ "Content-Type": "application/json" });
  });

  test("write bytes for models of any whole numbers, with a name of its own where there is none", () => {
    expect(request("UINT8", "INT64", raw).body.toString()).toBe(
      '{"id":"r-1","inputs":[{"name":"pixels","shape":[2,2],"datatype":"INT64","data":[0,255,1,128]}]}',
    );
    expect(request("UINT8", null, raw).body.toString()).toBe(
      '{"id":"r-1","inputs":[{"name":"input-0","shape":[2,2],"datatype":"UINT8","data":[0,255,1,128]}]}',
    );
  });

  test("binary ones say where their JSON ends, and carry the floats bit for bit", () => {
    const { body, headers } = request("binary FP32", "FP32", unit);
    const length = Number(headers["Inference-Header-Content-Length"]);
    expect(JSON.parse(body.subarray(0, length).toString())).toEqual({
      id: "r-1",
      inputs: [{ name: "pixels", shape: [2, 2], datatype: "FP32", parameters: { binary_data_size: 16 } }],
    });
    expect([0, 4, 8, 12].map((at) => body.readFloatLE(length + at))).toEqual([0, 1, unit[1], unit[128]]);
    expect(headers["Content-Type"]).toBe("application/octet-stream");
  });

  test("name the output that is asked for", () => {
    const outputs = [{ name: "predict_proba" }];
    expect(JSON.parse(request("FP32", "FP32", unit, "predict_proba").body.toString())).toMatchObject({
      outputs,
    });
    const { body, headers } = request("binary FP32", "FP32", unit, "predict_proba");
    const length = Number(headers["Inference-Header-Content-Length"]);
    expect(JSON.parse(body.subarray(0, length).toString())).toMatchObject({ outputs });
  });

  test("binary ones of bytes are the pixels", () => {
    const { body, headers } = request("binary UINT8", null, raw);
    expect([...body.subarray(Number(headers["Inference-Header-Content-Length"]))]).toEqual([0, 255, 1, 128]);
  });
});

function binaryReply(outputs: readonly object[], data: Buffer, length?: number) {
  const json = Buffer.from(JSON.stringify({ model_name: "m", outputs }));
  return reply(Buffer.concat([json, data]), {
    "inference-header-content-length": String(length ?? json.length),
  });
}

const output = (name: string, datatype: string, shape: readonly number[], size: number) => ({
  name,
  datatype,
  shape,
  parameters: { binary_data_size: size },
});

describe("oipBinary.decode(reply)", () => {
  test("reads binary outputs one after the other, beside JSON ones", () => {
    const scores = Buffer.alloc(8);
    scores.writeFloatLE(0.25, 0);
    scores.writeFloatLE(NaN, 4);
    const label = Buffer.alloc(8);
    label.writeBigInt64LE(7n);
    const outputs = [
      output("scores", "FP32", [1, 2], 8),
      { name: "json", datatype: "INT64", shape: [1], data: [3] },
      output("label", "INT64", [1], 8),
    ];
    expect(decoded(oipBinary, binaryReply(outputs, Buffer.concat([scores, label])))).toBe(
      "scores float64 [1, 2] 0.25,NaN; json int64 [1] 3; label int64 [1] 7",
    );
  });

  test.each([
    ["UINT8", [1, 255], "1,255"],
    ["INT8", [1, 255], "1,-1"],
    ["INT16", [1, 0, 255, 255], "1,-1"],
    ["UINT16", [1, 0, 255, 255], "1,65535"],
    ["INT32", [1, 0, 0, 0, 255, 255, 255, 255], "1,-1"],
    ["UINT32", [1, 0, 0, 0, 255, 255, 255, 255], "1,4294967295"],
    ["FP16", [0, 0x3c, 0, 0xc0], "1,-2"],
    ["FP64", [0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], "1,-2"],
    ["UINT64", [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0], "1,2"],
  ] as const)("reads %s", (datatype, bytes, expected) => {
    const received = binaryReply([output("y", datatype, [2], bytes.length)], Buffer.from(bytes));
    expect(decoded(oipBinary, received)).toBe(`y int64 [2] ${expected}`);
  });

  test("reads texts", () => {
    const received = binaryReply([output("y", "BYTES", [2], 11)], Buffer.from("\x01\0\0\x007\x02\0\0\x00ab"));
    expect(decoded(oipBinary, received)).toBe("y string [2] 7,ab");
  });

  test.each([
    [
      binaryReply([output("y", "FP32", [2], 4)], Buffer.alloc(4)),
      "the reply's output y has 4 bytes of data where its shape says 8",
    ],
    [
      binaryReply([output("y", "FP32", [2], 8)], Buffer.alloc(4)),
      "the reply's output y has no 8 bytes of data",
    ],
    [
      binaryReply([output("y", "BOOL", [2], 2)], Buffer.alloc(2)),
      "the reply's output y is BOOL, which holds no numbers or texts",
    ],
    [
      binaryReply([output("y", "BYTES", [2], 5)], Buffer.from("\x01\0\0\x007")),
      "the reply's output y has 1 texts where its shape says 2",
    ],
    [
      binaryReply([], Buffer.alloc(0), 999),
      "the reply's Inference-Header-Content-Length is 999, but it has 31 bytes",
    ],
    [
      reply('{"outputs":[{"name":"y","shape":[3],"data":[1,2]}]}'),
      "the reply's output y has 2 values where its shape says 3",
    ],
    [
      reply('{"outputs":[{"name":"y","shape":[1],"datatype":"BOOL","data":[true]}]}'),
      "the reply holds true where a number was expected",
    ],
    [reply('{"outputs":[{"name":"y","data":[1,2]}]}'), "the reply's output y has no shape"],
    [reply('{"outputs":[{"name":"y","shape":[1]}]}'), "the reply's output y has no data"],
    [reply('{"outputs":[{"shape":[1]}]}'), "the reply has an output without a name"],
    [reply('{"predictions":[1]}'), "the reply has no outputs: it is an object with predictions"],
    [reply("[1]"), "the reply has no outputs: it is a list"],
  ])("refuses %#", (received, expected) => {
    expect(decoded(oipBinary, received)).toBe(`ReplyError: ${expected}`);
  });

  test("takes nested data, an empty id and explicit nulls", () => {
    const json =
      '{"id":"","parameters":null,"outputs":[{"name":"y","shape":[2,2],"data":[[1,0],[0,1]],"parameters":null}]}';
    expect(decoded(oip, reply(json))).toBe("y float64 [2, 2] 1,0,0");
  });
});

const model = (inputs: readonly object[]) =>
  reply(
    JSON.stringify({
      name: "mnist",
      platform: "onnxruntime_onnx",
      inputs,
      outputs: [{ name: "y", datatype: "FP32", shape: [-1, 10] }],
    }),
  );

const ask = (protocol: typeof oip, datatype: string) => {
  const question = protocol.questions.find(({ path }) => path(target) === "/x/v2/models/mnist")!;
  return question.read(model([{ name: "x", datatype, shape: [-1, 784] }]), target);
};

describe("questions about metadata", () => {
  test("say the input, the outputs and the form for the datatype", () => {
    expect(ask(oip, "FP64")).toEqual({
      says: "GET /v2/models/mnist names its input x FP64",
      models: ["mnist"],
      input: { name: "x", datatype: "FP64", shape: [-1, 784] },
      outputs: [{ name: "y", datatype: "FP32", shape: [-1, 10] }],
      forms: ["FP64"],
    });
    expect(ask(oip, "INT64")!.forms).toEqual(["UINT8"]);
    expect(ask(oip, "BYTES")!.forms).toEqual([]);
    expect(ask(oipBinary, "UINT8")!.forms).toEqual(["binary UINT8"]);
    expect(ask(oipBinary, "FP64")!.forms).toEqual([]);
  });

  test("a server that lists the extension takes binary tensors", () => {
    const triton = reply(
      '{"name":"triton","version":"2.50.0","extensions":["classification","binary_tensor_data"]}',
    );
    expect(oipBinary.questions[0]!.read(triton, target)).toEqual({
      says: "GET /v2 names triton 2.50.0 with binary_tensor_data",
      forms: ["binary FP32", "binary UINT8"],
    });
    expect(oip.questions[0]!.read(triton, target)).toEqual({ says: "GET /v2 names triton 2.50.0" });
  });
});

test("paths name model and version", () => {
  expect(oip.fromPath("/s/v2/models/a%20b/versions/3/infer")).toEqual({
    root: "/s",
    model: "a b",
    version: "3",
  });
  expect(oip.fromPath("/v2")).toEqual({ root: "", model: null, version: null });
  expect(oip.scorePath({ root: "/s", model: "a b", version: "3" })).toBe(
    "/s/v2/models/a%20b/versions/3/infer",
  );
  expect(oip.readyPaths(target)).toEqual(["/x/v2/models/mnist/ready", "/x/v2/health/ready"]);
});
