import { visible } from "../text/visible.ts";

/** Text of an HTML or XML document that is already safe to put into it. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Piece = Markup | string | number | null | readonly Piece[];

/**
 * A template for HTML and XML: what is put in is escaped unless it is markup itself, so that a name can never be
 * taken for a tag. Lists are joined; null is nothing.
 * @example markup`<td>${"<script>"}</td>`.text === "<td>&lt;script&gt;</td>"
 */
export function markup(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  let text = strings[0] ?? "";
  for (const [i, piece] of pieces.entries()) text += render(piece) + (strings[i + 1] ?? "");
  return new Markup(text);
}

function render(piece: Piece): string {
  if (piece === null) return "";
  if (piece instanceof Markup) return piece.text;
  return typeof piece === "object" ? piece.map(render).join("") : escapeMarkup(String(piece));
}

/** A text from outside in a page: where it runs from right to left, it turns nothing around it. */
export function outside(text: string): Markup {
  return markup`<bdi>${text}</bdi>`;
}

/** The text with each figure and its percent sign kept on one line. */
export function unbroken(text: string): string {
  return text.replaceAll(/(\d) %/g, "$1\u00A0%");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Safe as text and inside a quoted attribute, in HTML and in XML 1.0, whose forbidden characters are shown as `visible` does. */
export function escapeMarkup(text: string): string {
  return visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}
