import type { Environment, Evaluation, Preflight } from "../types.ts";
import { count, counted, duration, percent, short } from "./format.ts";
import { scroll } from "./html-tables.ts";
import { Markup, markup, outside } from "./markup.ts";
import { modelFacts } from "./model.ts";
import { isChosen, isOnScored, lossText, preprocessingText, wayText } from "./preprocessing.ts";

type Fact = readonly [term: string, text: string | Markup];

/** What was measured, with what, and how: the model, its preprocessing, the data and the run. */
export function provenance(evaluation: Evaluation): Markup {
  const { scorer, preflight } = evaluation;
  const model: Fact[] = [["Name", hashed(scorer.name, scorer.sha256)]];
  model.push(...modelFacts(evaluation));
  return markup`<h3>Model</h3>
${facts(model)}
<h3>Preprocessing</h3>
<p>${outside(preprocessingText(evaluation))}</p>
${preflight === null ? null : candidates(preflight)}
<h3>Data and run</h3>
${facts(runFacts(evaluation))}`;
}

/** Terms and what is to be said of each, most of it from outside. */
export function facts(rows: readonly Fact[]): Markup {
  return markup`<dl class="facts">
${rows.map(([term, value]) => markup`<dt>${term}</dt><dd>${value instanceof Markup ? value : outside(value)}</dd>\n`)}</dl>`;
}

/** The ways that were tried, folded away where the scored images had no part in it. */
function candidates(preflight: Preflight): Markup | null {
  if (preflight.candidates.length === 0) return null;
  const rows = preflight.candidates.map((candidate) => {
    const mark = isChosen(preflight, candidate) ? markup` <span class="mark chosen">chosen</span>` : null;
    return markup`<tr><td class="text way">${wayText(candidate)}${mark}</td><td>${lossText(candidate.log_loss)}</td>
<td>${percent(candidate.accuracy, 1)}</td><td>${percent(candidate.saturated, 1)}</td><td>${count(candidate.images)}</td>
<td class="text">${candidate.on}</td></tr>
`;
  });
  const table = scroll(
    "Ways to feed the pixels",
    markup`<thead><tr><th class="text">pixels as</th><th>log loss</th><th>accuracy</th><th>confidences of 1</th><th>images</th><th class="text">of the</th></tr></thead>
<tbody>${rows}</tbody>`,
    "compact",
  );
  const open = isOnScored(preflight) ? markup` open` : null;
  return markup`<details${open}>
<summary>${counted(rows.length, "way")} to feed the pixels, best first</summary>
${table}
</details>`;
}

function runFacts({ dataset, environment, createdAt, durationSeconds, seed }: Evaluation): Fact[] {
  const took = durationSeconds === null ? "" : `, in ${duration(durationSeconds)}`;
  const images = counted(dataset.images, "image");
  return [
    ["Data", `${dataset.name} ${dataset.split}, ${images}, ${dataset.source}`],
    ...dataset.files.map(({ name, sha256 }): Fact => ["File", hashed(name, sha256)]),
    ["Run", `${createdAt}, seed ${seed}${took}`],
    ...(environment === null ? [] : machineFacts(environment)),
  ];
}

function machineFacts({ node, platform, cpu, packages, git }: Environment): Fact[] {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return [
    ["Machine", `Node ${node}, ${platform}, ${cpu}`],
    ...(versions.length > 0 ? [["Packages", versions.join(", ")] as const] : []),
    ...(git === null ? [] : [["Commit", gitText(git)] as const]),
  ];
}

function gitText({ commit, branch, dirty }: NonNullable<Environment["git"]>): string {
  return `${short(commit)}${branch === null ? "" : ` on ${branch}`}${dirty ? ", with local changes" : ""}`;
}

function hashed(name: string, sha256: string | undefined): string | Markup {
  if (sha256 === undefined) return name;
  return markup`${outside(name)}, sha256 <code title="${sha256}">${short(sha256)}…</code>`;
}
