import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/errors.ts";
import { bindGates, checkGates, parseGate } from "../../src/metrics/gates.ts";
import { nearest } from "../../src/metrics/nearest.ts";
import { createLatencyTally } from "../../src/metrics/latency.ts";
import { createParityTally } from "../../src/metrics/parity.ts";
import { SERVICE_METRIC_NAMES, type GatedRun } from "../../src/metrics/service.ts";
import { CLASS_METRICS, METRIC_NAMES } from "../../src/metrics/table.ts";
import type { Measurements } from "../../src/types.ts";
import { batchOf, labels, measure, names, simulated } from "./builders.ts";

const FASHION = ["T-shirt/top", "Ankle boot", "Bag [small]"];
const METRICS_LIST =
  "the metrics are accuracy, balanced_accuracy, precision_macro, recall_macro, f1_macro, precision_weighted, " +
  "recall_weighted, f1_weighted, cohen_kappa, matthews_corrcoef, top_2_accuracy, top_3_accuracy, top_5_accuracy, " +
  "log_loss, brier_score, roc_auc_macro, roc_auc_weighted, average_precision_macro, expected_calibration_error, " +
  "parity, latency_mean, latency_p50, latency_p90, latency_p99, latency_max, throughput, failures, " +
  "and of a class, as recall[CLASS], precision, recall, f1, roc_auc, average_precision, support, predicted";

/** Measurements in which only this metric matters. */
function accuracyOf(value: number | null): Measurements {
  const measurements = measure(labels([0], [0]));
  return { ...measurements, metrics: { ...measurements.metrics, accuracy: { value, interval: null } } };
}

function check(text: string, run: GatedRun) {
  return checkGates([parseGate(text)], run)[0]!;
}

describe("parseGate(text)", () => {
  test.each([
    ["accuracy >= 0.92", { metric: "accuracy", class: null }, ">=", 0.92],
    ["  accuracy>=0.92 ", { metric: "accuracy", class: null }, ">=", 0.92],
    ["accuracy >= 92%", { metric: "accuracy", class: null }, ">=", 0.92],
    ["accuracy >= 92.3 %", { metric: "accuracy", class: null }, ">=", 0.923],
    ["log_loss < 3.5e-1", { metric: "log_loss", class: null }, "<", 0.35],
    ["cohen_kappa > -.5", { metric: "cohen_kappa", class: null }, ">", -0.5],
    ["recall[5] >= 0.85", { metric: "recall", class: "5" }, ">=", 0.85],
    ["recall [ Ankle boot ] >= 0.8", { metric: "recall", class: "Ankle boot" }, ">=", 0.8],
    ["f1[Bag [small]] != 1", { metric: "f1", class: "Bag [small]" }, "!=", 1],
    ["support[T-shirt/top] == 1000", { metric: "support", class: "T-shirt/top" }, "==", 1000],
    ["predicted[<=] <= 5", { metric: "predicted", class: "<=" }, "<=", 5],
  ])("reads %s", (text, subject, operator, expected) => {
    expect(parseGate(text)).toEqual({ expression: text.trim(), subject, operator, expected });
  });

  test.each([...METRIC_NAMES, ...SERVICE_METRIC_NAMES])("knows %s", (name) => {
    expect(parseGate(`${name} >= 0`).subject).toEqual({ metric: name, class: null });
  });

  test.each(Object.keys(CLASS_METRICS))("knows %s of a class", (name) => {
    expect(parseGate(`${name}[5] >= 0`).subject).toEqual({ metric: name, class: "5" });
  });

  test.each([
    [
      "accuracy",
      "--gate 'accuracy': write METRIC OPERATOR NUMBER, like 'accuracy >= 0.92' or 'recall[5] >= 0.85'",
    ],
    ["", "--gate '': write METRIC OPERATOR NUMBER, like 'accuracy >= 0.92' or 'recall[5] >= 0.85'"],
    [
      "acuracy >= 0.9",
      `--gate 'acuracy >= 0.9': there is no metric 'acuracy': did you mean accuracy?; ${METRICS_LIST}`,
    ],
    [
      "top_4_accuracy >= 0.9",
      "--gate 'top_4_accuracy >= 0.9': there is no metric 'top_4_accuracy': " +
        `did you mean top_2_accuracy or top_3_accuracy or top_5_accuracy?; ${METRICS_LIST}`,
    ],
    ["rouge[5] >= 0.9", `--gate 'rouge[5] >= 0.9': there is no metric 'rouge'; ${METRICS_LIST}`],
    ["constructor > 1", `--gate 'constructor > 1': there is no metric 'constructor'; ${METRICS_LIST}`],
    [
      "recall >= 0.9",
      "--gate 'recall >= 0.9': recall is of one class: write recall[CLASS], " +
        "or one of the whole run: recall_macro, recall_weighted",
    ],
    ["support >= 9", "--gate 'support >= 9': support is of one class: write support[CLASS]"],
    [
      "accuracy[5] >= 0.9",
      "--gate 'accuracy[5] >= 0.9': accuracy is of the whole run; " +
        "of a class there are precision, recall, f1, roc_auc, average_precision, support, predicted",
    ],
    [
      "accuracy => 0.9",
      "--gate 'accuracy => 0.9': there is no operator '=>'; the operators are >= > <= < == !=",
    ],
    [
      "accuracy = 0.9",
      "--gate 'accuracy = 0.9': there is no operator '='; the operators are >= > <= < == !=",
    ],
    ["accuracy >= high", "--gate 'accuracy >= high': 'high' is not a number, like 0.92 or 92%"],
    ["accuracy >=", "--gate 'accuracy >=': '' is not a number, like 0.92 or 92%"],
    ["accuracy >= 0,92", "--gate 'accuracy >= 0,92': '0,92' is not a number, like 0.92 or 92%"],
    ["accuracy >= NaN", "--gate 'accuracy >= NaN': 'NaN' is not a number, like 0.92 or 92%"],
  ])("refuses %s", (text, message) => {
    expect(() => parseGate(text)).toThrow(new UsageError(message));
  });
});

