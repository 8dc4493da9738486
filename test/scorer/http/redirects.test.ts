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

const refused = (to: string, url: string): string =>
  `a.test answered 307 Temporary Redirect, a redirect to ${url}. Nothing is sent to another host: give that URL to --endpoint if ${to} is the service`;

describe("redirectTarget(request, reply)", () => {
  test("follows 307 and 308 anywhere on the same host but to plain HTTP", () => {
    expect(target("POST", 307, "/score/")).toBe("http://a.test/score/");
    expect(target("POST", 308, "https://a.test/x?y")).toBe("https://a.test/x?y");
    expect(target("POST", 308, "https://a.test:8443/x", "http://a.test:8080/score")).toBe(
      "https://a.test:8443/x",
    );
    expect(target("POST", 308, "http://a.test/score?key=1", "https://a.test/score")).toBe(
      "answered 308 Permanent Redirect, a redirect to http://a.test/score?key=…, which is not encrypted: " +
        "give it to --endpoint if that is what you want",
    );
  });

  test.each(["GET", "POST"] as const)("does not follow any of a %s to another host or port", (method) => {
    expect(target(method, 307, "http://user:pass@b.test/login?to=secret#x")).toBe(
      refused("b.test", "http://b.test/login?to=…"),
    );
    expect(target(method, 307, "//b.test/")).toBe(refused("b.test", "http://b.test/"));
    expect(target(method, 307, "http://a.test:81/score")).toBe(
      refused("a.test:81", "http://a.test:81/score"),
    );
    expect(target(method, 307, "https://sub.a.test/score")).toBe(
      refused("sub.a.test", "https://sub.a.test/score"),
    );
    expect(target(method, 307, "http://a.test./score")).toBe(refused("a.test.", "http://a.test./score"));
    expect(target(method, 307, "https://a.test:444/score", "https://a.test/score")).toBe(
      refused("a.test:444", "https://a.test:444/score"),
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
    expect(target("POST", 302, "/login?to=secret#x")).toBe(
      `answered 302 Found, a redirect to http://a.test/login?to=…, ${cure}`,
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
    expect([reply.redirected?.href, reply.withoutKey]).toEqual([`${url.href}/`, false]);
  });

  test("to another host or port is not followed, and nothing is sent there", async () => {
    let asked = 0;
    const other = await service((_, response) => {
      asked++;
      response.end("[]");
    });
    const url = await service((_, response) => response.writeHead(308, { Location: other.href }).end());
    for (const request of [post, get])
      expect(await failure(transport({ key: "K" }).send(request(url), NEVER))).toBe(
        `redirect: ${url.host} answered 308 Permanent Redirect, a redirect to ${other.href}. Nothing is sent to another host: ` +
          `give that URL to --endpoint if ${other.host} is the service`,
      );
    expect(asked).toBe(0);
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
