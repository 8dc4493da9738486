import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { tlsProblem } from "../../../src/scorer/http/tls.ts";
import { sendProcess } from "./process.ts";
import { failure, listening, NEVER, post, service, transport } from "./service.ts";

const fixture = (name: string): Buffer =>
  readFileSync(new URL(`../../fixtures/tls/${name}`, import.meta.url));

/** A loopback HTTPS server that is gone after the test. */
async function secure(certificate: string): Promise<URL> {
  const server = createServer({ cert: fixture(certificate), key: fixture("key.pem") }, (request, response) =>
    response.end(request.headers.authorization ?? "none"),
  );
  const url = new URL(`${await listening(server)}/score`);
  url.protocol = "https:";
  return url;
}

const CURE = "name a file with it in NODE_EXTRA_CA_CERTS";

describe("TLS", () => {
  test("with a self-signed certificate is refused, with the way to trust it", async () => {
    expect(await failure(transport().send(post(await secure("certificate.pem")), NEVER))).toBe(
      `tls: the certificate of 127.0.0.1 is self-signed: ${CURE}`,
    );
  });

  test("to a service without it asks whether it is HTTP", async () => {
    const url = await service((_, response) => response.end());
    url.protocol = "https:";
    expect(await failure(transport().send(post(url), NEVER))).toBe(
      "tls: 127.0.0.1 does not speak TLS on this port: is it an http:// service?",
    );
  });

  test("is not spoken where the URL says http", async () => {
    const url = await secure("certificate.pem");
    url.protocol = "http:";
    expect(await failure(transport().send(post(url), NEVER))).toMatch(
      /^(closed: the connection was closed without a reply|malformed: what came back is not HTTP\/1\.1: is it an https:\/\/ service\?)$/,
    );
  });
});

test("tlsProblem(error, code, url) puts each kind of trouble into words", () => {
  const url = new URL("https://a.test:8443/score");
  const words = (code: string | null, message = "") => tlsProblem(new Error(message), code, url);
  const unknown = "comes from a certificate authority that is not known here";
  const cure = "name a file with that authority's certificate in NODE_EXTRA_CA_CERTS";
  expect(words("UNABLE_TO_VERIFY_LEAF_SIGNATURE")).toBe(`the certificate of a.test ${unknown}: ${cure}`);
  expect(words("SELF_SIGNED_CERT_IN_CHAIN")).toBe(
    `the certificate of a.test comes from a certificate authority of its own, which is not known here: ${cure}`,
  );
  expect(words("CERT_NOT_YET_VALID")).toBe(
    "the certificate of a.test is not valid yet: is this machine's clock right?",
  );
  expect(words("CERT_REVOKED")).toBe("the certificate of a.test was revoked: it has to be renewed");
  const alert =
    "C0:error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:rec_layer_s3.c:1590:\n";
  expect(words("EPROTO", alert)).toBe("no TLS connection to a.test: sslv3 alert handshake failure");
  expect(words("ERR_SSL_OTHER", "in words\nmore")).toBe("no TLS connection to a.test: in words");
  expect(words("ECONNRESET")).toBe(null);
  expect(words(null)).toBe(null);
});

describe("a process with NODE_EXTRA_CA_CERTS", () => {
  const run = sendProcess();
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tls-"));
    const trusted = ["certificate.pem", "expired.pem", "other-host.pem"].map(fixture);
    await writeFile(join(folder, "trusted.pem"), Buffer.concat(trusted));
  });

  afterAll(async () => await rm(folder, { recursive: true, force: true }));

  test("trusts the certificate, and says what is wrong with others", async () => {
    const good = await secure("certificate.pem");
    const byName = new URL(good);
    byName.hostname = "localhost";
    const [expired, other] = [await secure("expired.pem"), await secure("other-host.pem")];
    const output = await run([good, byName, expired, other], {
      NODE_EXTRA_CA_CERTS: join(folder, "trusted.pem"),
    });
    expect(output).toEqual([
      "200 Bearer K",
      "200 Bearer K",
      "HttpFailure: the certificate of 127.0.0.1 has expired: it has to be renewed",
      "HttpFailure: the certificate of 127.0.0.1 is for other.example, www.other.example: use one of its names in the URL",
      "exit 0",
    ]);
  });

  test("follows a redirect from http to https on the same host, without the key", async () => {
    const good = await secure("certificate.pem");
    const plain = await service((_, response) => response.writeHead(308, { Location: good.href }).end());
    expect(await run([plain], { NODE_EXTRA_CA_CERTS: join(folder, "trusted.pem") })).toEqual([
      "200 none",
      "exit 0",
    ]);
  });

  test("does so through a proxy, too", async () => {
    const seen: string[] = [];
    const { createServer: createProxy } = await import("node:http");
    const proxy = createProxy().on("connect", (request, socket) => {
      seen.push(request.url!);
      const [host, port] = request.url!.split(":");
      const target = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        target.pipe(socket).pipe(target);
      });
      target.on("error", () => {});
      socket.on("error", () => {});
    });
    const https_proxy = await listening(proxy);
    const [good, other] = [await secure("certificate.pem"), await secure("other-host.pem")];
    const output = await run([good, good, other], {
      NODE_EXTRA_CA_CERTS: join(folder, "trusted.pem"),
      https_proxy,
    });
    expect(output).toEqual([
      "200 Bearer K",
      "200 Bearer K",
      "HttpFailure: the certificate of 127.0.0.1 is for other.example, www.other.example: use one of its names in the URL",
      "exit 0",
    ]);
    expect(seen).toEqual([good.host, other.host]);
  });

  test("without it trusts none of them, and ends by itself all the same", async () => {
    const output = await run([await secure("certificate.pem")], {});
    expect(output).toEqual([`HttpFailure: the certificate of 127.0.0.1 is self-signed: ${CURE}`, "exit 0"]);
  });
});
