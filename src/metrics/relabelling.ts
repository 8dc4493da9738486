import { assignment } from "./assignment.ts";

/** Another one-to-one order of the predicted classes under which a model is much better. */
export interface Relabelling {
  /** k: the predicted class that stands for each true one. */
  readonly columns: readonly number[];
  /** True classes for which another predicted class stands. */
  readonly moved: readonly number[];
  /** Images that are right as the classes stand, and in the other order. */
  readonly correct: number;
  readonly matched: number;
}

/** Images that each moved class needs: with fewer, a few mistakes look like another order. */
const LEAST_SUPPORT = 10;
/** Share of the moved classes' images that the other order gains. */
const LEAST_GAIN = 0.3;
/** Share of the moved classes' images that are right in the other order. */
const LEAST_MATCHED = 0.5;

/**
 * The order in which a model's classes probably stand, if that is not the one in which they were read: null where
 * predictions and truth fit as they are, or in no order.
 *
 * @param counts k×k, rows true, columns predicted
 */
export function relabelling(counts: readonly (readonly number[])[]): Relabelling | null {
  const columns = assignment(counts);
  const moved = columns.flatMap((column, row) => (column === row ? [] : [row]));
  const support = moved.map((row) => counts[row]!.reduce((sum, count) => sum + count, 0));
  if (moved.length === 0 || Math.min(...support) < LEAST_SUPPORT) return null;
  const images = support.reduce((sum, count) => sum + count, 0);
  const before = moved.reduce((sum, row) => sum + counts[row]![row]!, 0);
  const after = moved.reduce((sum, row) => sum + counts[row]![columns[row]!]!, 0);
  if (after - before < LEAST_GAIN * images || after < LEAST_MATCHED * images) return null;
  const correct = counts.reduce((sum, row, at) => sum + row[at]!, 0);
  return { columns, moved, correct, matched: correct + after - before };
}
