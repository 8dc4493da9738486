/** Nobody waits for the answer any more: the sender went away, or was told that it took too long. */
export class AbortedError extends Error {
  override readonly name = "AbortedError";
}