describe("bindGates(gates, classes)", () => {
  test("gives the gates back where every class is one of the data set's", () => {
    const gates = [parseGate("accuracy >= 0.9"), parseGate("recall[Ankle boot] >= 0.8")];
    expect(bindGates(gates, FASHION)).toEqual(gates);
    expect(parseGate("recall[Ankle boot] >= 0.8", FASHION)).toEqual(gates[1]);
  });

  test.each([
    ["Ankle bot", "there is no class 'Ankle bot': did you mean Ankle boot?"],
    ["ankle boot", "there is no class 'ankle boot': did you mean Ankle boot?"],
    ["12", "there is no class '12'"],
  ])("refuses the class %s", (name, problem) => {
    const message = `--gate 'recall[${name}] >= 0.8': ${problem}; the classes are T-shirt/top, Ankle boot, Bag [small]`;
    expect(() => bindGates([parseGate(`recall[${name}] >= 0.8`)], FASHION)).toThrow(new UsageError(message));
    expect(() => parseGate(`recall[${name}] >= 0.8`, FASHION)).toThrow(new UsageError(message));
  });
});

describe("checkGates(gates, measurements)", () => {
  test.each([
    ["accuracy >= 0.92", 0.9204, true, "accuracy is 0.9204, at least 0.92 as asked"],
    ["accuracy >= 92%", 0.92, true, "accuracy is 0.92, at least 0.92 as asked"],
    ["accuracy >= 0.93", 0.9204, false, "accuracy is 0.9204, below 0.93"],
    ["accuracy > 0.92", 0.9204, true, "accuracy is 0.9204, above 0.92 as asked"],
    ["accuracy > 0.92", 0.92, false, "accuracy is 0.92, not above 0.92"],
    ["accuracy <= 0.92", 0.91, true, "accuracy is 0.91, at most 0.92 as asked"],
    ["accuracy <= 0.9", 0.91, false, "accuracy is 0.91, above 0.9"],
    ["accuracy < 0.92", 0.91, true, "accuracy is 0.91, below 0.92 as asked"],
    ["accuracy < 0.91", 0.91, false, "accuracy is 0.91, not below 0.91"],
    ["accuracy == 1", 1, true, "accuracy is 1, exactly 1 as asked"],
    ["accuracy == 1", 0.5, false, "accuracy is 0.5, not 1"],
    ["accuracy != 1", 0.5, true, "accuracy is 0.5, not 1 as asked"],
    ["accuracy != 1", 1, false, "accuracy is 1, exactly 1"],
    ["accuracy > 0", 12_345_678, true, "accuracy is 12345678, above 0 as asked"],
  ])("%s for %f", (text, value, passed, reason) => {
    expect(check(text, accuracyOf(value))).toEqual({
      expression: text,
      metric: "accuracy",
      operator: parseGate(text).operator,
      expected: parseGate(text).expected,
      actual: value,
      level: null,
      result: passed ? "passed" : "failed",
      passed,
      reason,
    });
  });

  test.each([
    [0.862107623, "accuracy is 0.862108, below 0.87", 0.87],
    [0.91999999, "accuracy is 0.91999999, below 0.92", 0.92],
    [0.929999999998, "accuracy is 0.929999999998, below 0.93", 0.93],
    [1e-9, "accuracy is 1e-9, below 0.1", 0.1],
  ])("a value that fails never reads as what was asked, nor as nothing: %f", (value, reason, expected) => {
    expect(check(`accuracy >= ${expected}`, accuracyOf(value)).reason).toBe(reason);
  });

  test.each(Array.from({ length: 19 }, (_, i) => (i + 1) / 20))(
    "ten classes of recall %f have that balanced accuracy, whichever way the sum of ten is rounded",
    (recall) => {
      const truth = Array.from({ length: 200 }, (_, i) => Math.floor(i / 20));
      const predicted = truth.map((c, i) => (i % 20 < Math.round(recall * 20) ? c : (c + 1) % 10));
      const measurements = measure(labels(truth, predicted, 10));
      const results = [">=", ">", "<=", "<", "==", "!="].map(
        (operator) => check(`balanced_accuracy ${operator} ${recall}`, measurements).result,
      );
      expect(results).toEqual(["passed", "failed", "passed", "failed", "passed", "failed"]);
    },
  );

  test("a reason says where a value counts as the number that it was compared with", () => {
    const almost = accuracyOf(0.7999999999999999);
    const reason = "accuracy is 0.7999999999999999, which counts as 0.8 (to 1e-12), ";
    expect(check("accuracy >= 0.8", almost).reason).toBe(`${reason}at least 0.8 as asked`);
    expect(check("accuracy < 0.8", almost).reason).toBe(`${reason}not below 0.8`);
  });

  test.each([
    [0.8 - 2e-12, 0.8, false],
    [0.8 - 0.9e-12, 0.8, true],
    [1e6 - 2e-6, 1e6, false],
    [1e6 - 0.9e-6, 1e6, true],
    [-2e-12, 0, false],
    [-0.9e-12, 0, true],
  ])("%f is at least %f to 1e-12 of the larger of that and 1: %s", (value, expected, passed) => {
    expect(check(`accuracy >= ${expected}`, accuracyOf(value)).passed).toBe(passed);
  });

  test("checks the metrics of a class", () => {
    const measurements = measure(labels([2, 2, 2, 1], [2, 2, 1, 1]));
    const gates = ["recall[c2] >= 0.7", "precision[c2] == 100%", "support[c2] >= 3", "predicted[c1] < 3"];
    expect(
      gates
        .map((text) => check(text, measurements))
        .map(({ metric, actual, passed }) => [metric, actual, passed]),
    ).toEqual([
      ["recall[c2]", 2 / 3, false],
      ["precision[c2]", 1, true],
      ["support[c2]", 3, true],
      ["predicted[c1]", 2, true],
    ]);
  });

  test("keeps the order of the gates", () => {
    const texts = ["recall[c0] > 1", "accuracy > 1", "f1_macro > 1"];
    const results = checkGates(
      texts.map((text) => parseGate(text)),
      measure(labels([0], [0])),
    );
    expect(results.map(({ expression }) => expression)).toEqual(texts);
  });

  const three = labels([0, 1], [0, 0]);
  test.each([
    ["accuracy >= 0.9", labels([], []), "accuracy could not be told: no image was scored"],
    [
      "log_loss < 1",
      three,
      "log_loss could not be told: it needs probabilities, and the model gives labels only",
    ],
    [
      "roc_auc[c1] > 0",
      three,
      "roc_auc[c1] could not be told: it needs probabilities, and the model gives labels only",
    ],
    ["precision[c1] > 0", three, "precision[c1] could not be told: it needs a prediction of that class"],
    ["recall[c2] > 0", three, "recall[c2] could not be told: it needs an image of that class"],
    ["f1[c2] > 0", three, "f1[c2] could not be told: it needs an image or a prediction of that class"],
    ["recall[dress] > 0", three, "recall[dress] could not be told: the run has no such class"],
    [
      "matthews_corrcoef > 0",
      three,
      "matthews_corrcoef could not be told: it needs more than one class in the truth and in the predictions",
    ],
    ["top_3_accuracy > 0", simulated(9, 3), "top_3_accuracy could not be told: it needs more than 3 classes"],
    [
      "roc_auc_macro > 0",
      { ...simulated(2, 3), truth: [0, 1] },
      "roc_auc_macro could not be told: it needs images of every class",
    ],
    [
      "average_precision[c2] != 7",
      { ...simulated(2, 3), truth: [0, 1] },
      "average_precision[c2] could not be told: it needs images of that class and of others",
    ],
  ])("%s does not pass where it is undefined, and says why", (text, table, reason) => {
    const result = check(text, measure(table));
    expect(result).toMatchObject({ actual: null, result: "untold", passed: false, reason });
  });
});

