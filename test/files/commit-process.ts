// Opens an output folder, writes files and commits them, as a process of its own that is killed before its nth change to
// the disk; bundled and started by a test. argv: folder, files as JSON or null for none, n.
import fs from "node:fs";
import promises from "node:fs/promises";

import { openOutput } from "../../src/files/output.ts";

const [folder = "", files = "null", killAt = "0"] = process.argv.slice(2);
let changes = 0;

function counted<Module extends object>(module: Module, names: readonly (keyof Module)[]): void {
  for (const name of names) {
    const change = module[name] as (...args: unknown[]) => unknown;
    module[name] = ((...args: unknown[]) => {
      if (++changes === Number(killAt)) process.kill(process.pid, "SIGKILL");
      return change(...args);
    }) as Module[typeof name];
  }
}

counted(fs, ["mkdirSync", "writeFileSync", "unlinkSync", "rmdirSync", "rmSync"]);
counted(promises, ["mkdir", "open", "writeFile", "rename", "rm", "rmdir"]);

async function main(): Promise<void> {
  const output = await openOutput(folder, {
    force: false,
    signal: new AbortController().signal,
    atHardExit: new Set(),
    warn: (message) => process.stdout.write(`${message}\n`),
  });
  const content = JSON.parse(files) as Record<string, string> | null;
  if (content !== null) {
    for (const [path, text] of Object.entries(content)) await output.write(path, text);
    await output.commit();
  }
  await output.discard();
}

void main();
