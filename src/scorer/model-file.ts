import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";

import { messageOf, ScorerError } from "../errors.ts";
import { fingerprint, NO_FILE, readRegular } from "../files/regular.ts";
import {
  dataLocations,
  decodeModel,
  type GraphProto,
  type ModelProto,
  type TensorProto,
} from "./onnx-proto.ts";

/** An ONNX file that was read and decoded, before a runtime has seen it. */
export interface ModelFile {
  readonly path: string;
  /** Of the file itself and the files with external weights that it names. */
  readonly bytes: number;
  /** Of the file's content, followed by that of each file with external weights, in the order of their names. */
  readonly sha256: string;
  readonly model: ModelProto;
  /** Whether weights stand in files beside it, so that a runtime must load it by its path. */
  readonly external: boolean;
  /** The file's and theirs, by path, from before they were read. */
  readonly fingerprints: ReadonlyMap<string, string | null>;
}

/** What a file is that is no ONNX model, told by how it begins. */
const OTHERS: readonly (readonly [matches: (content: Buffer) => boolean, is: string, advice: string])[] = [
  [(c) => c.length === 0, "is empty", "copy or download it again"],
  [
    (c) => starts(c, "version https://git-lfs.github.com/spec/"),
    "is a Git LFS pointer, not the model itself",
    "fetch the model with git lfs pull",
  ],
  [
    (c) => starts(c, "# xet version"),
    "is a Xet pointer, not the model itself",
    "fetch the model with git xet, or download it from its page",
  ],
  [
    (c) => /^\s*<(!doctype|html|\?xml)/i.test(head(c)),
    "is a web page, not a model",
    "the download went wrong: open its address in a browser",
  ],
  [
    (c) => starts(c, "PK\u0003\u0004"),
    "is a zip archive, as PyTorch (.pt) and Keras (.keras) write",
    "export the model as ONNX, with torch.onnx.export or tf2onnx",
  ],
  [
    (c) => starts(c, "\u0089HDF"),
    "is an HDF5 file, as Keras (.h5) writes",
    "export the model as ONNX, with tf2onnx",
  ],
  [
    (c) => c[0] === 0x80 && c[1]! >= 2 && c[1]! <= 5,
    "is a Python pickle, as joblib and older PyTorch write",
    "export the model as ONNX, with skl2onnx or torch.onnx.export",
  ],
  [
    (c) => c.subarray(4, 8).toString("latin1") === "TFL3",
    "is a TensorFlow Lite model",
    "export the model as ONNX, with tf2onnx",
  ],
  [
    (c) => c[8] === 0x7b && c[9] === 0x22 && c.readUIntLE(0, 6) < c.length,
    "is a safetensors file: weights without a graph",
    "export the model as ONNX",
  ],
  [(c) => c[0] === 0x1f && c[1] === 0x8b, "is gzipped", "unpack it with gunzip"],
  [(c) => c.length > 0 && isText(c), "is a text file, not a model", "name an .onnx file in --model"],
];

function starts(content: Buffer, text: string): boolean {
  return content.subarray(0, text.length).toString("latin1") === text;
}

function head(content: Buffer): string {
  return content.subarray(0, 512).toString("latin1");
}

function isText(content: Buffer): boolean {
  return /^[\t\n\r\x20-\x7E\x80-\xFF]+$/.test(head(content)) && !head(content).includes("\u0000");
}

/**
 * Reads an ONNX file.
 *
 * @throws ScorerError where it is missing, is something else, is damaged, or lacks a file that it names.
 */
export async function readModel(path: string): Promise<ModelFile> {
  const itself = await fingerprintsOf([path]);
  const content = await read(path);
  for (const [matches, is, advice] of OTHERS) {
    if (matches(content)) throw new ScorerError(`${path} ${is}: ${advice}`);
  }
  const model = decode(path, content);
  const outside = await externalFiles(path, model);
  const beside = await fingerprintsOf(outside.map(({ name }) => join(dirname(path), name)));
  return {
    path,
    bytes: content.length + outside.reduce((sum, { bytes }) => sum + bytes, 0),
    sha256: await digest(path, content, outside),
    model,
    external: outside.length > 0,
    fingerprints: new Map([...itself, ...beside]),
  };
}

