/** What a request may hold. */
export interface RequestLimits<Item> {
  /** What an image adds to a request's body, its separator included. */
  readonly bytesOf: (item: Item) => number;
  /** No image that goes with this one adds more: what fits by this is not counted. Absent: each is. */
  readonly mostBytesOf?: (item: Item) => number;
  /** What a request's body holds besides its images. */
  readonly overheadBytes: number;
  /** Of a request's body; a single image may be larger. */
  readonly maxBytes: number;
  readonly maxItems: number;
}

/** Where a request that begins with image `start` ends: at least behind that image, at most at `end`. */
export function fitting<Item>(
  items: readonly Item[],
  start: number,
  end: number,
  { bytesOf, mostBytesOf, overheadBytes, maxBytes, maxItems }: RequestLimits<Item>,
): number {
  const last = Math.min(end, start + maxItems);
  const each = mostBytesOf?.(items[start]!) ?? Infinity;
  if (overheadBytes + (last - start) * each <= maxBytes) return last;
  let bytes = overheadBytes + bytesOf(items[start]!);
  let fit = start + 1;
  while (fit < last) {
    bytes += bytesOf(items[fit]!);
    if (bytes > maxBytes) break;
    fit++;
  }
  return fit;
}
