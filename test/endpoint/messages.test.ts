import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";

import { describe, expect, onTestFinished, test } from "vitest";

import { idxFile } from "../dataset/builders.ts";
import { pixelsOf } from "../servers/scene.ts";
import { answering, scene, server } from "./scene.ts";

const { bare, path } = scene();

/** Test images of MNIST under other labels, as the options that name the files. */
function ownFiles(count: number, classes: number): string[] {
  const pixels = Array.from({ length: count }, (_, index) => [...pixelsOf(index)]).flat();
  const labels = Array.from({ length: count }, (_, index) => index % classes);
  writeFileSync(path("images.idx"), idxFile([count, 28, 28], pixels));
  writeFileSync(path("labels.idx"), idxFile([count], labels));
  return ["--images", path("images.idx"), "--labels", path("labels.idx")];
}

async function said(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await bare(["--wait", "0.3", "--retries", "1", "--limit", "500", ...args]);
  expect(stdout).toBe("");
  return `${code} ${stderr.replaceAll(/127\.0\.0\.1:\d+/g, "HOST")}`;
}

const told = (message: string): string => `4 mnist-evaluate: ${message}\n`;
const AZURE_FORMS =
  "azureml data, azureml input_data, azureml input_data columns, azureml Inputs predict_proba, azureml Inputs";
const NAME =
  "Name how it takes them with --protocol, --layout or --model-name, and check that the URL is that of the model";
const KEY = "Is the key right? --api-key-env names the environment variable that holds it";
const PATH = "Is the path of --endpoint right, and do --protocol and --model-name fit the service?";

describe("evaluate --endpoint says what is wrong, and ends with 4:", () => {
  test("nobody listens, the host is unknown", async () => {
    const { scoreUrl, stop } = await server("azureml");
    await stop();
    expect(await said(["--endpoint", scoreUrl])).toMatch(
      /^4 mnist-evaluate: the service was not ready within 0\.\d+ s, the last answer was GET \/: the connection was refused\. Is it running, and is --endpoint right\? A longer wait is set with --wait\n$/,
    );
    expect(await said(["--endpoint", "http://nowhere.invalid/score"])).toBe(
      told("the service cannot be used: the host nowhere.invalid is not known"),
    );
  });

  const takes = "http://HOST/score takes no images: ";
  const sent = ` They were sent as ${AZURE_FORMS}`;

  test.each([
    [401, `the service answered 401 Unauthorized: so it is. ${KEY}`],
    [403, `the service answered 403 Forbidden: so it is. ${KEY}`],
    [404, `${takes}the service answered 404 Not Found: so it is. ${PATH}${sent}`],
    [
      405,
      `${takes}the service answered 405 Method Not Allowed: so it is. It takes no POST there: is the path of --endpoint right, and does --protocol fit the service?${sent}`,
    ],
    [
      415,
      `${takes}the service answered 415 Unsupported Media Type: so it is. It does not take this content type: does --protocol fit the service?${sent}`,
    ],
    [418, `${takes}418 I'm a Teapot: so it is. ${NAME}.${sent}`],
  ])("%i to every image", async (status, message) => {
    const url = await answering((request, response) => {
      if (request.method === "GET") response.end("Healthy");
      else response.writeHead(status, { "Content-Type": "application/json" }).end(`{"message": "so it is"}`);
    });
    expect(await said(["--endpoint", `${url}/score`])).toBe(told(message));
  });

  test("not HTTP at all", async () => {
    const tcp = createServer((socket) => socket.on("error", () => {}).write("SSH-2.0-OpenSSH_9.6\r\n"));
    await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void tcp.close());
    expect(await said(["--endpoint", `http://127.0.0.1:${(tcp.address() as AddressInfo).port}/score`])).toBe(
      told("the service cannot be used: what came back is not HTTP/1.1: is it an https:// service?"),
    );
  });

  test("a web page", async () => {
    const url = await answering((_, response) => {
      response.setHeader("Content-Type", "text/html");
      response.end("<!doctype html><title>Sign in</title><h1>Sign in</h1>");
    });
    expect(await said(["--endpoint", `${url}/score`])).toBe(
      told(`${takes}the reply is an HTML page: Sign in. ${NAME}.${sent}`),
    );
  });

  test("a self-signed certificate, TLS where there is none, none where there is", async () => {
    const [key, cert] = ["key.pem", "certificate.pem"].map((name) =>
      fileURLToPath(new URL(`../fixtures/tls/${name}`, import.meta.url)),
    );
    const secure = await server("azureml", { tls: { key: key!, cert: cert! } });
    expect(await said(["--endpoint", secure.scoreUrl])).toBe(
      told(
        "the service cannot be used: the certificate of 127.0.0.1 is self-signed: name a file with it in NODE_EXTRA_CA_CERTS",
      ),
    );
    expect(await said(["--endpoint", secure.scoreUrl.replace("https:", "http:")])).toMatch(
      /^4 mnist-evaluate: the service was not ready within 0\.\d+ s, the last answer was GET \/: the connection was closed without a reply\. Is it running, and is --endpoint right\? A longer wait is set with --wait\n$/,
    );
    const open = await server("azureml");
    expect(await said(["--endpoint", open.scoreUrl.replace("http:", "https:")])).toBe(
      told(
        "the service cannot be used: 127.0.0.1 does not speak TLS on this port: is it an http:// service?",
      ),
    );
  });

  test("a model that is not there, or not named", async () => {
    const silent = await answering(({ url }, response) => {
      if (url === "/v2") response.end('{"name": "triton", "version": "2.50.0", "extensions": []}');
      else response.writeHead(404).end();
    });
    expect(await said(["--endpoint", silent])).toBe(
      told("http://HOST does not say which models it has: name one with --model-name"),
    );
    const { url, scoreUrl } = await server("triton");
    for (const args of [
      ["--endpoint", url, "--model-name", "nope"],
      ["--endpoint", scoreUrl.replace("mnist", "nope")],
    ]) {
      expect(await said(args)).toMatch(
        /^4 mnist-evaluate: the service was not ready within 0\.\d+ s, the last answer was GET \/v2\/models\/nope\/ready: 400 Bad Request\. Does it have the model nope, and is --endpoint right\? A longer wait is set with --wait\n$/,
      );
    }
  });

  test("several models, of which none is named", async () => {
    const url = await answering(({ url }, response) => {
      if (url === "/v1/models") response.end('{"models": ["mnist", "fashion"]}');
      else response.writeHead(404).end();
    });
    expect(await said(["--endpoint", url])).toBe(
      told("http://HOST has the models mnist, fashion: name one with --model-name"),
    );
  });

  test("another protocol than the service's", async () => {
    const azureml = await server("azureml");
    expect(await said(["--endpoint", azureml.scoreUrl, "--protocol", "oip"])).toBe(
      told(
        "http://HOST does not say that it speaks oip, or which models it has: leave --protocol out to find out what it speaks, or name the model with --model-name",
      ),
    );
    const triton = await server("triton");
    expect(await said(["--endpoint", triton.scoreUrl, "--protocol", "azureml"])).toBe(
      told(
        `http://HOST/v2/models/mnist/infer/score takes no images: the service answered 404 Not Found. ${PATH}${sent}`,
      ),
    );
  });

  test("another number of classes than the data set's", async () => {
    const { scoreUrl } = await server("azureml", { output: "probabilities" });
    const files = ownFiles(60, 3);
    expect(await said(["--endpoint", scoreUrl, ...files, "--classes", "a,b,c"])).toBe(
      told(
        "http://HOST/score gives 10 scores an image (predictions float64 [n, 10]), but the data set has 3 classes: use a model made for this data set, name all 10 classes with --classes, or name another output with --output",
      ),
    );
    const { scoreUrl: labels } = await server("azureml");
    expect(
      (await said(["--endpoint", labels, ...files, "--classes", "a,b,c"])).replace(
        /\S+metrics\.json/,
        "FILE",
      ),
    ).toBe(
      told(
        "40 of 60 images have no prediction (mostly: the service's label 4 is none of the 3 classes): see failures in FILE",
      ),
    );
  });
});