describe("checkGates(gates, run) of a service", () => {
  const local = measure(labels([0, 1, 2, 0], [0, 1, 2, 0]));
  const service: GatedRun = {
    ...local,
    scorer: { kind: "endpoint" },
    latency: timed([10, 20, 30, 40]),
    parity: parityOf([0, 1, 2, 0], [0, 1, 2, 1]),
    failures: { count: 3, perClass: [3, 0, 0], accuracyRange: null, images: [] },
  };

  test.each([
    ["parity >= 1", false, "parity is 0.75, below 1"],
    ["parity >= 75%", true, "parity is 0.75, at least 0.75 as asked"],
    ["latency_mean == 25", true, "latency_mean is 25, exactly 25 as asked"],
    ["latency_p50 <= 5", false, "latency_p50 is 19.9776, above 5"],
    ["latency_max <= 40", true, "latency_max is 40, at most 40 as asked"],
    ["throughput >= 1000", true, "throughput is 4000, at least 1000 as asked"],
    ["failures <= 2", false, "failures is 3, above 2"],
  ])("%s", (text, passed, reason) => {
    expect(check(text, service)).toMatchObject({ passed, reason });
  });

  test.each<[string, GatedRun, string]>([
    ["parity >= 1", local, "parity could not be told: it needs both --endpoint and --model"],
    [
      "parity >= 1",
      { ...service, parity: parityOf([], []) },
      "parity could not be told: no image was answered by both",
    ],
    ["latency_p99 <= 9", local, "latency_p99 could not be told: it needs --endpoint"],
    [
      "throughput >= 9",
      { ...service, latency: null },
      "throughput could not be told: times are left out while SOURCE_DATE_EPOCH is set",
    ],
    [
      "latency_max <= 9",
      { ...service, latency: timed([]) },
      "latency_max could not be told: no request was answered",
    ],
    ["failures <= 0", local, "failures could not be told: failures were not counted"],
    [
      "log_loss < 1",
      service,
      "log_loss could not be told: it needs probabilities, and the endpoint gives labels only",
    ],
  ])("%s says why it could not be told", (text, run, reason) => {
    expect(check(text, run)).toMatchObject({ actual: null, result: "untold", passed: false, reason });
  });

  test("refuses them of a class", () => {
    expect(() => parseGate("parity[5] >= 1")).toThrow(
      new UsageError(
        "--gate 'parity[5] >= 1': parity is of the whole run; " +
          "of a class there are precision, recall, f1, roc_auc, average_precision, support, predicted",
      ),
    );
  });
});

