import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { onTestFinished } from "vitest";

import { openOutput, type Output, type OutputOptions } from "../../src/files/output.ts";
import { digests } from "../cli/command.ts";

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "mnist-evaluate-output-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function opened(folder: string, changes: Partial<OutputOptions> = {}): Promise<Output> {
  return openOutput(folder, {
    force: false,
    signal: new AbortController().signal,
    warn: () => {},
    atHardExit: new Set(),
    ...changes,
  });
}

export async function commit(
  folder: string,
  files: Record<string, string>,
  changes: Partial<OutputOptions> = {},
): Promise<void> {
  const output = await opened(folder, changes);
  try {
    for (const [path, content] of Object.entries(files)) await output.write(path, content);
    await output.commit();
  } finally {
    await output.discard();
  }
}

export function contents(folder: string): Record<string, string> {
  return Object.fromEntries(
    Object.keys(digests(folder))
      .filter((path) => path !== "manifest.json")
      .map((path) => [path, readFileSync(join(folder, path), "utf8")]),
  );
}
