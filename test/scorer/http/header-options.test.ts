import { describe, expect, test } from "vitest";

import { UsageError } from "../../../src/errors.ts";
import { apiKey, headerOptions } from "../../../src/scorer/http/secrets.ts";

const ENV = { TOKEN: " t0ken\n", EMPTY: " ", BROKEN: "a\nb", WIDE: "ключ" };

/** The message of the usage error, which never shows what may be a secret. */
function message(make: () => unknown): string {
  const text = thrown(make);
  expect(text).not.toMatch(/SECRET|t0ken|ключ/);
  return text;
}

function thrown(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  throw new Error("nothing was thrown");
}

const one = (text: string) => message(() => headerOptions([text], ENV));

describe("headerOptions(values, env)", () => {
  test("reads names in lower case, and values as they are", () => {
    expect(
      headerOptions(
        ["azureml-model-deployment: blue", "X-Note:a: b ", "Host: mnist.example.com", "X-Latin: é"],
        ENV,
      ),
    ).toEqual({
      headers: {
        "azureml-model-deployment": "blue",
        "x-note": "a: b",
        host: "mnist.example.com",
        "x-latin": "é",
      },
      secrets: [],
    });
  });

  test("fills in variables, whose content and the value around it are secrets", () => {
    expect(
      headerOptions(["X-Api-Key: ${TOKEN}", "Authorization: Token ${TOKEN}", "X-Team: ${TOKEN}"], ENV),
    ).toEqual({
      headers: { "x-api-key": "t0ken", authorization: "Token t0ken", "x-team": "t0ken" },
      secrets: ["t0ken", "Token t0ken"],
    });
  });

  test.each([
    "Authorization",
    "Proxy-Authorization",
    "Cookie",
    "X-Api-Key",
    "api-key",
    "Ocp-Apim-Subscription-Key",
    "X-Amz-Security-Token",
    "Client-Secret",
    "X-Password",
  ])("takes no literal value for %s", (name) => {
    const lower = name.toLowerCase();
    expect(one(`${name}: SECRET`)).toBe(
      `--header ${lower}: keys come from the environment, where no list of processes shows them: ` +
        `use --api-key-env VAR or --header '${lower}: \${VAR}'`,
    );
  });

  test.each([
    ["SECRET", "--header has no colon: it is written 'Name: value'"],
    [": SECRET", "--header has no valid name before its colon: it is written 'Name: value'"],
    ["X SECRET: 1", "--header has no valid name before its colon: it is written 'Name: value'"],
    ["X-A:", "--header x-a: its value is empty"],
    [
      "X-A: SECRET\r\nX-B: 2",
      "--header x-a: its value holds a line break or another character that cannot stand in a header",
    ],
    ["X-A: ${}", "--header x-a: ${…} takes the name of an environment variable"],
    ["X-A: ${NOWHERE}", "--header x-a: the environment variable NOWHERE is not set"],
    ["X-A: ${EMPTY}", "--header x-a: the environment variable EMPTY is empty"],
    [
      "X-A: ${BROKEN}",
      "--header x-a: the environment variable BROKEN holds a line break or another character that cannot stand in a header",
    ],
    [
      "X-A: ${WIDE}",
      "--header x-a: the environment variable WIDE holds a line break or another character that cannot stand in a header",
    ],
  ])("refuses %j", (text, expected) => {
    expect(one(text)).toBe(expected);
  });

  test.each(["Content-Length", "Transfer-Encoding", "Connection", "Content-Type", "Expect", "X-Request-Id"])(
    "refuses %s, which the request has itself",
    (name) => {
      expect(one(`${name}: 1`)).toBe(
        `--header cannot be ${name.toLowerCase()}: that header is written for each request`,
      );
    },
  );

  test("says which of several is wrong, and refuses one that comes twice", () => {
    expect(message(() => headerOptions(["X-A: 1", "SECRET"], ENV))).toBe(
      "--header number 2 has no colon: it is written 'Name: value'",
    );
    expect(message(() => headerOptions(["X-A: 1", "x-a: SECRET"], ENV))).toBe(
      "--header gives x-a twice: give it once",
    );
  });

  test("takes names that objects have themselves", () => {
    expect(headerOptions(["constructor: 1"], ENV).headers).toEqual({ constructor: "1" });
  });
});

describe("apiKey(variable, env)", () => {
  test("gives the variable's content without white space around it", () => {
    expect(apiKey("TOKEN", ENV)).toBe("t0ken");
  });

  test.each([
    ["NO_KEY", "--api-key-env: the environment variable NO_KEY is not set: put the service's key there"],
    ["EMPTY", "--api-key-env: the environment variable EMPTY is empty: put the service's key there"],
    [
      "BROKEN",
      "--api-key-env: the environment variable BROKEN holds a line break or another character that cannot stand in a header: put the service's key there",
    ],
    [
      "sk-SECRET",
      "--api-key-env takes the name of the environment variable that holds the key, not the key itself",
    ],
    [
      "aSECRET0123456789abcdefABCDEF",
      "--api-key-env: the environment variable (name not shown: it may be a key) is not set: put the service's key there",
    ],
  ])("refuses %s", (variable, expected) => {
    expect(message(() => apiKey(variable, ENV))).toBe(expected);
  });
});