/** Ten classes of 100 images, `right` of the answered ones of each are right, the others read as the next class. */
function run(right: number, answered: number): GatedRun {
  const truth = Array.from({ length: 10 * answered }, (_, i) => Math.floor(i / answered));
  const predicted = truth.map((c, i) => (i % answered < right ? c : (c + 1) % 10));
  const probabilities = predicted.map((label) => Array.from({ length: 10 }, (_, c) => Number(c === label)));
  return {
    ...measure({ classes: names(10), truth, predicted, probabilities }),
    scorer: { kind: "endpoint" },
    dataset: {
      name: "d",
      split: "test",
      images: 1000,
      scored: truth.length,
      classes: names(10),
      shape: [1, 1],
      files: [],
      source: "",
    },
    failures: {
      count: 1000 - truth.length,
      perClass: Array.from({ length: 10 }, () => 100 - answered),
      accuracyRange: null,
      images: [],
    },
  };
}

describe("checkGates(gates, run) with images without a prediction", () => {
  test("passes where it would with every one of them wrong, and says of which images it is", () => {
    expect(check("accuracy >= 0.9", run(95, 95))).toMatchObject({
      result: "passed",
      reason: "accuracy is 1, at least 0.9 as asked, on the 950 of 1,000 images with a prediction",
    });
  });

  test.each([
    ["accuracy >= 0.98", "1", "0.95", "wrong"],
    ["balanced_accuracy >= 0.98", "1", "0.95", "wrong"],
    ["recall_macro > 0.95", "1", "0.95", "wrong"],
    ["recall[c3] >= 0.96", "1", "0.95", "wrong"],
    // 95 right of the 95 of the class, 45 of others said to be of it.
    ["precision[c3] >= 0.7", "1", "0.678571", "wrong"],
    ["f1[c3] >= 0.8", "1", "0.791667", "wrong"],
    ["cohen_kappa >= 0.96", "1", "0.944444", "wrong"],
    ["top_2_accuracy >= 0.96", "1", "0.95", "wrong"],
  ])("%s cannot be told where that depends on them", (text, value, figure, how) => {
    const result = check(text, run(95, 95));
    const metric = text.split(" ")[0]!;
    expect(result).toMatchObject({ actual: Number(value), result: "untold", passed: false });
    expect(result.reason).toMatch(
      new RegExp(
        `^${metric.replaceAll(/[[\]]/g, "\\$&")} could not be told: it is ${value} on the 950 images with a prediction, ` +
          `but ${figure}\\d* on all 1,000 if the other 50 are ${how}$`,
      ),
    );
  });

  test("the images of a class are all of them", () => {
    expect(check("support[c3] <= 95", run(95, 95)).reason).toBe(
      "support[c3] could not be told: it is 95 on the 950 images with a prediction, but 100 on all 1,000",
    );
  });

  test("a ceiling cannot be told where they could be right", () => {
    expect(check("accuracy <= 0.9", run(80, 95)).reason).toBe(
      "accuracy is 0.842105, at most 0.9 as asked, on the 950 of 1,000 images with a prediction",
    );
    expect(check("accuracy <= 0.845", run(80, 95)).reason).toBe(
      "accuracy could not be told: it is 0.842105 on the 950 images with a prediction, but 0.85 on all 1,000 if the other 50 are right",
    );
  });

  test("one that fails on the answered images fails", () => {
    expect(check("accuracy >= 0.9", run(80, 95))).toMatchObject({
      result: "failed",
      reason: "accuracy is 0.842105, below 0.9, on the 950 of 1,000 images with a prediction",
    });
  });

  test("what needs probabilities is judged on the answered images, and says so", () => {
    expect(check("log_loss < 0.1", run(95, 95))).toMatchObject({
      result: "passed",
      reason: expect.stringMatching(
        /, below 0.1 as asked, on the 950 of 1,000 images with a prediction$/,
      ) as string,
    });
  });

  test("parity counts an image without an answer as one that may differ; times and failures are as they are", () => {
    const parity = { ...parityOf([0, 1], [0, 1]), images: 950 };
    const service = { ...run(95, 95), parity, latency: timed([10]) };
    expect(check("parity >= 1", service).reason).toBe(
      "parity could not be told: it is 1 on the 950 images with a prediction, but 0.95 on all 1,000 if the other 50 are wrong",
    );
    expect(check("parity >= 0.95", service).result).toBe("passed");
    expect(check("failures <= 50", service).reason).toBe("failures is 50, at most 50 as asked");
    expect(check("latency_mean <= 10", service).reason).toBe("latency_mean is 10, at most 10 as asked");
  });

  test("a service that refuses exactly its mistakes does not pass", () => {
    const service = run(97, 97);
    expect(service.metrics["accuracy"]!.value).toBe(1);
    expect(check("accuracy >= 0.98", service).result).toBe("untold");
    expect(check("accuracy >= 0.97", service).result).toBe("passed");
  });
});

