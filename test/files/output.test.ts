import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { Output } from "../../src/files/output.ts";
import { ReportError } from "../../src/errors.ts";
import { readManifest } from "../../src/files/manifest.ts";
import { digests, stagingOf } from "../cli/command.ts";
import { commit, contents, opened, temporaryFolder } from "./scene.ts";

const partial = (digit: number): string => `.partial-00000000-0000-4000-8000-00000000000${digit}`;

describe("openOutput(folder, options)", () => {
  test("shows nothing until commit, and then everything, with a manifest", async () => {
    const folder = join(temporaryFolder(), "a/b");
    const output = await opened(folder);
    await output.write("charts/x.svg", "<svg/>");
    const stream = await output.stream("rows.csv");
    await stream.write("ä,");
    await stream.write("b\n");
    await stream.end();
    expect(readdirSync(folder).filter((name) => !name.startsWith(".partial-"))).toEqual([]);

    await output.commit();
    expect(contents(folder)).toEqual({ "charts/x.svg": "<svg/>", "rows.csv": "ä,b\n" });
    expect(readdirSync(folder)).toEqual(["charts", "manifest.json", "rows.csv"]);
    const found = digests(folder);
    expect(readManifest(readFileSync(join(folder, "manifest.json"), "utf8"))).toEqual([
      { path: "charts/x.svg", bytes: 6, sha256: found["charts/x.svg"] },
      { path: "rows.csv", bytes: 5, sha256: found["rows.csv"] },
    ]);
  });

  test("leaves the earlier report as it was after discard, with a stream left open", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "metrics.json": "1" });
    const before = digests(folder);
    const atHardExit = new Set<() => void>();
    const output = await opened(folder, { atHardExit });
    await (await output.stream("metrics.json")).write("2");
    expect(atHardExit.size).toBe(1);
    await output.discard();
    expect(digests(folder)).toEqual(before);
    expect(readdirSync(folder)).toEqual(["manifest.json", "metrics.json"]);
    expect(atHardExit.size).toBe(0);
  });

  test("clears up at once at a hard exit", async () => {
    const folder = temporaryFolder();
    const atHardExit = new Set<() => void>();
    const output = await opened(folder, { atHardExit });
    await output.write("a", "1");
    for (const action of atHardExit) action();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each(["discard", "a hard exit"])(
    "removes the folders that it made and that are empty, at %s",
    async (end) => {
      const folder = temporaryFolder();
      const atHardExit = new Set<() => void>();
      const output = await opened(join(folder, "a/b/c"), { atHardExit });
      const other = await opened(join(folder, "a/d"));
      await output.write("x", "1");
      if (end === "discard") await output.discard();
      else for (const action of atHardExit) action();
      expect(readdirSync(join(folder, "a"))).toEqual(["d"]);
      await other.discard();
      expect(readdirSync(join(folder, "a"))).toEqual([]);
    },
  );

  test("removes no folder that was there before, or holds anything", async () => {
    const folder = temporaryFolder();
    await (await opened(folder)).discard();
    expect(existsSync(folder)).toBe(true);
    const output = await opened(join(folder, "a/b"));
    writeFileSync(join(folder, "a/mine"), "mine");
    await output.discard();
    expect(contents(folder)).toEqual({ "a/mine": "mine" });
  });

  test("sweeps what runs left that were killed more than a day ago, and nothing else", async () => {
    const folder = temporaryFolder();
    const [killed, running, recent, mine] = [partial(0), partial(1), partial(2), ".partial-mine"];
    for (const name of [killed, running, recent, mine]) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "predictions.csv"), "x");
    }
    const old = Date.now() / 1000 - 25 * 60 * 60;
    utimesSync(join(folder, killed, "predictions.csv"), old, old);
    for (const name of [killed, running, mine]) utimesSync(join(folder, name), old, old);
    await (await opened(folder)).discard();
    expect(readdirSync(folder).sort()).toEqual([running, recent, mine]);
  });

  test("takes a folder behind a symbolic link", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "real"));
    symlinkSync("real", join(folder, "link"));
    await commit(join(folder, "link"), { a: "1" });
    expect(contents(join(folder, "real"))).toEqual({ a: "1" });
  });

  test.each(["file", "file/below"])("refuses %s, where a file is in the way", async (path) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "file"), "");
    const out = join(folder, path);
    await expect(opened(out)).rejects.toThrow(
      new ReportError(
        `${out}: cannot write the report there: a file of that name is in the way: choose another folder with --out`,
      ),
    );
  });
});

/** Twenty files of the same names, and one that only every other run has. */
async function commitAs(output: Output, run: number): Promise<void> {
  for (let file = 0; file < 20; file++) await output.write(`charts/${file}`, String(run));
  if (run % 2 === 0) await output.write(`only-${run}`, String(run));
  await output.commit();
}

