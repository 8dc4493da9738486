import type { EndpointFacts, Latency, Parity, ParityDifference, ScorerDescription } from "../../src/types.ts";
import { estimate, modelFacts } from "./builders.ts";

export function endpointFacts(facts: Partial<EndpointFacts> = {}): EndpointFacts {
  return {
    model: "pets",
    version: "3",
    server: "uvicorn",
    encoding: "instances of JSON numbers",
    found: "the URL's path, and GET /v1/models/pets",
    output: "predict int64 [n]",
    meaning: "labels",
    ...facts,
  };
}

export function endpoint(facts: Partial<EndpointFacts> = {}): ScorerDescription {
  return {
    kind: "endpoint",
    name: "pets",
    url: "http://127.0.0.1:8080/v1/models/pets:predict",
    protocol: "kserve-v1",
    preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
    endpoint: endpointFacts(facts),
  };
}

export function latency(overrides: Partial<Latency> = {}): Latency {
  return {
    requests: 157,
    images: 10_000,
    resumed: 0,
    perRequest: { mean: 14.52, p50: 12.34, p90: 23.1, p99: 48.7, max: 1234.5 },
    perImage: { mean: 0.2269, p50: 0.1928, p90: 0.361, p99: 0.761, max: 19.3 },
    durationSeconds: 3.2,
    imagesPerSecond: 3125,
    bytesSent: 61_200_000,
    bytesReceived: 20_431,
    retries: { "429": 9, reset: 3 },
    concurrency: { mean: 3.9, max: 4 },
    requestImages: { mean: 63.69, max: 64 },
    histogram: [
      { low: 8, high: 16, count: 150 },
      { low: 16, high: 2048, count: 7 },
    ],
    timeline: [
      { seconds: 0, requests: 100, failed: 12, p50: 12, max: 1234.5 },
      { seconds: 2, requests: 57, failed: 0, p50: 13, max: 20 },
    ],
    ...overrides,
  };
}

/** Nothing came back. */
export const UNANSWERED: Partial<Latency> = {
  requests: 0,
  images: 0,
  perRequest: null,
  perImage: null,
  imagesPerSecond: null,
  bytesReceived: 0,
  retries: { refused: 5 },
  requestImages: null,
  histogram: [],
  timeline: [{ seconds: 0, requests: 0, failed: 5, p50: null, max: null }],
};

export function parityDifference(index: number, overrides: Partial<ParityDifference> = {}): ParityDifference {
  return {
    index,
    truth: "cat",
    endpoint: "dog",
    model: "cat",
    endpointConfidence: null,
    modelConfidence: 0.512,
    ...overrides,
  };
}

export function parity(overrides: Partial<Parity> = {}): Parity {
  return {
    model: {
      kind: "onnx",
      name: "pets.onnx",
      sha256: "a0".repeat(32),
      preprocessing: { scale: "unit", layout: "flat", invert: false, transpose: false },
      model: modelFacts(),
    },
    images: 1200,
    agreement: estimate(1198 / 1200, 0.001),
    maxDifference: null,
    meanDifference: null,
    modelAccuracy: estimate(0.99, 0.005),
    verdict: "rounding",
    statement:
      "The service and pets.onnx agree on 1,198 of 1,200 images; labels alone can be compared, and those that differ " +
      "are near ties, their two classes within 0.0062: rounding",
    differing: { count: 2, images: [parityDifference(17), parityDifference(801, { truth: "dog" })] },
    examples: [{ ...parityDifference(17), pixels: "AAECAw==" }],
    ...overrides,
  };
}
