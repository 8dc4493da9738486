import { plainText } from "./terminal.ts";

/** A piece of Markdown: names and messages in it went through `escapeMarkdown`. */
export type Cell = string;

/**
 * Text that GitHub's Markdown shows as it is: no emphasis, code, link, tag, table cell or list of its own, on one
 * line. An `@name` notifies nobody, because a comment stands between.
 */
export function escapeMarkdown(text: string): string {
  return plainText(text)
    .replaceAll("&", "&amp;")
    .replaceAll(/[\\`*_[\]{}#|~$]/g, "\\$&")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("@", "@<!-- -->")
    .replace(/^[-+=]/, "\\$&")
    .replace(/^(\d+)([.)])/, "$1\\$2");
}

/** A short expression as code, or as plain text where a sign in it would end the code or the table cell, or is a tag. */
export function code(text: string): string {
  if (/<[^\s=]/.test(text) || text !== plainText(text)) return escapeMarkdown(text);
  return /^[^`|\\\s](?:[^`|\\\r\n]*[^`|\\\s])?$/.test(text) ? `\`${text}\`` : escapeMarkdown(text);
}

/** A table of cells that are Markdown already; a head that starts with `>` has its column aligned to the right. */
export function table(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const align = heads.map((head) => (head.startsWith(">") ? "--:" : "---"));
  return [heads.map((head) => head.replace(/^>/, "")), align, ...rows].map(line).join("\n");
}

function line(cells: readonly string[]): string {
  return `| ${cells.join(" | ")} |`;
}

/** Content that opens on a click. The empty lines make Markdown of what stands between the tags. */
export function details(summary: string, content: string): string {
  return `<details>\n<summary>${summary}</summary>\n\n${content}\n\n</details>`;
}

/** @param title Markdown @param path relative, with forward slashes */
export function link(title: string, path: string): string {
  return `[${title}](${encodeURI(path).replaceAll("(", "%28").replaceAll(")", "%29")})`;
}
