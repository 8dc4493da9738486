import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { ReportError } from "../../src/errors.ts";
import { manifest } from "../../src/files/manifest.ts";
import { digests, stagingOf } from "../cli/command.ts";
import { commit, contents, opened, temporaryFolder } from "./scene.ts";

const refusal = (folder: string, names: string) =>
  new ReportError(
    `${folder} holds files that no earlier run has written, or that were edited since: ${names}: ` +
      "move them away, choose another folder with --out, or overwrite them with --force",
  );

describe("a file that no earlier run has written", () => {
  test.each([
    ["has no manifest beside it", null],
    ["has a manifest of something else", '{"name": "a web page", "icons": []}'],
    ["has a manifest that lists it with another digest", "edited"],
  ])("is overwritten only with force where it %s", async (_, manifest) => {
    const folder = temporaryFolder();
    if (manifest === "edited") await commit(folder, { "report.md": "1", "metrics.json": "1" });
    else if (manifest !== null) writeFileSync(join(folder, "manifest.json"), manifest);
    writeFileSync(join(folder, "report.md"), "mine");
    writeFileSync(join(folder, "other.md"), "mine");
    const before = digests(folder);
    const names = manifest?.startsWith("{") ? "report.md, manifest.json" : "report.md";
    const files = { "report.md": "2", "metrics.json": "2" };
    await expect(commit(folder, files)).rejects.toThrow(refusal(folder, names));
    expect(digests(folder)).toEqual(before);
    await commit(folder, files, { force: true });
    expect(contents(folder)).toEqual({ ...files, "other.md": "mine" });
  });

  test("may be a symbolic link, which gives way itself, and not what it leads to", async () => {
    const folder = temporaryFolder();
    const elsewhere = temporaryFolder();
    writeFileSync(join(elsewhere, "precious"), "x");
    symlinkSync(join(elsewhere, "precious"), join(folder, "report.md"));
    await expect(commit(folder, { "report.md": "2" })).rejects.toThrow(refusal(folder, "report.md"));
    await commit(folder, { "report.md": "2" }, { force: true });
    expect(contents(folder)).toEqual({ "report.md": "2" });
    expect(contents(elsewhere)).toEqual({ precious: "x" });
  });

  test("may be a named pipe, which is not waited for", async () => {
    const folder = temporaryFolder();
    for (const name of ["manifest.json", "report.md"]) execFileSync("mkfifo", [join(folder, name)]);
    const names = "report.md, manifest.json";
    await expect(commit(folder, { "report.md": "2" })).rejects.toThrow(refusal(folder, names));
  });
});

describe("an earlier manifest, or a link", () => {
  test.each([
    [
      "leads out of the folder",
      { schemaVersion: 1, files: [{ path: "../precious", bytes: 1, sha256: "0".repeat(64) }] },
    ],
    ["is no manifest", { files: "../precious" }],
    ["is of another version", { schemaVersion: 2, files: [] }],
  ])("removes nothing where the manifest %s", async (_, manifest) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, "precious"), "x");
    const out = join(folder, "out");
    mkdirSync(out);
    writeFileSync(join(out, "precious"), "x");
    writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest));
    await commit(out, { a: "1" }, { force: true });
    expect(existsSync(join(folder, "precious"))).toBe(true);
    expect(contents(out)).toEqual({ a: "1", precious: "x" });
  });

  test("moves nothing where charts/ is a symbolic link, which may lead out", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "a.csv": "1" });
    const before = digests(folder);
    const elsewhere = temporaryFolder();
    symlinkSync(elsewhere, join(folder, "charts"));
    await expect(commit(folder, { "a.csv": "2", "charts/a.svg": "2" }, { force: true })).rejects.toThrow(
      new ReportError(
        `${join(folder, "charts/a.svg")}: cannot write it: its folder is a symbolic link, which may lead out of the ` +
          "output folder: put a plain folder in its place, or choose another folder with --out",
      ),
    );
    rmSync(join(folder, "charts"));
    expect(digests(folder)).toEqual(before);
    expect(readdirSync(elsewhere)).toEqual([]);
  });

  test.each(["folder", "file"])(
    "deletes nothing that an earlier manifest's path reaches through a link: a %s",
    async (kind) => {
      const folder = temporaryFolder();
      const elsewhere = temporaryFolder();
      await commit(folder, { "a.csv": "1", "charts/a.svg": "precious" });
      renameSync(join(folder, "charts/a.svg"), join(elsewhere, "a.svg"));
      if (kind === "file") symlinkSync(join(elsewhere, "a.svg"), join(folder, "charts/a.svg"));
      else {
        rmSync(join(folder, "charts"), { recursive: true });
        symlinkSync(elsewhere, join(folder, "charts"));
      }
      await commit(folder, { "a.csv": "2" });
      expect(contents(elsewhere)).toEqual({ "a.svg": "precious" });
      expect(readdirSync(folder)).toEqual(["a.csv", "charts", "manifest.json"]);
    },
  );
});

/** As such a run leaves it, before the first file is moved. */
async function leave(folder: string): Promise<string> {
  const output = await opened(folder);
  await output.write("charts/a.svg", "2");
  const listed = { path: "charts/a.svg", bytes: 1, sha256: digests(stagingOf(folder)!)["charts/a.svg"]! };
  await output.write("manifest.json", manifest([listed]));
  renameSync(stagingOf(folder)!, join(folder, ".commit"));
  return join(folder, ".commit");
}

describe("a commit that a killed run seems to have left", () => {
  test.each([
    ["has lost a file", (commit: string) => rmSync(join(commit, "charts/a.svg"))],
    ["has another content", (commit: string) => writeFileSync(join(commit, "charts/a.svg"), "3")],
    [
      "leads elsewhere",
      (commit: string, elsewhere: string) => {
        renameSync(commit, join(elsewhere, "commit"));
        symlinkSync(join(elsewhere, "commit"), commit);
      },
    ],
    [
      "leads elsewhere for a file",
      (commit: string, elsewhere: string) => {
        renameSync(join(commit, "charts"), join(elsewhere, "charts"));
        symlinkSync(join(elsewhere, "charts"), join(commit, "charts"));
      },
    ],
  ])("is undone where it %s", async (_, spoil) => {
    const [folder, elsewhere] = [temporaryFolder(), temporaryFolder()];
    await commit(folder, { "charts/a.svg": "1" });
    const before = digests(folder);
    spoil(await leave(folder), elsewhere);
    const outside = digests(elsewhere);
    const told: string[] = [];
    await (await opened(folder, { warn: (message) => told.push(message) })).discard();
    expect(told).toEqual([
      `${folder}: a run was killed while it moved its report into place: charts/a.svg is not as it wrote it, ` +
        "and what it had not moved yet is removed",
    ]);
    expect(digests(folder)).toEqual(before);
    expect(digests(elsewhere)).toEqual(outside);
  });

  test("is completed where it is whole", async () => {
    const folder = temporaryFolder();
    await commit(folder, { "charts/a.svg": "1", "b.csv": "1" });
    await leave(folder);
    await (await opened(folder)).discard();
    expect(contents(folder)).toEqual({ "charts/a.svg": "2" });
  });
});
