/** Builds `dist/` once before the tests, so that those that run the command as a process run today's source. */
export default async function setup(): Promise<void> {
  const { ensureBuilt } = (await import(new URL("../src/cli/build.mjs", import.meta.url).href)) as {
    ensureBuilt: () => Promise<void>;
  };
  await ensureBuilt();
}
