import { randomUUID } from "node:crypto";
import { access, constants, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { ReportError } from "../errors.ts";
import { failure, reporting } from "./write-errors.ts";

/**
 * Looks whether a file can be written, before the work whose result it shall hold.
 *
 * @param elsewhere what to do where it cannot: `name another file with --model`
 * @throws ReportError
 */
export async function checkPlace(path: string, elsewhere: string): Promise<void> {
  const folder = dirname(path);
  if (!(await exists(folder))) {
    throw new ReportError(`${path}: cannot write it: there is no folder ${folder}: make it, or ${elsewhere}`);
  }
  await reporting(
    path,
    async () => {
      if (!(await stat(folder)).isDirectory()) throw failure("ENOTDIR", `${folder} is no folder`);
      await access(folder, constants.W_OK);
      if ((await exists(path)) && (await stat(path)).isDirectory())
        throw failure("EISDIR", `${path} is a folder`);
    },
    elsewhere,
  );
}

/** Writes a file so that it is either whole or as it was. @throws ReportError */
export async function writeFileWhole(path: string, content: Uint8Array, elsewhere: string): Promise<void> {
  const partial = `${path}.partial-${randomUUID()}`;
  try {
    await reporting(
      path,
      async () => {
        await writeFile(partial, content, { flag: "wx", flush: true });
        await rename(partial, path);
      },
      elsewhere,
    );
  } finally {
    await rm(partial, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
  );
}
