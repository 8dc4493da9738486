import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { Fault } from "../servers/start.ts";
import { answering, scene, server } from "./scene.ts";

const { evaluate, path } = scene();

/** With characters that differ in base64, URLs, JSON and HTML. */
const KEY = 'se/same+key="&42<é';
const FORMS = [
  KEY,
  encodeURIComponent(KEY),
  encodeURIComponent(KEY).toLowerCase(),
  Buffer.from(KEY).toString("base64"),
  Buffer.from(KEY).toString("base64url"),
  JSON.stringify(KEY).slice(1, -1),
  KEY.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;"),
  // What a cut in the midst of it would leave.
  KEY.slice(0, 9),
  KEY.slice(-9),
];
let runs = 0;

/** All that a run leaves: what it prints, and every file's bytes as text. */
async function leftBy(args: readonly string[], env: Readonly<Record<string, string>>) {
  const out = path(`key-${(runs += 1)}`);
  const finished = await evaluate(
    [
      "--limit",
      "200",
      "--batch-size",
      "20",
      "--reports",
      "json,csv,html,markdown,junit",
      "--out",
      out,
      ...args,
    ],
    { env },
  );
  const entries = existsSync(out) ? readdirSync(out, { recursive: true, withFileTypes: true }) : [];
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), "latin1"));
  const text = [finished.stdout, finished.stderr, ...files].map((part) => Buffer.from(part, "utf8"));
  return { ...finished, files, text: text.map(String).join("\n") };
}

function expectNoKey(text: string, forms: readonly string[] = FORMS): void {
  const latin = forms.map((form) => Buffer.from(form).toString("latin1"));
  expect([...forms, ...latin].filter((form) => text.includes(form))).toEqual([]);
}

const KEYED = ["--api-key-env", "SERVICE_KEY"];
const ENV = { SERVICE_KEY: KEY };

describe("the key of --api-key-env is in nothing that is written", () => {
  test("after success", async () => {
    const { scoreUrl, counts } = await server("azureml", { key: KEY, output: "probabilities" });
    const { code, text, files } = await leftBy(["--endpoint", scoreUrl, "--charts", "svg", ...KEYED], ENV);
    expect(code).toBe(0);
    expect(files.length).toBeGreaterThan(10);
    expect((await counts()).unauthorized).toBe(0);
    expectNoKey(text);
  });

  test("after 401", async () => {
    const { scoreUrl } = await server("azureml", { key: "another" });
    const { code, stderr, text } = await leftBy(["--endpoint", scoreUrl, ...KEYED], ENV);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr:
        "mnist-evaluate: the service answered 401 Unauthorized: Unauthorized. Is the key right? --api-key-env names the environment variable that holds it\n",
    });
    expectNoKey(text);
  });

  const echo = { name: "key-echo" } as const;
  test.each<readonly [string, readonly Fault[]]>([
    ["500 to some requests", [{ ...echo, after: 30, rate: 0.5 }]],
    ["400 to all that comes after the trial", [{ ...echo, status: 400, after: 60 }]],
    ["400 from the first request on", [{ ...echo, status: 400 }]],
    ["403 in the middle", [{ ...echo, status: 403, after: 60 }]],
    ["424 in the middle", [{ ...echo, status: 424, after: 60 }]],
    ["200 in the middle", [{ ...echo, status: 200, after: 60 }]],
  ])("where the service repeats it in %s", async (_, faults) => {
    const { scoreUrl, counts } = await server("azureml", { key: KEY, faults });
    const args = ["--endpoint", scoreUrl, "--charts", "none", "--max-failures", "100%", "--retries", "1"];
    const { text } = await leftBy([...args, ...KEYED], ENV);
    expect((await counts()).faults["key-echo"]).toBeGreaterThan(0);
    expectNoKey(text);
  });

  test("nor half of it where a long error text is cut", async () => {
    let offset = 260;
    const url = await answering((request, response) => {
      if (request.method === "GET") {
        response.end("Healthy");
        return;
      }
      const words = `${"x".repeat((offset += 3))} ${KEY} ${KEY}`;
      response.writeHead(400, { "Content-Type": "application/json" }).end(JSON.stringify({ message: words }));
    });
    for (let i = 0; i < 4; i++) {
      const { code, stderr, text } = await leftBy(["--endpoint", `${url}/score`, ...KEYED], ENV);
      expect({ code, told: /x{200}/.test(stderr) }).toEqual({ code: 4, told: true });
      expectNoKey(text);
    }
    expect(offset).toBeGreaterThan(300);
  });
});