/**
 * The runtime reads the model once more, and may read weights beside it for as long as it runs. Where a file was written
 * to or replaced since, by its size, times and identity, its content must be what was digested.
 *
 * @throws ScorerError
 */
export async function checkUnchanged({ path, sha256, fingerprints }: ModelFile): Promise<void> {
  const found = await fingerprintsOf([...fingerprints.keys()]);
  if ([...found].every(([file, fingerprint]) => fingerprints.get(file) === fingerprint)) return;
  const now = await readModel(path).catch(() => null);
  if (now?.sha256 === sha256) return;
  throw new ScorerError(`${path} changed while it was used: run again once no other program writes to it`);
}

/** Null for a file that is gone. */
async function fingerprintsOf(paths: readonly string[]): Promise<Map<string, string | null>> {
  const found = paths.map((path) => stat(path, { bigint: true }).then(fingerprint, () => null));
  return new Map((await Promise.all(found)).map((value, i) => [paths[i]!, value]));
}

async function read(path: string): Promise<Buffer> {
  try {
    return await readRegular(path);
  } catch (error) {
    throw new ScorerError(`${path}: cannot read the model: ${reasonOf(error)}`, { cause: error });
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file: check --model",
  ENOTDIR: "there is no such file: check --model",
  EISDIR: "it is a folder: name the .onnx file in --model",
  EACCES: "permission denied: check the file's permissions",
  [NO_FILE]: "it is no regular file: name the .onnx file in --model",
  ERR_FS_FILE_TOO_LARGE: "it is larger than 2 GB: export it with external weights",
};

function reasonOf(error: unknown): string {
  const { code = "" } = error as NodeJS.ErrnoException;
  return REASONS[code] ?? messageOf(error);
}

function decode(path: string, content: Buffer): ModelProto {
  let model: ModelProto;
  try {
    model = decodeModel(content);
  } catch (error) {
    throw new ScorerError(
      `${path} is no ONNX model, or a damaged one (${messageOf(error)}): export, copy or download it again`,
      { cause: error },
    );
  }
  if (!model.graph?.node?.length) {
    throw new ScorerError(`${path} is no ONNX model: it holds no graph: name an .onnx file in --model`);
  }
  return model;
}

/** Every tensor of a graph's weights: initializers, and constants in its nodes. */
export function* weightsOf(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer ?? [];
  for (const node of graph.node ?? []) {
    for (const { t, g } of node.attribute ?? []) {
      if (t) yield t;
      if (g) yield* weightsOf(g);
    }
  }
}

interface ExternalFile {
  /** As the model names it: a path from the model's folder. */
  readonly name: string;
  readonly bytes: number;
}

/** What to do about a file with external weights. */
const BESIDE = "copy that file into the same folder";

/** By name. */
async function externalFiles(path: string, { graph }: ModelProto): Promise<readonly ExternalFile[]> {
  const names = new Set<string>();
  for (const { dataLocation, externalData } of weightsOf(graph ?? {})) {
    if (dataLocation !== dataLocations.external) continue;
    const name = externalData?.find(({ key }) => key === "location")?.value;
    if (name !== undefined) names.add(name);
  }
  return Promise.all(
    [...names].sort().map(async (name) => {
      const found = await stat(join(dirname(path), name)).catch((error: unknown) => {
        throw new ScorerError(`${path} keeps its weights in ${name}, which is not beside it: ${BESIDE}`, {
          cause: error,
        });
      });
      // A pipe or a device may have no end.
      if (found.isFile()) return { name, bytes: found.size };
      throw new ScorerError(`${path} keeps its weights in ${name}, which is no file: ${BESIDE}`);
    }),
  );
}

async function digest(path: string, content: Buffer, outside: readonly ExternalFile[]): Promise<string> {
  const hash = createHash("sha256").update(content);
  for (const { name } of outside) {
    try {
      // In pieces, because weights are kept outside where they are too large for one file.
      for await (const piece of createReadStream(join(dirname(path), name))) hash.update(piece as Buffer);
    } catch (error) {
      throw new ScorerError(
        `${path} keeps its weights in ${name}, which cannot be read (${messageOf(error)}): ${BESIDE}`,
        { cause: error },
      );
    }
  }
  return hash.digest("hex");
}
