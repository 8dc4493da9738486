import { describe, expect, it } from "vitest";
import { junitXml } from "../../src/report/junit.ts";
import { evaluation } from "./builders.ts";
import { visible } from "../../src/text/visible.ts";
import { evilEvaluation, FAILED_GATE, gate, UNDEFINED_GATE } from "./cases.ts";
import { golden } from "./golden.ts";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

const NAMED: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', "#39": "'" };

/** Reads the XML that is written here, and throws at anything that is not well-formed. */
function parseXml(text: string): Element {
  const root: Element = { name: "", attributes: {}, children: [] };
  const open = [root];
  const body = text.replace(/^<\?xml version="1\.0" encoding="UTF-8"\?>\n/, "");
  const tokens = /<\/(\w+)>|<(\w+)((?:\s+\w+="[^"<]*")*)\s*(\/?)>|([^<]+)/y;
  while (tokens.lastIndex < body.length) {
    const at = tokens.lastIndex;
    const token = tokens.exec(body);
    if (token === null) throw new Error(`not well-formed at ${body.slice(at, at + 40)}`);
    const [, closed, name, attributes = "", empty, content = ""] = token;
    if (/&(?!(?:lt|gt|amp|quot|#39);)/.test(attributes + content)) throw new Error(`bare & in ${token[0]}`);
    if (closed !== undefined && open.pop()?.name !== closed) throw new Error(`unexpected </${closed}>`);
    if (name === undefined) continue;
    const element: Element = { name, attributes: parseAttributes(attributes), children: [] };
    open.at(-1)?.children.push(element);
    if (empty === "") open.push(element);
  }
  if (open.length !== 1 || root.children.length !== 1) throw new Error("not one root element");
  return root.children[0] as Element;
}

function parseAttributes(text: string): Record<string, string> {
  const pairs = [...text.matchAll(/(\w+)="([^"]*)"/g)];
  return Object.fromEntries(pairs.map(([, name = "", value = ""]) => [name, unescaped(value)]));
}

function unescaped(value: string): string {
  return value.replaceAll(/&(#?\w+);/g, (_, name: string) => NAMED[name] ?? "");
}

describe("junitXml(evaluation)", () => {
  it("has a test case a gate: passed, failed, and an error where it cannot be told", () => {
    const xml = junitXml(evaluation({ gates: [gate(), FAILED_GATE, UNDEFINED_GATE] }));
    expect(xml).toBe(golden("junit.xml", xml));
    const suite = parseXml(xml).children[0];
    expect(suite?.attributes).toEqual({
      name: "pets.onnx on pets test",
      tests: "3",
      failures: "1",
      errors: "1",
      skipped: "0",
      timestamp: "2026-11-22T12:00:00",
      time: "0.61",
    });
    expect(suite?.children.map(({ children }) => children[0]?.name)).toEqual([undefined, "failure", "error"]);
  });

  it("is an empty suite without gates, and without a time where there is none", () => {
    const root = parseXml(junitXml(evaluation({ durationSeconds: null })));
    expect(root.attributes).toEqual({ name: "mnist-evaluate", tests: "0", failures: "0", errors: "0" });
    expect(root.children[0]?.children).toEqual([]);
    expect(root.children[0]?.attributes["time"]).toBeUndefined();
  });

  it("is well-formed whatever the names, and shows what XML forbids", () => {
    const evil = evilEvaluation();
    const cases = parseXml(junitXml(evil)).children[0]?.children ?? [];
    expect(cases.map(({ attributes }) => attributes["name"])).toEqual(
      evil.gates.map(({ expression }) => visible(expression)),
    );
  });
});
