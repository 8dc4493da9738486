import { readFileSync } from "node:fs";

/**
 * The folder that holds package.json, as a URL. It is one level above both this file and the built `dist/`, so that
 * the bundled model and fonts are found from either.
 */
export const packageRoot = new URL("../", import.meta.url);

/** This package's own version, and the exact versions of what it depends on. */
export function packageVersions(): {
  readonly version: string;
  readonly dependencies: Record<string, string>;
} {
  return JSON.parse(readFileSync(new URL("package.json", packageRoot), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
}
