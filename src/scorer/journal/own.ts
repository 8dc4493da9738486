import { randomBytes } from "node:crypto";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

import { messageOf, ReportError } from "../../errors.ts";
import { makeFolderNow } from "../../folders.ts";

const DENIED = "permission denied: choose another folder with --out, or change the folder's permissions";
const FULL = "the disk is full: free some space or choose another folder with --out";
const IN_THE_WAY = "a file of that name is in the way: choose another folder with --out";
const REASONS: Readonly<Record<string, string>> = {
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: "the disk is read-only: choose another folder with --out",
  ENOENT: "the folder cannot be made: choose another folder with --out",
  EEXIST: IN_THE_WAY,
  ENOTDIR: IN_THE_WAY,
  ENOSPC: FULL,
  EDQUOT: "the disk quota is used up: free some space or choose another folder with --out",
  EFBIG: "the file would be too large: choose another folder with --out",
};

/** The journal that this process writes: it begins with the first answer. */
export class OwnFile {
  readonly #folder: string;
  readonly #prefix: string;
  readonly #write: typeof writeSync;
  #fd: number | null = null;
  #path: string | null = null;
  #size = 0;

  /** @param prefix what its name begins with */
  constructor(folder: string, prefix: string, write: typeof writeSync) {
    this.#folder = folder;
    this.#prefix = prefix;
    this.#write = write;
  }

  /** Null where nothing has been written. */
  get path(): string | null {
    return this.#path;
  }

  /** Appends. @param header goes before the first bytes @throws ReportError */
  append(bytes: Buffer, header: Buffer): void {
    try {
      this.#fd ??= this.#create();
      const all = this.#size === 0 ? Buffer.concat([header, bytes]) : bytes;
      let done = 0;
      while (done < all.length)
        done += this.#write(this.#fd, all, done, all.length - done, this.#size + done);
      // What failed half-way is written over by what comes next, so that records stay where they belong.
      this.#size += all.length;
    } catch (error) {
      throw this.#error(error);
    }
  }

  close(): void {
    if (this.#fd !== null) closeSync(this.#fd);
    this.#fd = null;
  }

  #create(): number {
    makeFolderNow(this.#folder);
    const path = join(this.#folder, `${this.#prefix}${randomBytes(8).toString("hex")}.journal`);
    const fd = openSync(path, "wx", 0o600);
    this.#path = path;
    return fd;
  }

  #error(error: unknown): ReportError {
    const { code = "" } = error as NodeJS.ErrnoException;
    return new ReportError(
      `${this.#folder}: cannot keep the service's answers there, which an interrupted run goes on from: ${REASONS[code] ?? messageOf(error)}`,
      { cause: error },
    );
  }
}
