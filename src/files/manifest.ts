import { ReportError, messageOf } from "../errors.ts";

/** A file of a finished run. */
export interface ManifestFile {
  /** Relative to the manifest's folder, with forward slashes. */
  readonly path: string;
  readonly bytes: number;
  /** Of the content, 64 hex digits. */
  readonly sha256: string;
}

/** The text of manifest.json: the files sorted by path, one a line. */
export function manifest(files: readonly ManifestFile[]): string {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines = sorted.map(({ path, bytes, sha256 }) => `\n    ${JSON.stringify({ path, bytes, sha256 })}`);
  return `{\n  "schemaVersion": 1,\n  "files": [${lines.join(",")}${lines.length > 0 ? "\n  " : ""}]\n}\n`;
}

/**
 * Reads manifest.json back.
 * @throws ReportError where it is not a manifest, or names a path outside its folder.
 */
export function readManifest(text: string): ManifestFile[] {
  let value: { schemaVersion?: unknown; files?: unknown } | null;
  try {
    value = JSON.parse(text) as typeof value;
  } catch (error) {
    throw new ReportError(`manifest.json is not valid JSON (${messageOf(error)}): run the evaluation again`, {
      cause: error,
    });
  }
  if (value?.schemaVersion !== 1 || !Array.isArray(value.files)) {
    throw new ReportError(
      "manifest.json is not a manifest of schemaVersion 1 with a list of files: run the evaluation again",
    );
  }
  return value.files.map((file: unknown, i) => {
    if (!isFile(file)) {
      throw new ReportError(
        `manifest.json, entry ${i + 1}, is ${JSON.stringify(file)} instead of {path, bytes, sha256} with a path inside the folder: run the evaluation again`,
      );
    }
    return { path: file.path, bytes: file.bytes, sha256: file.sha256 };
  });
}

function isFile(value: unknown): value is ManifestFile {
  const file = value as Partial<Record<keyof ManifestFile, unknown>> | null;
  return (
    typeof file?.path === "string" &&
    isInside(file.path) &&
    Number.isSafeInteger(file.bytes) &&
    typeof file.sha256 === "string" &&
    /^[0-9a-f]{64}$/.test(file.sha256)
  );
}

/** A manifest comes from outside: its paths must not lead out of the folder or to a device, on any system. */
function isInside(path: string): boolean {
  const parts = path.split(/[/\\]/);
  return !parts.some((part) => part === "" || part === "." || part === ".." || ODD_NAME.test(part));
}

// oxlint-disable-next-line no-control-regex -- those are what it is to find
const ODD_NAME = /[\u0000-\u001F:]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;
