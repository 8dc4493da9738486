import { describe, expect, it } from "vitest";
import { parityFacts } from "../../src/report/parity.ts";
import { failedText, latencyRows, serviceFacts } from "../../src/report/service.ts";
import { evaluation } from "./builders.ts";
import { endpoint, latency, parity, UNANSWERED } from "./service-builders.ts";

describe("serviceFacts(evaluation)", () => {
  it("has what was found out about a service, and what it took", () => {
    expect(
      serviceFacts({ scorer: endpoint(), latency: latency({ resumed: 1 }), repeatability: null }),
    ).toEqual([
      ["Endpoint", "http://127.0.0.1:8080/v1/models/pets:predict"],
      ["Protocol", "kserve-v1"],
      ["Model", "pets, version 3"],
      ["Server", "uvicorn"],
      ["Encoding", "instances of JSON numbers"],
      ["Found by", "the URL's path, and GET /v1/models/pets"],
      ["Output", "predict int64 [n]: the predicted class alone, without scores"],
      ["Requests", "157 answered, images in each: 63.7 on average, 64 at most"],
      ["At once", "3.9 on average, 4 at most"],
      ["Throughput", "3,130 images/s: 10,000 images in 3.20 s"],
      ["Sent", "61.2 MB"],
      ["Received", "20.4 kB"],
      ["Failed attempts", "12: 429 (9), reset (3)"],
      ["Resumed", "1 image had answers from an earlier, interrupted run"],
    ]);
  });

  it("leaves out what is not known, or did not happen", () => {
    const scorer = endpoint({ model: null, version: null, server: null });
    const terms = serviceFacts({ scorer, latency: latency(UNANSWERED), repeatability: null }).map(
      ([term]) => term,
    );
    expect(terms).not.toContain("Model");
    expect(terms).not.toContain("Server");
    expect(terms).not.toContain("Throughput");
    expect(terms).not.toContain("Resumed");
    expect(serviceFacts({ scorer, latency: null, repeatability: null }).at(-1)?.[0]).toBe("Output");
  });

  it("is empty of a local model", () => {
    expect(serviceFacts(evaluation())).toEqual([]);
  });
});

describe("latencyRows(latency)", () => {
  it("has a row of requests and one of images", () => {
    expect(latencyRows(latency())).toEqual([
      ["a request", "14.5 ms", "12.3 ms", "23.1 ms", "48.7 ms", "1.23 s"],
      ["an image", "0.227 ms", "0.193 ms", "0.361 ms", "0.761 ms", "19.3 ms"],
    ]);
  });

  it("has one row where a request is an image, and none where no request was answered", () => {
    expect(latencyRows(latency({ requestImages: { mean: 1, max: 1 } }))).toHaveLength(1);
    expect(latencyRows(latency(UNANSWERED))).toEqual([]);
  });
});

describe("failedText(latency)", () => {
  it("names reasons by their number, or none", () => {
    expect(failedText({ retries: { reset: 3, "429": 1_200 } })).toBe("1,203: 429 (1,200), reset (3)");
    expect(failedText({ retries: {} })).toBe("none");
  });
});

describe("parityFacts(evaluation)", () => {
  it("has agreement, differences and both accuracies", () => {
    const compared = parity({ maxDifference: 3.04e-7, meanDifference: 1.2e-9 });
    expect(parityFacts({ ...evaluation(), parity: compared })).toEqual([
      ["Local model", "pets.onnx"],
      ["Images answered by both", "1,200"],
      ["Same prediction", "99.83 % (99.73–99.93 %)"],
      ["Largest difference of a probability", "3e-7"],
      ["Mean difference", "1.2e-9"],
      ["Accuracy of the service", "99.17 % (98.67–99.67 %)"],
      ["Accuracy of the local model", "99.00 % (98.50–99.50 %)"],
    ]);
  });

  it("says why probabilities are not compared", () => {
    expect(parityFacts({ ...evaluation(), parity: parity() })[3]).toEqual([
      "Probabilities",
      "not compared: one side gives labels only",
    ]);
  });
});
