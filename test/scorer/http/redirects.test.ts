import { describe, expect, test } from "vitest";

import { redirectTarget } from "../../../src/scorer/http/redirect.ts";
import { bodyOf, failure, get, NEVER, post, service, transport } from "./service.ts";

/** Where a redirect of a request to http://a.test/score leads, or why it is not followed. */
function target(
  method: "GET" | "POST",
  status: number,
  location: string,
  from = "http://a.test/score",
): string {
  try {
    return redirectTarget({ method, url: new URL(from) }, { status, headers: { location } })?.href ?? "stays";
  } catch (error) {
    return (error as Error).message;
  }
}

describe("redirectTarget(request, reply)", () => {
  test("follows 307 and 308 anywhere but to plain HTTP", () => {
    expect(target("POST", 307, "/score/")).toBe("http://a.test/score/");
    expect(target("POST", 308, "https://b.test/x?y")).toBe("https://b.test/x?y");
    expect(target("POST", 308, "http://a.test/score?key=1", "https://a.test/score")).toBe(
      "answered 308 Permanent Redirect, a redirect to http://a.test/score?key=…, which is not encrypted: " +
        "give it to --endpoint if that is what you want",
    );
  });

  test("follows any redirect of a GET", () => {
    for (const status of [301, 302, 303, 307, 308])
      expect(target("GET", status, "/elsewhere")).toBe("http://a.test/elsewhere");
  });

  test.each([301, 302, 303])("follows %i of a POST to the same place with a slash or by https", (status) => {
    expect(target("POST", status, "/score/")).toBe("http://a.test/score/");
    expect(target("POST", status, "https://a.test/score")).toBe("https://a.test/score");
  });

  test("does not follow 301, 302 and 303 of a POST to other places", () => {
    const cure = "which a POST does not follow: give the URL that answers to --endpoint";
    expect(target("POST", 301, "/v2/score")).toBe(
      `answered 301 Moved Permanently, a redirect to http://a.test/v2/score, ${cure}`,
    );
    expect(target("POST", 302, "http://user:pass@b.test/login?to=secret#x")).toBe(
      `answered 302 Found, a redirect to http://b.test/login?to=…, ${cure}`,
    );
    expect(target("POST", 303, "/score?done")).toBe(
      `answered 303 See Other, a redirect to http://a.test/score?…, ${cure}`,
    );
  });

  test("does not follow what is no URL, or none of HTTP", () => {
    expect(target("GET", 302, "http://")).toBe("answered 302 Found with a Location that is not a URL");
    expect(target("GET", 302, "file:///etc/passwd")).toBe(
      "answered 302 Found, a redirect to file:///etc/passwd, which is not HTTP",
    );
  });

  test("stays where there is no Location, and at other statuses", () => {
    expect(target("POST", 304, "/x")).toBe("stays");
    expect(target("POST", 200, "/x")).toBe("stays");
    expect(
      redirectTarget({ method: "GET", url: new URL("http://a.test") }, { status: 302, headers: {} }),
    ).toBe(null);
  });
});

describe("a redirect", () => {
  test("takes method and body along, and the key within the origin", async () => {
    const url = await service((request, response) => {
      if (request.url === "/score") response.writeHead(307, { Location: "/score/" }).end();
      else
        void bodyOf(request).then((body) =>
          response.end(
            `${request.method} ${body} ${request.headers.authorization} ${String(request.headers["x-own"])}`,
          ),
        );
    });
    const reply = await transport({ key: "K", headers: { "X-Own": "1" } }).send(post(url), NEVER);
    expect(reply.body.toString()).toBe("POST [1] Bearer K 1");
    expect(reply.redirected).toBe(null);
  });

  test("to another origin takes neither key nor password nor the user's headers along, and says where it led", async () => {
    let received = {};
    const other = await service((request, response) => {
      received = request.headers;
      response.end("[]");
    });
    const url = await service((_, response) => response.writeHead(308, { Location: other.href }).end());
    url.username = "user";
    url.password = "pass";
    const headers = { "X-Own": "1", Cookie: "c=1", Authorization: "Basic x" };
    const reply = await transport({ key: "K", headers }).send(
      post(url, { headers: { "Content-Type": "application/json" } }),
      NEVER,
    );
    expect(reply.redirected?.href).toBe(other.href);
    expect(received).toMatchObject({
      "content-type": "application/json",
      "x-request-id": "r1",
      host: other.host,
    });
    for (const name of ["authorization", "cookie", "x-own"]) expect(received).not.toHaveProperty(name);
  });

  test("does not take the key to another port, nor back from there", async () => {
    const seen: (string | undefined)[] = [];
    const other = await service((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(307, { Location: `${url.origin}/end` }).end();
    });
    const url = await service((request, response) => {
      seen.push(request.headers.authorization);
      if (request.url === "/end") response.end("[]");
      else response.writeHead(307, { Location: other.href }).end();
    });
    const reply = await transport({ key: "K" }).send(post(url), NEVER);
    expect(seen).toEqual(["Bearer K", undefined, undefined]);
    expect(reply.redirected?.href).toBe(`${url.origin}/end`);
  });

  test("is followed five times", async () => {
    const url = await service((request, response) => {
      const count = Number(request.url!.slice(1));
      if (count === 5) response.end("[]");
      else response.writeHead(302, { Location: `/${count + 1}` }).end();
    }, "/0");
    expect((await transport().send(get(url), NEVER)).status).toBe(200);
    expect(await failure(transport().send(get(new URL("/-1", url)), NEVER))).toBe(
      `redirect: redirected more than 5 times, the last time to ${url.origin}/5`,
    );
  });

  test("is under the same deadline as the request", async () => {
    const url = await service((_, response) => {
      setTimeout(() => response.writeHead(307, { Location: "/again" }).end(), 60);
    });
    expect(await failure(transport({ timeoutMs: 250 }).send(post(url), NEVER))).toBe(
      "timeout: no reply within 0.25 s",
    );
  });
});
