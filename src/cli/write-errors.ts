import { messageOf, ReportError } from "../errors.ts";

/** Does something to a file that the user asked for. @throws ReportError that names it, and what can be done */
export async function reporting<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    throw new ReportError(`${path}: cannot write it: ${reasonOf(error)}`, { cause: error });
  }
}

const ELSEWHERE = "choose another folder with --out";
const REASONS: Readonly<Record<string, string>> = {
  EACCES: `permission denied: ${ELSEWHERE}, or change the folder's permissions`,
  EPERM: `permission denied: ${ELSEWHERE}, or change the folder's permissions`,
  EROFS: `the disk is read-only: ${ELSEWHERE}`,
  EEXIST: `a file of that name is in the way: ${ELSEWHERE}`,
  ENOTDIR: `a file of that name is in the way: ${ELSEWHERE}`,
  EISDIR: `a folder of that name is in the way: remove it or ${ELSEWHERE}`,
  ENOENT: `the folder cannot be made: ${ELSEWHERE}`,
  EXDEV: `its folder is on another disk than the rest of the report: put a plain folder in its place, or ${ELSEWHERE}`,
  ENOSPC: `the disk is full: free some space or ${ELSEWHERE}`,
  EDQUOT: `the disk quota is used up: free some space or ${ELSEWHERE}`,
};

/** What a failed write means to the user. */
export function reasonOf(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? messageOf(error);
}