const alone = (option: string): string =>
  `${option} is for a service: name its URL with --endpoint, or leave it out`;

describe("evaluate ends with 2 for", () => {
  const AT = ["--endpoint", "http://127.0.0.1:9/score"];
  test.each<readonly [readonly string[], string]>([
    [
      ["--endpoint", "localhost:5001"],
      "--endpoint takes a URL such as http://localhost:5001/score, not localhost:5001",
    ],
    [
      ["--endpoint", "ftp://h/score"],
      "--endpoint takes a URL such as http://localhost:5001/score, not ftp://h/score",
    ],
    [
      ["--endpoint", "me:open-sesame@h/score"],
      "--endpoint takes a URL such as http://localhost:5001/score, not what was given",
    ],
    [["--dry-run"], alone("--dry-run")],
    [["--model-name", "m"], alone("--model-name")],
    [["--timeout", "5"], alone("--timeout")],
    [["--retries", "0"], alone("--retries")],
    [["--concurrency", "2"], alone("--concurrency")],
    [["--wait", "1"], alone("--wait")],
    [["--max-request-bytes", "5000"], alone("--max-request-bytes")],
    [["--header", "A: b"], alone("--header")],
    [["--api-key-env", "K"], alone("--api-key-env")],
    [
      [...AT, "--protocol", "kserve"],
      "--protocol: kserve is not one of auto, azureml, kserve-v1, oip, oip-binary, tfserving, mlflow, torchserve, sagemaker: did you mean kserve-v1?",
    ],
    [[...AT, "--timeout", "0"], "--timeout takes seconds from above 0 to 86400, not 0"],
    [[...AT, "--wait", "soon"], "--wait takes seconds from above 0 to 86400, not soon"],
    [[...AT, "--retries", "-1"], "--retries takes a whole number from 0 to 100, not -1"],
    [[...AT, "--concurrency", "0"], "--concurrency takes a whole number from 1 to 1000, not 0"],
    [
      [...AT, "--max-request-bytes", "10"],
      "--max-request-bytes takes a whole number from 1000 to 2147483647, not 10",
    ],
    [
      [...AT, "--max-failures", "1.5"],
      "--max-failures takes a number of images, such as 10, or a share of them, such as 0.5%, not 1.5",
    ],
    [
      [...AT, "--max-failures", "101%"],
      "--max-failures takes a number of images, such as 10, or a share of them, such as 0.5%, not 101%",
    ],
    [
      [...AT, "--api-key-env", "NOT_SET_ANYWHERE"],
      "--api-key-env: the environment variable NOT_SET_ANYWHERE is not set: put the service's key there",
    ],
    [
      [...AT, "--header", "Content-Type: text/csv"],
      "--header cannot be content-type: that header is written for each request",
    ],
  ])("%j", async (args, message) => {
    const { code, stderr } = await bare(args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: `mnist-evaluate: ${message}\n` });
  });
});