describe("commit()", () => {
  test("removes what the earlier run wrote and this one did not, and nothing else", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "metrics.json": "1", "charts/a.svg": "a", "charts/b.svg": "b", "report.md": "r" });
    writeFileSync(join(folder, "charts/mine.svg"), "mine");
    writeFileSync(join(folder, "charts/a.svg"), "A");
    writeFileSync(join(folder, "charts/b.svg"), "edited");
    await commit(folder, { "metrics.json": "2" });
    expect(contents(folder)).toEqual({
      "charts/a.svg": "A",
      "charts/b.svg": "edited",
      "charts/mine.svg": "mine",
      "metrics.json": "2",
    });
  });

  test("removes the folder that is empty then, and does not mind what is gone already", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "metrics.json": "1", "charts/a.svg": "a", "charts/b.svg": "b" });
    rmSync(join(folder, "charts/a.svg"));
    await commit(folder, { "metrics.json": "2" });
    expect(readdirSync(folder)).toEqual(["manifest.json", "metrics.json"]);
  });

  test.each([
    [
      "a folder has the name of a file",
      "metrics.json/x",
      "metrics.json",
      "a folder of that name is in the way: remove it or choose another folder with --out",
    ],
    [
      "a file has the name of a folder",
      "charts",
      "charts/a.svg",
      "a file of that name is in the way: choose another folder with --out",
    ],
  ])("moves nothing where %s", async (_, obstacle, path, reason) => {
    const folder = temporaryFolder();
    await commit(folder, { "a.csv": "1" });
    if (obstacle.includes("/")) mkdirSync(join(folder, "metrics.json"));
    writeFileSync(join(folder, obstacle), "x");
    const before = digests(folder);
    const output = await opened(folder);
    await output.write("a.csv", "2");
    await output.write(path, "2");
    await expect(output.commit()).rejects.toThrow(
      new ReportError(`${join(folder, path)}: cannot write it: ${reason}`),
    );
    await output.discard();
    expect(digests(folder)).toEqual(before);
  });

  // Every folder is writable to root.
  test.runIf(process.getuid?.() !== 0)("moves nothing where charts/ is not writable", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "a.csv": "1", "charts/a.svg": "1" });
    const before = digests(folder);
    chmodSync(join(folder, "charts"), 0o555);
    await expect(commit(folder, { "a.csv": "2", "charts/a.svg": "2" })).rejects.toThrow(
      new ReportError(
        `${join(folder, "charts/a.svg")}: cannot write it: permission denied: choose another folder with --out, ` +
          "or change the folder's permissions",
      ),
    );
    expect(digests(folder)).toEqual(before);
    chmodSync(join(folder, "charts"), 0o755);
  });

  test("that lacks a file leaves no manifest by which the mixture could pass for a report", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "a.csv": "1", "b.csv": "1" });
    const output = await opened(folder);
    await output.write("a.csv", "2");
    await output.write("b.csv", "2");
    rmSync(join(stagingOf(folder)!, "b.csv"));
    await expect(output.commit()).rejects.toThrow(
      new ReportError(
        `${folder}: b.csv was deleted by another program before it could be moved there: run again`,
      ),
    );
    await output.discard();
    expect(readdirSync(folder)).toEqual(["a.csv", "b.csv"]);
    expect(contents(folder)).toEqual({ "a.csv": "2", "b.csv": "1" });
  });

  test("of many runs at once leaves one run's files", async () => {
    const folder = temporaryFolder();
    const outputs = await Promise.all(Array.from({ length: 8 }, () => opened(folder)));
    await Promise.all(outputs.map((output, run) => commitAs(output, run)));
    const listed = readManifest(readFileSync(join(folder, "manifest.json"), "utf8"));
    const found = digests(folder);
    delete found["manifest.json"];
    expect(Object.fromEntries(listed.map(({ path, sha256 }) => [path, sha256]))).toEqual(found);
    expect(new Set(Object.values(contents(folder))).size).toBe(1);
  });

  test.each([
    [
      "a file",
      ".lock",
      (path: string) => writeFileSync(path, ""),
      ".lock is a file and no lock: delete it; or",
    ],
    [
      "a folder",
      ".commit",
      (path: string) => {
        mkdirSync(path);
        writeFileSync(join(path, "precious"), "");
      },
      ".commit is in the way: delete it, or",
    ],
  ])("is refused where %s of the user's is %s", async (_, name, make, reason) => {
    const folder = temporaryFolder();
    make(join(folder, name));
    const before = readdirSync(folder, { recursive: true });
    await expect(commit(folder, { a: "1" })).rejects.toThrow(
      new ReportError(`${join(folder, reason)} choose another folder with --out`),
    );
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
  });
});