describe("a redirect", () => {
  test("to another host is refused with both named, and nothing reaches it", async () => {
    const target = await server("azureml");
    const faults = [{ name: "redirect", value: target.scoreUrl }] as const;
    const { scoreUrl } = await server("azureml", { key: KEY, faults });
    const { code, stderr, text } = await leftBy(["--endpoint", scoreUrl, ...KEYED], ENV);
    const [from, to] = [scoreUrl, target.scoreUrl].map((url) => new URL(url).host);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: `mnist-evaluate: the service cannot be used: ${from} answered 307 Temporary Redirect, a redirect to ${target.scoreUrl}. Nothing is sent to another host: give that URL to --endpoint if ${to} is the service\n`,
    });
    expect(await target.counts()).toMatchObject({ requests: 0, authorizations: 0, images: 0 });
    expectNoKey(text);
  });

  test("on the same host is followed with the key, and the report names where it led", async () => {
    const faults = [{ name: "redirect", value: "/score?moved=1", total: 3 }] as const;
    const { scoreUrl, counts } = await server("azureml", { key: KEY, faults });
    const { code, text } = await leftBy(["--endpoint", scoreUrl, "--charts", "none", ...KEYED], ENV);
    expect(code).toBe(0);
    expect((await counts()).unauthorized).toBe(0);
    expect(text).toContain(`"url": "${scoreUrl}?moved=`);
    expectNoKey(text);
  });
});

describe("a secret in", () => {
  test("--header is sent and shown nowhere", async () => {
    const { scoreUrl, counts } = await server("azureml", { faults: [{ name: "text-200", rate: 0.1 }] });
    const args = ["--endpoint", scoreUrl, "--charts", "none", "--header", "X-Api-Key: ${SERVICE_KEY}"];
    const { code, text } = await leftBy(args, { SERVICE_KEY: "open-sesame-4711" });
    expect(code).toBe(0);
    expect((await counts()).headers["x-api-key"]).toEqual(["open-sesame-4711"]);
    expectNoKey(text, ["open-sesame-4711", Buffer.from("open-sesame-4711").toString("base64")]);
  });

  test("--header as such is refused without repeating it", async () => {
    const args = ["--endpoint", "http://127.0.0.1:9/score", "--header", "X-Api-Key: open-sesame-4711"];
    const { code, stderr, text } = await leftBy(args, {});
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "mnist-evaluate: --header x-api-key: keys come from the environment, where no list of processes shows them: use --api-key-env VAR or --header 'x-api-key: ${VAR}'\n",
    });
    expectNoKey(text, ["open-sesame-4711"]);
  });

  test("the URL's query or userinfo is sent and shown nowhere", async () => {
    const asked: string[] = [];
    const url = await answering((request, response) => {
      asked.push(`${request.url} ${request.headers.authorization}`);
      response.writeHead(400).end(`{"message": "no ${request.url} ${request.headers.authorization}"}`);
    });
    const secret = "open-sesame-4711";
    const keyed = `${url.replace("//", `//me:${secret}@`)}/score?v=1&code=${secret}`;
    const { code, text, stderr } = await leftBy(["--endpoint", keyed], {});
    expect(code).toBe(4);
    expect(stderr).toContain("/score?v=…&code=… ");
    const basic = Buffer.from(`me:${secret}`).toString("base64");
    expect(asked.at(-1)).toBe(`/score?v=1&code=${secret} Basic ${basic}`);
    expectNoKey(text, [secret, basic]);
  });
});
