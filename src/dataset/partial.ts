import { createHash } from "node:crypto";
import { readFile, rm, stat, writeFile } from "node:fs/promises";

import { messageOf } from "../errors.ts";

/** Why one source did not give a file. */
export class SourceError extends Error {
  override readonly name = "SourceError";
  /** `missing`: the source works, but has no such file; `cut`: it broke off, and more can be had from it. */
  readonly kind: "missing" | "unreachable" | "cut" | "other";

  constructor(kind: SourceError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

/** The cache cannot be written, which is no source's fault. Its cause says why. */
export class CacheError extends Error {
  override readonly name = "CacheError";

  constructor(cause: unknown) {
    super(messageOf(cause), { cause });
  }
}

/** Does something to the cache. @throws CacheError */
export async function writing<T>(action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new CacheError(error);
  }
}

/** What stands beside a partial file: where it came from, and what tells whether that has changed since. */
export interface Origin {
  /** Digest of the URL, which itself may hold secrets. */
  readonly source: string;
  /** ETag or Last-Modified, for If-Range. */
  readonly validator: string | null;
}

export function sourceOf(url: URL): string {
  return createHash("sha256").update(url.href).digest("hex");
}

/** The file beside a partial one that says where it came from. */
function originPath(partial: string): string {
  return `${partial}.json`;
}

export async function discardPartial(partial: string): Promise<void> {
  await writing(async () => {
    await rm(originPath(partial), { force: true });
    await rm(partial, { force: true });
  });
}

export async function writeOrigin(partial: string, origin: Origin): Promise<void> {
  await writeFile(originPath(partial), JSON.stringify(origin));
}

export async function readOrigin(partial: string): Promise<Origin | null> {
  try {
    return JSON.parse(await readFile(originPath(partial), "utf8")) as Origin;
  } catch {
    // Missing or half written: without it the partial file cannot be continued.
    return null;
  }
}

/** 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch {
    return 0;
  }
}
