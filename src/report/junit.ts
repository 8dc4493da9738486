import type { Evaluation, GateResult } from "../types.ts";
import { measured } from "./format.ts";
import { markup, type Markup } from "./markup.ts";

/**
 * junit.xml: one test case a gate, a failure where it failed, an error where it could not be told. Without gates
 * it is an empty suite, which GitLab and most readers take as it is; Jenkins wants `allowEmptyResults` for that.
 */
export function junitXml(evaluation: Evaluation): string {
  const { gates, durationSeconds, createdAt, dataset, scorer } = evaluation;
  const number = (result: GateResult["result"]) => gates.filter((gate) => gate.result === result).length;
  const counts = markup`tests="${gates.length}" failures="${number("failed")}" errors="${number("untold")}"`;
  const time = durationSeconds === null ? null : markup` time="${durationSeconds}"`;
  const name = `${scorer.name} on ${dataset.name} ${dataset.split}`;
  // The schema of JUnit files has local times without zone or fraction.
  const timestamp = createdAt.slice(0, "2000-01-01T00:00:00".length);
  const cases = gates.map((gate) => testCase(gate, `${dataset.name}.${dataset.split}`));
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="mnist-evaluate" ${counts}${time}>
  <testsuite name="${name}" ${counts} skipped="0" timestamp="${timestamp}"${time}>
${cases}  </testsuite>
</testsuites>
`.text;
}

function testCase(gate: GateResult, classname: string): Markup {
  const open = markup`    <testcase classname="${classname}" name="${gate.expression}"`;
  if (gate.result === "passed")
    return markup`${open}/>
`;
  const detail =
    gate.result === "failed"
      ? markup`<failure message="${gate.reason}" type="gate">measured ${measured(gate)}, expected ${gate.operator} ${gate.expected}</failure>`
      : markup`<error message="${gate.reason}" type="untold"/>`;
  return markup`${open}>
      ${detail}
    </testcase>
`;
}
