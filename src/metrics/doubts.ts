import type { GatedRun } from "./service.ts";

/** Facts about a run that keep its predictions from deciding anything, each as a reason; null: none. */
export const DOUBTS: readonly ((run: GatedRun) => string | null)[] = [notRepeatable, tunedOnScored];

function notRepeatable({ repeatability }: GatedRun): string | null {
  if (!repeatability || repeatability.repeatable) return null;
  return `${repeatability.statement.replace(/^T/, "t")}, so that its answers do not repeat`;
}

/** Leaving x/255 on the word of the scored images alone is tuning on the test. */
function tunedOnScored({ preflight }: GatedRun): string | null {
  if (preflight?.source !== "scored images") return null;
  const { scale, invert, transpose } = preflight.chosen;
  if (scale === "unit" && !invert && !transpose) return null;
  const remedy = transpose ? "turn the images" : `name --scale ${scale}${invert ? " --invert" : ""}`;
  return `how the pixels are fed was chosen on the scored images themselves: ${remedy} if the model was trained so`;
}
