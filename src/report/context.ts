import type { RenderedChart } from "../types.ts";

/** What a report may use besides the evaluation. */
export interface ReportContext {
  /** The charts, to put into a page. */
  readonly charts: readonly RenderedChart[];
  /** The files that the charts are written to, for reports that point at them: `charts/NAME.png`, `charts/NAME.svg`. */
  readonly files: readonly { readonly path: string }[];
  /** `@font-face` rules that the charts need on a page; may be empty. */
  readonly fontFaceCss: string;
}
