import { describe, expect, test } from "vitest";

import { redactor, shownUrl, urlSecrets } from "../../../src/scorer/http/secrets.ts";

describe("redactor(secrets)", () => {
  const secret = `k&y/+"\\ é`;
  const forms = {
    itself: secret,
    "in a URL": encodeURIComponent(secret),
    "in a URL in small letters": encodeURIComponent(secret).toLowerCase(),
    "in a form": encodeURIComponent(secret).replaceAll("%20", "+"),
    "in JSON": JSON.stringify(secret),
    "in JSON in JSON": JSON.stringify(JSON.stringify(secret)),
    "in PHP's JSON": JSON.stringify(secret).replaceAll("/", "\\/"),
    "in HTML": secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;"),
    "in base64": Buffer.from(secret).toString("base64"),
    "in base64 without padding": Buffer.from(secret).toString("base64").replaceAll("=", ""),
    "in base64 for URLs": Buffer.from(secret).toString("base64url"),
  };

  test.each(Object.entries(forms))("hides one %s", (_, form) => {
    const shown = redactor([secret])(`before ${form} and ${form} after`);
    expect(shown.replaceAll(/[\\"]/g, "")).toBe("before … and … after");
  });

  test("hides the longest of several first", () => {
    expect(redactor(["abcd", "abcdefgh", "xabcdefghx"])("abcd abcdefgh xabcdefghx")).toBe("… … …");
  });

  test("hides short ones, too, but not their base64", () => {
    expect(redactor(["k1", ""])("k1 K1 azE")).toBe("… K1 azE");
  });

  test("takes signs of patterns for themselves", () => {
    expect(redactor(["a.c*[x]$^|(y)", "a-z"])("abc a.c*[x]$^|(y) m a-z $&")).toBe("abc … m … $&");
  });

  test("leaves a text alone without secrets", () => {
    expect(redactor([])("text")).toBe("text");
    expect(redactor([""])("text")).toBe("text");
  });
});

const shown = (text: string) => shownUrl(new URL(text));
const secrets = (text: string) => urlSecrets(new URL(text));

test("shownUrl(url) leaves out user, password and fragment, and the values of the query", () => {
  expect(shown("https://user:pass@a.test:8443/v1/score?code=KEY&a=b=c&flag&d=#frag")).toBe(
    "https://a.test:8443/v1/score?code=…&a=…&…&d=…",
  );
  expect(shown("http://a.test")).toBe("http://a.test/");
  expect(shown("http://a.test/?")).toBe("http://a.test/");
});

test("urlSecrets(url) names password, or the user that stands in its place, and long values of the query", () => {
  expect(secrets("http://me:p%40ss@a.test/?v=1&code=0123456%2F")).toEqual([
    "p%40ss",
    "p@ss",
    Buffer.from("me:p@ss").toString("base64"),
    "0123456/",
  ]);
  expect(secrets("http://token@a.test/")).toEqual([
    "token",
    "token",
    Buffer.from("token:").toString("base64"),
  ]);
  expect(secrets("http://a.test/?v=1")).toEqual([]);
});
