import type { Evaluation, Failure } from "../types.ts";
import { count } from "./format.ts";

/** Images without a prediction for the same reason. */
export interface FailureGroup {
  readonly reason: string;
  /** Of the listed images. */
  readonly images: number;
  /** Positions of the first of them: `12, 13, 97 …` */
  readonly indices: string;
  /** X-Request-Id of the first one's last request, null without. */
  readonly request: string | null;
}

/** As many images are shown one by one. */
const FEW = 10;
/** Positions that are named of a group. */
const NAMED = 5;

/** A row an image where there are few, otherwise one a reason, the most frequent first. */
export function failureGroups(images: readonly Failure[]): FailureGroup[] {
  if (images.length <= FEW) return images.map((image) => groupOf(image.reason, [image]));
  const byReason = new Map<string, Failure[]>();
  for (const image of images) {
    const group = byReason.get(image.reason);
    if (group === undefined) byReason.set(image.reason, [image]);
    else group.push(image);
  }
  return [...byReason].map(([reason, group]) => groupOf(reason, group)).sort((a, b) => b.images - a.images);
}

function groupOf(reason: string, images: readonly Failure[]): FailureGroup {
  const named = images.slice(0, NAMED).map(({ index }) => String(index));
  const more = images.length > NAMED ? " …" : "";
  return {
    reason,
    images: images.length,
    indices: named.join(", ") + more,
    request: images[0]?.request ?? null,
  };
}

/** `and 2,000 more`: images that the shown groups leave out; empty where they hold all. */
export function unlisted(
  { count: all }: Pick<Evaluation["failures"], "count">,
  shown: readonly FailureGroup[],
): string {
  const rest = all - shown.reduce((sum, { images }) => sum + images, 0);
  return rest === 0 ? "" : `and ${count(rest)} more`;
}

/** Which columns the groups need. */
export function failureHeads(groups: readonly FailureGroup[]): {
  readonly counts: boolean;
  readonly requests: boolean;
} {
  return {
    counts: groups.some(({ images }) => images > 1),
    requests: groups.some(({ request }) => request !== null),
  };
}
