import { createHash } from "node:crypto";

import { openRegular } from "../files/regular.ts";
import type { CatalogFile, Digest } from "./catalog.ts";
import { interruption, readContent } from "./content.ts";
import { IdxReader } from "./idx.ts";
import { verifyDigest } from "./records.ts";

/** Names what a source gave, in the list of reasons why each source failed. */
const GIVEN = { name: "what it gave", advice: "" };

/** Whether a fetched file is the published one. Warns where nothing is published. @throws DatasetError */
export async function verifyIdx(
  path: string,
  file: CatalogFile,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<void> {
  const given = { ...GIVEN, path };
  const reader = new IdxReader(given);
  const content = readContent(given, { signal, archive: file.archive?.algorithm });
  try {
    let piece = await content.next();
    for (; !piece.done; piece = await content.next()) reader.push(piece.value);
    reader.end();
    verifyDigest(given, file, piece.value);
    const verified = file.content !== null || (file.archive !== null && piece.value.gzipped);
    if (!verified) warn(`${file.name} is not verified: no digest of it is published`);
  } finally {
    await content.return(undefined as never);
  }
}

/** Whether a fetched archive is the published one. @throws Error */
export async function verifyArchive(
  path: string,
  { name, archive: digest }: { readonly name: string; readonly archive: Digest | null },
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<void> {
  if (digest === null) {
    warn(`${name} is not verified: no digest of it is published`);
    return;
  }
  const hash = createHash(digest.algorithm);
  const { handle } = await openRegular(path);
  for await (const block of handle.createReadStream({ highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    if (signal.aborted) throw interruption(signal);
    hash.update(block);
  }
  const got = hash.digest("hex");
  if (got !== digest.hex) {
    throw new Error(
      `${GIVEN.name} does not match its published digest (${digest.algorithm} got ${got} expected ${digest.hex})`,
    );
  }
}
