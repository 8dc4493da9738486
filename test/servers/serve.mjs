// Loopback scoring servers that answer as real ones do, for tests of scoring through an endpoint and for trying it by hand.
//
//   node test/servers/serve.mjs KIND --model FILE [--port N] [options]
//
//   KIND       azureml kserve mlserver mlflow triton tfserving torchserve sagemaker
//   --model    an ONNX file; what arrives is scored with it
//   --port     0, the default, takes a free one; the first line of output is the URL where images go
//   --mode     azureml: list string result result-string automl input_data schema html;
//              kserve: v1 v2 (which of its two addresses is given out); mlflow: plain signature; triton: fp32 uint8;
//              tfserving: plain named; torchserve: predictions instances; sagemaker: plain predictions builtin
//   --output   labels (default) | probabilities | logits: what the service answers with
//   --name     the model's name, mnist by default
//   --scale    unit (default) | raw | mnist: what torchserve and triton's uint8 do to bytes before the model sees them
//   --precision  float32 rounds the numbers that arrive to float32 before a float64 model sees them
//   --batch N  triton: what its metadata says that each request must have
//   --workers N  requests that are handled at once, the rest wait; unlimited by default
//   --delay-ms N --image-delay-ms N   added to each answer; for each image of it
//   --ready-after-ms N   what the server does while its model loads: refuses connections or says that it is not ready
//   --max-bytes N        413 above; the rest of such a request is read and dropped (see also the fault 413-abrupt)
//   --seed N --fault NAME[,key=value…]   any number of faults; keys: rate, perImage, total, after, value, status
//   --tls-key FILE --tls-cert FILE   HTTPS
//
// With the environment variable TEST_SERVER_KEY, every request needs `Authorization: Bearer` and that key, or is answered 401.
//
// Faults (test/servers/faults.ts has what `value` means for each):
//   429 429-seconds 429-date 500 502 503 504 408 424 413-abrupt bad-image key-echo redirect
//   reset-request reset-before-reply reset-reply close-unanswered stall drip truncated truncated-length html-200 text-200
//   double-encoded big-body keep-alive-closed restart count-fewer count-more nan label-out-of-range random wrong-id
//
//   node test/servers/serve.mjs azureml --model data/models/mnist-logreg.onnx --port 5001 --fault 429-seconds,rate=0.1,value=1
//
// On SIGINT and SIGTERM it prints its counts as JSON and ends. Tests use `startServer` of start.ts, which runs this file in a
// child process. The servers are TypeScript, which Node 20 cannot run: this file bundles main.ts where it has changed, and
// imports it.
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const folder = fileURLToPath(new URL("../../node_modules/.cache/test-servers/", import.meta.url));

/** Changes with any edit, so that an unchanged bundle is not made again. */
function stamp() {
  const files = readdirSync(here, { recursive: true, encoding: "utf8" }).sort();
  const hash = createHash("sha256");
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(here, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

const bundle = join(folder, `${stamp()}.mjs`);
if (!existsSync(bundle)) {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [join(here, "main.ts")],
    bundle: true,
    write: false,
    packages: "external",
    format: "esm",
    platform: "node",
    target: "node20",
    sourcemap: "inline",
  });
  mkdirSync(folder, { recursive: true });
  const partial = `${bundle}.${randomUUID()}`;
  writeFileSync(partial, outputFiles[0].contents);
  renameSync(partial, bundle);
}
// Before the ONNX runtime is loaded, which would send events to its maker.
process.env.ORT_DISABLE_TELEMETRY = "1";
await import(pathToFileURL(bundle).href);
