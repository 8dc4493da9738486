import { createServer, request as httpRequest } from "node:http";
import { connect } from "node:net";

import { describe, expect, onTestFinished, test } from "vitest";

import { UsageError } from "../../../src/errors.ts";
import { failed, failure, listening, NEVER, post, service, transport } from "./service.ts";

/** A loopback proxy, and what it was asked for. */
async function proxy(user: string | null = null): Promise<{ url: string; seen: string[] }> {
  const seen: string[] = [];
  const authorized = (header: string | undefined) =>
    user === null || header === `Basic ${Buffer.from(user).toString("base64")}`;
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    const { method, headers, url } = request;
    if (!authorized(headers["proxy-authorization"])) response.writeHead(407).end();
    else
      request.pipe(
        httpRequest(url!, { method: method!, headers }, (reply) => {
          response.writeHead(reply.statusCode!, reply.headers);
          reply.pipe(response);
        }),
      );
  });
  server.on("connect", (request, socket) => {
    seen.push(`CONNECT ${request.url}`);
    if (!authorized(request.headers["proxy-authorization"])) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      return;
    }
    const [host, port] = request.url!.split(":");
    const target = connect(Number(port), host, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      target.pipe(socket).pipe(target);
    });
    target.on("error", () => socket.destroy());
    socket.on("error", () => target.destroy());
    socket.on("close", () => target.destroy());
  });
  onTestFinished(() => server.closeAllConnections());
  return { url: await listening(server), seen };
}

describe("a proxy", () => {
  test("from http_proxy gets plain HTTP as it is, and the connection to it is kept", async () => {
    const { url: http_proxy, seen } = await proxy();
    const url = await service((request, response) => response.end(request.headers["x-request-id"]));
    const opened = transport({ env: { http_proxy } });
    for (const id of ["a", "b"]) {
      const reply = await opened.send(post(url, { id }), NEVER);
      expect(reply.body.toString()).toBe(id);
    }
    expect(seen).toEqual([`POST ${url.href}`, `POST ${url.href}`]);
  });

  test("is not asked for hosts in no_proxy", async () => {
    const { url: HTTP_PROXY, seen } = await proxy();
    const url = await service((_, response) => response.end("[]"));
    await transport({ env: { HTTP_PROXY, no_proxy: "example.com,127.0.0.1" } }).send(post(url), NEVER);
    expect(seen).toEqual([]);
  });

  test("may be given without http://, and with user and password", async () => {
    const { url: address, seen } = await proxy("me:p@ss");
    const url = await service((_, response) => response.end("[]"));
    const http_proxy = `me:p%40ss@${address.replace("http://", "")}`;
    expect((await transport({ env: { http_proxy } }).send(post(url), NEVER)).status).toBe(200);
    expect(seen).toEqual([`POST ${url.href}`]);
  });

  test("that wants a password says so, for HTTP and for HTTPS", async () => {
    const { url: http_proxy, seen } = await proxy("me:pass");
    const url = await service((_, response) => response.end("[]"));
    const opened = transport({ env: { http_proxy, https_proxy: http_proxy } });
    const text =
      "the proxy answered 407 Proxy Authentication Required: give its user and password in the proxy's URL";
    for (const target of [url, new URL("https://127.0.0.1:9/score")]) {
      const error = await failed(opened.send(post(target), NEVER));
      expect([error.kind, error.message, error.code]).toEqual(["unreachable", text, "PROXY_407"]);
    }
    expect(seen).toEqual([`POST ${url.href}`, "CONNECT 127.0.0.1:9"]);
  });

  test("that is not there refuses", async () => {
    const env = { http_proxy: "http://127.0.0.1:9" };
    expect(await failure(transport({ env }).send(post(new URL("http://a.test/")), NEVER))).toBe(
      "refused: the connection was refused",
    );
  });

  test("that does not answer is out of time", async () => {
    const silent = createServer().on("connect", () => {});
    const env = { https_proxy: await listening(silent) };
    onTestFinished(() => silent.closeAllConnections());
    expect(
      await failure(transport({ env, timeoutMs: 100 }).send(post(new URL("https://a.test/")), NEVER)),
    ).toBe("unreachable: no connection within 0.1 s");
  });

  test("whose closed connection a request meets is connected to anew", async () => {
    let requests = 0;
    const server = createServer((request, response) => {
      if (++requests === 2) request.socket.destroy();
      else response.end("[]");
    });
    const env = { http_proxy: await listening(server) };
    const opened = transport({ env });
    for (let i = 0; i < 3; i++)
      expect((await opened.send(post(new URL("http://a.test/score")), NEVER)).status).toBe(200);
    expect(requests).toBe(4);
  });

  test("that is no URL is a usage error, which does not show it", () => {
    expect(() => transport({ env: { https_proxy: "ftp://me:secret@host" } })).toThrow(
      new UsageError("the environment variable https_proxy is not the URL of a proxy, as http://host:3128"),
    );
  });
});
