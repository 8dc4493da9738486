import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { main, root } from "./command.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-traces-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Where all that the commands may write is, in the enclosure. */
const OWN = "/observed";
const MOST_MS = 240_000;

interface Seen {
  /** Host names that were looked up. */
  readonly queries: readonly string[];
  readonly results: Readonly<Record<string, { readonly code: number; readonly text: string }>>;
  /** Files that were made, changed or removed, and folders that were made, but for what is in OWN. */
  readonly files: readonly string[];
}

function unshared(place: string, ...node: string[]): string[] {
  return ["--mount", "--net", "sh", here("enclosure.sh"), place, process.execPath, ...node];
}

/** Runs enclosed.mjs in a network and a file system of its own. */
async function enclosed(mode: "commands" | "runtime"): Promise<Seen> {
  const place = mkdtempSync(join(folder, `${mode}-`));
  const { stdout } = await promisify(execFile)("unshare", unshared(place, here("enclosed.mjs"), mode, OWN));
  const [json, ...paths] = stdout.trim().split("\n");
  const changed = paths.map((path) => path.slice(1)).filter((path) => path !== OWN);
  // A folder is listed with what is in it.
  const files = changed.filter((path) => !changed.some((other) => other.startsWith(`${path}/`)));
  return { ...(JSON.parse(json!) as Seen), files: files.filter((path) => !path.startsWith(`${OWN}/`)) };
}

/** Why there can be no enclosure here; null where there can. */
function obstacle(): string | null {
  const place = mkdtempSync(join(folder, "trial-"));
  const { status, error, stderr } = spawnSync("unshare", unshared(place, "--check", main), {
    encoding: "utf8",
  });
  return status === 0 ? null : (error?.message ?? stderr).trim();
}

const why = process.platform === "linux" ? obstacle() : "needs Linux";

describe.skipIf(why !== null)(
  `in a network and a file system of their own${why === null ? "" : ` (skipped: ${why})`}`,
  () => {
    let commands: Seen;
    let runtime: Seen;
    beforeAll(async () => {
      [commands, runtime] = await Promise.all([enclosed("commands"), enclosed("runtime")]);
    }, MOST_MS);

    test("the runtime, left to itself, looks up its maker's collector and leaves files: both would be seen", () => {
      expect(runtime.results["runtime"]).toEqual({ code: 0, text: "" });
      expect(new Set(runtime.queries)).toEqual(new Set(["mobile.events.data.microsoft.com"]));
      expect(runtime.files).toContain("/root/.cache/Microsoft/DeveloperTools/.onnxruntime/onnxruntime.db");
      expect(runtime.files).toContainEqual(expect.stringMatching(/^\/tmp\/mat-debug-\d+\.log$/));
    });

    test("evaluate, serve, train and download look up no host and leave nothing outside their folders and dist/", () => {
      const done = { code: 0, text: "" };
      expect(commands.results).toEqual({
        evaluate: done,
        endpoint: done,
        train: done,
        download: done,
        serve: done,
        "serve, in a thread": done,
      });
      expect(commands.queries).toEqual([]);
      expect(commands.files.filter((file) => !file.startsWith(join(root, "dist/")))).toEqual([]);
    });
  },
);

test("a thread whose process has telemetry on refuses to load the runtime", async () => {
  const worker = new Worker(join(dirname(main), "score-worker.cjs"), {
    env: {},
    workerData: {
      path: join(root, "data/models/mnist-logreg.onnx"),
      classes: null,
      layout: "auto",
      output: null,
    },
  });
  const message = await new Promise((resolve, reject) => {
    worker.once("message", resolve).once("error", reject);
  });
  await worker.terminate();
  expect(message).toMatchObject({
    error: {
      known: true,
      message:
        'onnxruntime-node would send events to its maker from this thread: set process.env.ORT_DISABLE_TELEMETRY = "1" in the main thread before starting it',
    },
  });
});
