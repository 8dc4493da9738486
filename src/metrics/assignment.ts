/**
 * The one-to-one assignment of columns to rows with the largest sum: which predicted class stands for which true class.
 * Of equal sums it takes one that leaves most rows with the column of their own number.
 *
 * Source: R. Jonker and A. Volgenant, A shortest augmenting path algorithm for dense and sparse linear assignment
 * problems, Computing 38 (1987): rows are added one at a time, each along a shortest path. O(k³).
 *
 * @param counts k×k whole numbers
 * @returns k: the column of each row
 * @example assignment([[1, 9], [8, 0]]) // [1, 0]
 */
export function assignment(counts: readonly (readonly number[])[]): number[] {
  const k = counts.length;
  // Whole numbers: one more on the diagonal decides between equal sums, and never between others.
  const costs = Float64Array.from(
    counts.flatMap((row, r) => row.map((count, c) => -(count * (k + 1) + (r === c ? 1 : 0)))),
  );
  const state: State = {
    k,
    costs,
    rowPotential: new Float64Array(k),
    columnPotential: new Float64Array(k),
    rowOf: new Int32Array(k).fill(-1),
  };
  for (let row = 0; row < k; row++) addRow(state, row);
  const columns = Array.from({ length: k }, () => 0);
  state.rowOf.forEach((row, column) => (columns[row] = column));
  return columns;
}

interface State {
  readonly k: number;
  /** k×k */
  readonly costs: Float64Array;
  readonly rowPotential: Float64Array;
  readonly columnPotential: Float64Array;
  /** k: the row that a column is given to, −1 while it is free. */
  readonly rowOf: Int32Array;
}

/** Gives `row` a column, moving other rows along the shortest augmenting path (Dijkstra on the reduced costs). */
function addRow({ k, costs, rowPotential, columnPotential, rowOf }: State, row: number): void {
  const distance = new Float64Array(k).fill(Infinity);
  const previous = new Int32Array(k).fill(-1);
  const done = new Uint8Array(k);
  let [current, from, reached] = [row, -1, 0];
  let column: number;
  do {
    let nearest = -1;
    for (let c = 0; c < k; c++) {
      if (done[c] === 1) continue;
      const length = reached + costs[current * k + c]! - rowPotential[current]! - columnPotential[c]!;
      if (length < distance[c]!) {
        distance[c] = length;
        previous[c] = from;
      }
      if (nearest === -1 || distance[c]! < distance[nearest]!) nearest = c;
    }
    column = nearest;
    reached = distance[column]!;
    done[column] = 1;
    from = column;
    current = rowOf[column]!;
  } while (current !== -1);
  rowPotential[row]! += reached;
  for (let c = 0; c < k; c++) {
    if (done[c] === 0 || c === column) continue;
    rowPotential[rowOf[c]!]! += reached - distance[c]!;
    columnPotential[c]! -= reached - distance[c]!;
  }
  for (let at = column; at !== -1; at = previous[at]!) {
    rowOf[at] = previous[at] === -1 ? row : rowOf[previous[at]!]!;
  }
}