/** Requests of 100 images one after the other. */
function timed(milliseconds: readonly number[]) {
  const tally = createLatencyTally();
  let startMs = 0;
  for (const elapsedMs of milliseconds) {
    const [bytesSent, bytesReceived, concurrent] = [1, 1, 1];
    tally.add({
      id: "",
      images: 100,
      startMs,
      elapsedMs,
      bytesSent,
      bytesReceived,
      outcome: "answered",
      concurrent,
    });
    startMs += elapsedMs;
  }
  return tally.latency(0);
}

function parityOf(endpoint: readonly number[], model: readonly number[]) {
  const tally = createParityTally(names(3), [1, 1]);
  tally.add(batchOf(labels(endpoint, endpoint)), batchOf(labels(endpoint, model)));
  const preprocessing = { scale: "unit", layout: "flat", invert: false, transpose: false } as const;
  return tally.parity({ kind: "onnx", name: "m.onnx", preprocessing }, null);
}

describe("nearest(misspelt, names)", () => {
  test.each([
    ["recal", ["precision", "recall"], ["recall"]],
    ["ACCURACY", ["accuracy"], ["accuracy"]],
    ["5", ["0", "1"], ["0", "1"]],
    ["modle", ["model", "model-name"], ["model"]],
    ["emnist", ["mnist", "emnist-digits", "emnist-letters"], ["emnist-digits", "emnist-letters"]],
    ["fashion", ["mnist", "fashion-mnist"], ["fashion-mnist"]],
    ["dress", ["0", "1"], []],
    ["x", [], []],
  ])("%s among %j", (misspelt, names, expected) => {
    expect(nearest(misspelt, names)).toEqual(expected);
  });
});

describe("checkGates(gates, run) of a service that does not repeat its answers", () => {
  const run: GatedRun = {
    ...accuracyOf(0.95),
    failures: { count: 0, perClass: [0, 0], accuracyRange: null, images: [] },
    repeatability: {
      images: 100,
      differing: 14,
      maxDifference: null,
      repeatable: false,
      statement: "The service answered 14 of 100 images differently when it was asked again",
    },
  };

  test.each(["accuracy >= 0.9", "accuracy >= 0.99"])(
    "%s could not be told, with the value it has",
    (text) => {
      expect(check(text, run)).toMatchObject({
        actual: 0.95,
        result: "untold",
        passed: false,
        reason:
          "accuracy could not be told: the service answered 14 of 100 images differently when it was asked again, so that its answers do not repeat",
      });
    },
  );

  test("how many images failed is told all the same", () => {
    expect(check("failures == 0", run)).toMatchObject({ actual: 0, result: "passed" });
  });
});
