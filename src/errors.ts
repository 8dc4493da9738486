/**
 * The errors that a user can cause and mend. Each kind has one exit code; `cli/main.ts` alone turns it into text.
 * A message says what is wrong, with the value that was got, what was expected, and what to do next.
 */
export abstract class EvaluateError extends Error {
  abstract readonly exitCode: number;
}

/** The command line or the config file is wrong. */
export class UsageError extends EvaluateError {
  override readonly name = "UsageError";
  readonly exitCode = 2;
}

/** A data set is not reachable, corrupt or mismatched. */
export class DatasetError extends EvaluateError {
  override readonly name = "DatasetError";
  readonly exitCode = 3;
}

/** A model or an endpoint cannot be used, or gave something that cannot be scored. */
export class ScorerError extends EvaluateError {
  override readonly name = "ScorerError";
  readonly exitCode = 4;
}

/** A result cannot be read or written. */
export class ReportError extends EvaluateError {
  override readonly name = "ReportError";
  readonly exitCode = 5;
}

/** The user stopped the run. */
export class InterruptedError extends EvaluateError {
  override readonly name = "InterruptedError";
  readonly exitCode = 130;
}

/** The text of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
