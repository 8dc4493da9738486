import { messageOf, ReportError } from "../errors.ts";

/**
 * Does something to a file that the user asked for.
 *
 * @param elsewhere what to do where nothing can be written there
 * @throws ReportError that names the file, and what can be done
 */
export async function reporting<T>(
  path: string,
  action: () => Promise<T>,
  elsewhere: string = OTHER_OUTPUT,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new ReportError(`${path}: cannot write it: ${reasonOf(error, elsewhere)}`, { cause: error });
  }
}

const OTHER_OUTPUT = "choose another folder with --out";
const REASONS: Readonly<Record<string, (elsewhere: string) => string>> = {
  EACCES: (elsewhere) => `permission denied: ${elsewhere}, or change the folder's permissions`,
  EPERM: (elsewhere) => `permission denied: ${elsewhere}, or change the folder's permissions`,
  EROFS: (elsewhere) => `the disk is read-only: ${elsewhere}`,
  EEXIST: (elsewhere) => `a file of that name is in the way: ${elsewhere}`,
  ENOTDIR: (elsewhere) => `a file of that name is in the way: ${elsewhere}`,
  EISDIR: (elsewhere) => `a folder of that name is in the way: remove it or ${elsewhere}`,
  ENOENT: (elsewhere) => `the folder cannot be made: ${elsewhere}`,
  ELOOP: (elsewhere) =>
    `its folder is a symbolic link, which may lead out of the output folder: put a plain folder in its place, or ${elsewhere}`,
  EXDEV: (elsewhere) =>
    `its folder is on another disk than the rest of the report: put a plain folder in its place, or ${elsewhere}`,
  ENOSPC: (elsewhere) => `the disk is full: free some space or ${elsewhere}`,
  EDQUOT: (elsewhere) => `the disk quota is used up: free some space or ${elsewhere}`,
};

/** What a failed write means to the user. */
export function reasonOf(error: unknown, elsewhere: string = OTHER_OUTPUT): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return REASONS[code]?.(elsewhere) ?? messageOf(error);
}

/** An error as the system's are. */
export function failure(code: string, message: string): NodeJS.ErrnoException {
  return Object.assign(new Error(message), { code });
}
