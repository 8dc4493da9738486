import { Agent, request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { describe, expect, test } from "vitest";

import { bundledModel as bundled } from "../../src/scorer/open.ts";
import { readJson, run, workspace } from "../cli/command.ts";
import { mnist } from "../train/mnist.ts";
import { start } from "./process.ts";
import { ask } from "./scene.ts";

const { pixels } = mnist("test", 10_000);
/** As Python's json.dumps writes X_test / 255. */
const python = (i: number): string =>
  `[${Array.from(pixels.subarray(i * 784, (i + 1) * 784), (x) => (x % 255 === 0 ? `${x / 255}.0` : String(x / 255))).join(", ")}]`;
const body = (count: number): string =>
  `{"data": [${Array.from({ length: count }, (_, i) => python(i)).join(", ")}]}`;
const JSON_TYPE = { "Content-Type": "application/json" };

describe("serve", () => {
  test("answers the tutorial's raw request, and all 10,000 images in one of 61 MB; 413 beyond the limit", async () => {
    const served = await start();
    expect(await ask(`${served.url}/`)).toMatchObject({ status: 200, body: "Healthy" });
    expect((await ask(`${served.url}/score`, { headers: JSON_TYPE, body: body(1) })).body).toBe("[7]");
    const all = body(10_000);
    expect(Math.round(all.length / 1e6)).toBe(61);
    const answer = await ask(`${served.url}/score`, { headers: JSON_TYPE, body: all });
    const labels = JSON.parse(answer.body) as number[];
    expect(labels).toHaveLength(10_000);
    const truth = mnist("test", 10_000).labels;
    expect(labels.filter((label, i) => label === truth[i])).toHaveLength(9202);
    const beyond = await ask(`${served.url}/score`, { headers: JSON_TYPE, body: all.padEnd(100_000_001) });
    expect(beyond).toMatchObject({
      status: 413,
      body: JSON.stringify({
        message:
          "the body is larger than 100000000 bytes: send fewer images a request, or serve with a larger --max-request-bytes",
      }),
    });
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "%s under load: every request that was sent is answered, and it ends with 0",
    async (signal) => {
      const served = await start();
      const agent = new Agent({ keepAlive: true });
      const one = body(1);
      const counts = { answered: 0, refused: 0, lost: [] as string[] };
      const stopping = new AbortController();
      const client = async (): Promise<void> => {
        while (!stopping.signal.aborted) {
          const outcome = await once(served.url, agent, one);
          if (outcome === "answered") counts.answered += 1;
          else if (outcome === "ECONNREFUSED") {
            counts.refused += 1;
            return;
          } else counts.lost.push(outcome);
        }
      };
      const clients = Array.from({ length: 32 }, client);
      await sleep(500);
      served.child.kill(signal);
      expect(await served.ended).toBe(0);
      stopping.abort();
      await Promise.all(clients);
      agent.destroy();
      expect(counts.lost).toEqual([]);
      expect(counts.refused).toBe(32);
      expect(counts.answered).toBeGreaterThan(100);
      expect(served.stderr()).toContain('"message":"stopped","requestsCut":0');
    },
  );

  test("a second signal does not wait", async () => {
    const served = await start(["--timeout", "60"]);
    const held = httpRequest(`${served.url}/score`, { method: "POST", headers: { "Content-Length": "100" } });
    held.on("error", () => {});
    held.write("{");
    await sleep(200);
    served.child.kill("SIGTERM");
    await sleep(600);
    served.child.kill("SIGTERM");
    expect([null, 130]).toContain(await served.ended);
  });

  test("takes keys from the environment, and says on which variable they are missing", async () => {
    const served = await start(["--api-key-env", "KEYS"], { KEYS: "one-key, other-key" });
    const status = async (key: string): Promise<number> =>
      (await ask(`${served.url}/score`, { headers: { Authorization: `Bearer ${key}` }, body: body(1) }))
        .status;
    expect([
      await status("one-key"),
      await status("other-key"),
      await status("one-key,"),
      await status("x"),
    ]).toEqual([200, 200, 401, 401]);
    served.child.kill("SIGTERM");
    await served.ended;
    expect(served.stderr()).not.toMatch(/one-key|other-key/);
    expect(await run(["serve", "--api-key-env", "NO_KEYS"])).toMatchObject({
      code: 2,
      stderr:
        "mnist-evaluate: --api-key-env NO_KEYS: the variable is not set or empty: set it to one key or more\n",
    });
  });

  test.each([
    [["--port", "x"], "--port takes a whole number from 0 to 65535, not x"],
    [
      ["--cors-origin", "a.test"],
      "--cors-origin takes an origin such as https://example.com, or *, not a.test",
    ],
    [["--model-name", "a/b"], "--model-name takes up to 100 letters, digits and . _ -, not a/b"],
  ])("refuses %j", async (args, message) => {
    expect(await run(["serve", ...args])).toMatchObject({ code: 2, stderr: `mnist-evaluate: ${message}\n` });
  });

  test("a model that is none ends it with 4", async () => {
    const { code, stderr } = await run(["serve", "--port", "0", "--model", "nothing.onnx"]);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: "mnist-evaluate: nothing.onnx: cannot read the model: there is no such file: check --model\n",
    });
  });
});

describe("evaluate --endpoint against serve", () => {
  const { evaluate, path } = workspace();

  test.each([
    ["azureml", "/score"],
    ["kserve-v1", "/v1/models/mnist-logreg:predict"],
    ["oip", "/v2/models/mnist-logreg/infer"],
    ["oip-binary", "/v2/models/mnist-logreg/infer"],
    ["mlflow", "/invocations"],
  ])("%s: 10,000 of 10,000 images have the local model's answer", async (protocol, route) => {
    const served = await start(["--log", "silent"]);
    const out = path(protocol);
    const { code, stderr } = await evaluate([
      "--endpoint",
      `${served.url}${route}`,
      "--protocol",
      protocol,
      "--model",
      bundled,
      "--charts",
      "none",
      "--reports",
      "json",
      "--quiet",
      "--out",
      out,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { parity, metrics } = readJson<{
      metrics: { log_loss: { value: number | null } };
      parity: { images: number; agreement: { value: number }; differing: { count: number } };
    }>(out, "metrics.json");
    // Labels alone tell no log loss.
    expect(metrics.log_loss.value === null).toBe(!["azureml", "oip", "oip-binary"].includes(protocol));
    expect(parity).toMatchObject({ images: 10_000, agreement: { value: 1 }, differing: { count: 0 } });
  });
});

/** One request, as it ended. */
function once(url: string, agent: Agent, text: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = httpRequest(`${url}/score`, { method: "POST", agent, headers: JSON_TYPE }, (response) => {
      response.resume();
      response.on("end", () =>
        resolve(response.statusCode === 200 ? "answered" : `status ${response.statusCode}`),
      );
      response.on("error", (error: NodeJS.ErrnoException) => resolve(`cut off: ${error.code}`));
    });
    sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end(text);
  });
}
