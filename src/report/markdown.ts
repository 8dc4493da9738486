import type { Evaluation, GateResult, Preflight } from "../types.ts";
import type { ReportContext } from "./context.ts";
import { definition, samplingNote } from "./definitions.ts";
import {
  count,
  counted,
  duration,
  estimate,
  measured,
  percent,
  range,
  short,
  styled,
  UNDEFINED,
} from "./format.ts";
import { code, details, escapeMarkdown as text, link, table, type Cell } from "./markdown-syntax.ts";
import { failureGroups, failureHeads, unlisted } from "./failures.ts";
import { paritySection, serviceSection } from "./markdown-service.ts";
import { confusionsSentence, weakestSentence } from "./picked.ts";
import { modelFacts } from "./model.ts";
import { isChosen, isOnScored, lossText, preprocessingText, wayText } from "./preprocessing.ts";
import { verdict } from "./verdict.ts";

const MOST_FAILURES = 20;
const MOST_CONFUSIONS = 10;
const SIGNS = { passed: "✅", failed: "❌", untold: "⚠️", none: "" } as const;

/** report.md: the verdict first, for a pull request's comment or a job's summary; GitHub's Markdown. */
export function markdownReport(evaluation: Evaluation, context: ReportContext): string {
  const sections = [
    headline(evaluation),
    notes(evaluation),
    gates(evaluation.gates),
    metrics(evaluation),
    paritySection(evaluation),
    serviceSection(evaluation),
    perClass(evaluation),
    confusions(evaluation),
    matrix(evaluation),
    failures(evaluation),
    charts(context),
    provenance(evaluation),
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

function headline(evaluation: Evaluation): string {
  const { outcome, gates, accuracy, correct } = verdict(evaluation);
  const { scorer, dataset } = evaluation;
  const first = gates === "" ? `A${accuracy.slice(1)}` : `${SIGNS[outcome]} ${gates}: ${accuracy}`;
  return `## ${first}\n\n**${text(scorer.name)}** on ${text(dataset.name)} ${text(dataset.split)}: ${correct}.`;
}

function notes({ warnings }: Evaluation): string {
  return warnings.map((warning) => `- ⚠️ ${text(warning)}`).join("\n");
}

function gates(results: readonly GateResult[]): string {
  if (results.length === 0) return "";
  const rows = results.map((gate) => [
    `${SIGNS[gate.result]} ${gate.result}`,
    code(gate.expression),
    measured(gate),
    text(gate.reason),
  ]);
  return `### Gates\n\n${table(["", "gate", ">measured", "reason"], rows)}`;
}

function metrics(evaluation: Evaluation): string {
  const rows = Object.entries(evaluation.metrics).map(([name, { value, interval }]) => {
    const { label, style } = definition(name);
    return [text(label), styled(value, style), range(interval, style)];
  });
  const notes = [
    rows.some(([, value]) => value === UNDEFINED) ? `${UNDEFINED} undefined in this run` : "",
    rows.some(([, , bounds]) => bounds !== "") ? samplingNote(evaluation) : "",
  ];
  const heads = ["metric", ">value", `>${intervalHead(evaluation)}`];
  return [`### Metrics\n\n${table(heads, rows)}`, ...notes].filter((part) => part !== "").join("\n\n");
}

function intervalHead({ metrics }: Evaluation): string {
  const first = Object.values(metrics).find(({ interval }) => interval !== null)?.interval;
  return first ? `${Number((first.level * 100).toFixed(6))} % interval` : "interval";
}

function perClass(evaluation: Evaluation): string {
  const rows = evaluation.perClass.map((entry) => {
    const name =
      entry.class === evaluation.weakestClass?.class
        ? `**${text(entry.class)}** (weakest)`
        : text(entry.class);
    const { support, predicted, precision, recall, f1, roc_auc } = entry;
    return [
      name,
      count(support),
      count(predicted),
      estimate(precision, "percent"),
      estimate(recall, "percent"),
      percent(f1.value),
      styled(roc_auc.value, "decimal"),
    ];
  });
  const heads = ["class", ">support", ">predicted", ">precision", ">recall", ">F1", ">ROC AUC"];
  return [`### Classes\n\n${table(heads, rows)}`, text(weakestSentence(evaluation))]
    .filter(Boolean)
    .join("\n\n");
}

function confusions({ topConfusions }: Evaluation): string {
  if (topConfusions.length === 0) return "### Confusions\n\nNone: every prediction is correct.";
  const rows = topConfusions
    .slice(0, MOST_CONFUSIONS)
    .map(({ true: truth, predicted, count: n, rate, interval }) => [
      text(truth),
      text(predicted),
      count(n),
      estimate({ value: rate, interval }, "percent"),
    ]);
  const heads = ["true", "predicted", ">images", ">of the true class"];
  return `### Strongest confusions\n\n${table(heads, rows)}\n\n${confusionsSentence(topConfusions)}`;
}

function matrix({ confusionMatrix, dataset }: Evaluation): string {
  const names = dataset.classes.map(text);
  const rows = confusionMatrix.map((row, i): Cell[] => [
    `**${names[i]}**`,
    ...row.map((cell, j) => (i === j ? `**${count(cell)}**` : cell === 0 ? "·" : count(cell))),
  ]);
  const heads = ["true ╲ predicted", ...names.map((name) => `>${name}`)];
  return details("Confusion matrix: rows are the true classes, columns the predicted", table(heads, rows));
}

function failures({ failures }: Evaluation): string {
  if (failures.count === 0) return "";
  const groups = failureGroups(failures.images).slice(0, MOST_FAILURES);
  const { counts, requests } = failureHeads(groups);
  const heads = [...(counts ? [">images"] : []), ">index", "reason", ...(requests ? ["request"] : [])];
  const rows = groups.map(({ images, indices, reason, request }) => [
    ...(counts ? [count(images)] : []),
    indices,
    text(reason),
    ...(requests ? [request === null ? "" : code(request)] : []),
  ]);
  const rest = unlisted(failures, groups);
  const title = `${counted(failures.count, "image")} without a prediction`;
  return details(title, table(heads, rows) + (rest === "" ? "" : `\n\n${rest}`));
}

/** A comment cannot show a file of the run, a job's artifact can: the pictures are folded away, each with its link. */
function charts({ charts, files }: ReportContext): string {
  const titles = new Map(charts.map(({ name, title }) => [name, title]));
  const pictures = new Map<string, string>();
  for (const { path } of files) {
    const name = /^charts\/(.+)\.(?:png|svg)$/.exec(path)?.[1];
    if (name !== undefined && !pictures.get(name)?.endsWith(".png")) pictures.set(name, path);
  }
  if (pictures.size === 0) return "";
  const items = [...pictures].map(([name, path]) => {
    const title = text(titles.get(name) ?? name.replaceAll("_", " "));
    return link(`!${link(title, path)}`, path);
  });
  return details("Charts", items.join("\n\n"));
}

function provenance(evaluation: Evaluation): string {
  const parts = [
    `**Model**\n\n${table(["", ""], modelRows(evaluation))}`,
    `**Preprocessing**\n\n${text(preprocessingText(evaluation))}`,
    ...(evaluation.preflight === null ? [] : [candidates(evaluation.preflight)]),
    `**Data and run**\n\n${table(["", ""], runRows(evaluation))}`,
  ];
  return details("Where these numbers come from", parts.filter((part) => part !== "").join("\n\n"));
}

function modelRows(evaluation: Evaluation): Cell[][] {
  const { name, sha256 } = evaluation.scorer;
  return [
    ["name", hashed(name, sha256)],
    ...modelFacts(evaluation).map(([term, value]) => [term.toLowerCase(), text(value)]),
  ];
}

/** The ways that were tried, folded away where the scored images had no part in it. */
function candidates(preflight: Preflight): string {
  if (preflight.candidates.length === 0) return "";
  const rows = preflight.candidates.map((candidate) => {
    const way = text(wayText(candidate));
    return [
      isChosen(preflight, candidate) ? `**${way}** (chosen)` : way,
      lossText(candidate.log_loss),
      percent(candidate.accuracy, 1),
      percent(candidate.saturated, 1),
      count(candidate.images),
      candidate.on,
    ];
  });
  const ways = table(["pixels as", ">log loss", ">accuracy", ">confidences of 1", ">images", "of the"], rows);
  if (isOnScored(preflight)) return ways;
  return details(`${counted(rows.length, "way")} to feed the pixels, best first`, ways);
}

function runRows({ dataset, environment, createdAt, durationSeconds, seed }: Evaluation): Cell[][] {
  const took = durationSeconds === null ? "" : `, in ${duration(durationSeconds)}`;
  const git = environment?.git ?? null;
  const images = counted(dataset.images, "image");
  return [
    ["data", text(`${dataset.name} ${dataset.split}, ${images}, ${dataset.source}`)],
    ...dataset.files.map(({ name, sha256 }) => ["file", hashed(name, sha256)]),
    ["run", text(`${createdAt}, seed ${seed}${took}`)],
    ...(environment === null
      ? []
      : [["on", text(`Node ${environment.node}, ${environment.platform}, ${environment.cpu}`)]]),
    ...(git === null
      ? []
      : [["commit", text(`${short(git.commit)}${git.dirty ? ", with local changes" : ""}`)]]),
  ];
}

function hashed(name: string, sha256: string | undefined): string {
  return sha256 === undefined ? text(name) : `${text(name)}, sha256 \`${short(sha256)}…\``;
}
