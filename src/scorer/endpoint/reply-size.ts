/** Of whatever a service says besides its answers. */
const SPARE_BYTES = 256 * 1024;
/** For an image, with the names and fields that stand around its answer. */
const IMAGE_BYTES = 1024;
/** For a score: a float64 is 25 characters, on a line of its own. */
const SCORE_BYTES = 40;

/**
 * How many bytes a reply may have by what was asked: several times what services answer, and the request once more, which some repeat.
 *
 * @param rows images that were asked for
 * @param classes of the data set
 */
export function longestReply(requestBytes: number, rows: number, classes: number): number {
  return SPARE_BYTES + requestBytes + rows * (IMAGE_BYTES + classes * SCORE_BYTES);
}
