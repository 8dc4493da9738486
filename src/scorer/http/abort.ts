const actions = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Does something when a signal is aborted; gives what takes it back. A signal gets one listener however many requests
 * watch it, because Node takes many for a leak.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  let watching = actions.get(signal);
  if (watching === undefined) {
    const all = new Set<() => void>();
    signal.addEventListener("abort", () => {
      for (const each of all) each();
    });
    actions.set(signal, all);
    watching = all;
  }
  const own = watching;
  own.add(action);
  return () => own.delete(action);
}
