/**
 * 64-bit name of an image, by which a server counts it: FNV-1a twice, once over the pixels and once over them inverted.
 *
 * @param pixels h·w, 0–255
 */
export function imageDigest(pixels: ArrayLike<number>, start = 0, length = pixels.length): string {
  let low = 0x811c9dc5;
  let high = 0x050c5d1f;
  for (let i = start; i < start + length; i++) {
    const pixel = pixels[i]!;
    low = Math.imul(low ^ pixel, 0x01000193);
    high = Math.imul(high ^ (pixel ^ 0xff), 0x01000193);
  }
  return (high >>> 0).toString(16).padStart(8, "0") + (low >>> 0).toString(16).padStart(8, "0");
}

/**
 * The digest of each image in numbers of any scale. The scale is told by the row itself: its lowest number is that of
 * black, which each scale has elsewhere.
 *
 * @param values n × size
 */
export function digestsOf(values: ArrayLike<number>, size: number): string[] {
  const pixels = new Uint8Array(size);
  const digests: string[] = [];
  for (let start = 0; start + size <= values.length; start += size) {
    let [lowest, highest] = [Infinity, -Infinity];
    for (let i = start; i < start + size; i++) {
      const value = values[i]!;
      if (value < lowest) lowest = value;
      if (value > highest) highest = value;
    }
    const [factor, offset] = toPixels(lowest, highest);
    for (let i = 0; i < size; i++) pixels[i] = values[start + i]! * factor + offset;
    digests.push(imageDigest(pixels));
  }
  return digests;
}

function toPixels(lowest: number, highest: number): [factor: number, offset: number] {
  // A byte array cuts the fraction off, so that a half more rounds.
  if (lowest < -0.9) return [127.5, 127.5 + 0.5];
  if (lowest < -0.01) return [0.3081 * 255, 0.1307 * 255 + 0.5];
  return highest > 1.001 ? [1, 0.5] : [255, 0.5];
}
