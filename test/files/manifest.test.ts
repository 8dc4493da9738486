import { describe, expect, it } from "vitest";
import { ReportError } from "../../src/errors.ts";
import { manifest, readManifest } from "../../src/files/manifest.ts";

const sha256 = "ab".repeat(32);

function withFile(file: unknown): string {
  return JSON.stringify({ schemaVersion: 1, files: [file] });
}

describe("manifest(files)", () => {
  it("lists files by path, one a line", () => {
    const files = [
      { path: "report.md", bytes: 12, sha256 },
      { path: "charts/roc.svg", bytes: 3, sha256 },
    ];
    expect(manifest(files)).toBe(`{
  "schemaVersion": 1,
  "files": [
    {"path":"charts/roc.svg","bytes":3,"sha256":"${sha256}"},
    {"path":"report.md","bytes":12,"sha256":"${sha256}"}
  ]
}
`);
    expect(readManifest(manifest(files))).toEqual(files.toReversed());
    expect(files[0]?.path).toBe("report.md");
  });

  it("can be empty", () => {
    expect(readManifest(manifest([]))).toEqual([]);
  });
});

describe("readManifest(text)", () => {
  it.each([
    { path: "../outside", bytes: 1, sha256 },
    { path: "/etc/passwd", bytes: 1, sha256 },
    { path: String.raw`charts\..\..\outside`, bytes: 1, sha256 },
    { path: "C:/outside", bytes: 1, sha256 },
    { path: "", bytes: 1, sha256 },
    { path: "charts//x", bytes: 1, sha256 },
    { path: "./x", bytes: 1, sha256 },
    { path: "charts/NUL.svg", bytes: 1, sha256 },
    { path: "com1", bytes: 1, sha256 },
    { path: "report.md:stream", bytes: 1, sha256 },
    { path: "report.md.", bytes: 1, sha256 },
    { path: "a\u0000b", bytes: 1, sha256 },
    { path: "a", bytes: 1.5, sha256 },
    { path: "a", bytes: 1, sha256: "short" },
    null,
  ])("refuses %j", (file) => {
    expect(() => readManifest(withFile(file))).toThrow(
      new ReportError(
        `manifest.json, entry 1, is ${JSON.stringify(file)} instead of {path, bytes, sha256} with a path inside the folder: run the evaluation again`,
      ),
    );
  });

  it.each(["null", "[]", '{"schemaVersion":2,"files":[]}', '{"schemaVersion":1}'])("refuses %s", (text) => {
    expect(() => readManifest(text)).toThrow(
      new ReportError(
        "manifest.json is not a manifest of schemaVersion 1 with a list of files: run the evaluation again",
      ),
    );
  });

  it("refuses what is not JSON", () => {
    expect(() => readManifest("{")).toThrow(
      /^manifest\.json is not valid JSON \(.+\): run the evaluation again$/,
    );
  });
});
