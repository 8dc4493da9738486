import { CATALOG } from "../dataset/catalog.ts";
import { imagesAtOnce, PREFLIGHT_PIXELS } from "../large-images.ts";
import { drawnImages, DRAW_SEED, inTurn, mnistSample, MOST_TRIAL_IMAGES } from "../dataset/trial-images.ts";
import type { TrialImages } from "../preflight.ts";
import type { Batch, Dataset } from "../types.ts";
import type { DatasetOptions } from "../dataset/open.ts";
import { DatasetError } from "../errors.ts";
import { openCached, openDataset } from "./dataset.ts";

/** The images on which it is tried how a scorer wants its pixels. */
export interface AllTrialImages {
  /** Images that are not scored, the best first. */
  readonly independent: readonly TrialImages[];
  readonly scored: TrialImages;
  /** The first of them, where these show enough classes. */
  readonly firstScored: TrialImages;
}

/** Share of the classes without which the first images say too little about the whole. */
const ENOUGH_CLASSES = 0.8;

/** @param first the first of the scored images */
export function trialImagesOf(settings: DatasetOptions, dataset: Dataset, first: Batch): AllTrialImages {
  const k = dataset.classes.length;
  const limit = imagesAtOnce(MOST_TRIAL_IMAGES, dataset.shape, PREFLIGHT_PIXELS);
  const draw = { ...settings, limit, seed: DRAW_SEED, refresh: false, warn: () => {} };
  const name = "of the scored images";
  const scored: TrialImages = {
    name,
    foreign: false,
    load: async () => await drawnImages(await openDataset(draw)),
  };
  const seen = new Set(first.labels).size;
  const firstScored: TrialImages = {
    name,
    foreign: false,
    load: async () => (seen >= ENOUGH_CLASSES * k ? inTurn(first, k) : await scored.load()),
  };
  return { independent: independentImages(draw, dataset, first), scored, firstScored };
}

function independentImages(draw: DatasetOptions, { classes, shape }: Dataset, first: Batch): TrialImages[] {
  const isMnist = draw.files === null && draw.dataset === "mnist";
  const sample: TrialImages = {
    name: "of MNIST's training images",
    foreign: !isMnist,
    async load() {
      const images = await mnistSample(draw.signal);
      return isMnist || !haveCommon(images, first) ? images : null;
    },
  };
  const training: TrialImages = {
    name: `of ${CATALOG[draw.dataset].title}'s training images`,
    foreign: false,
    async load() {
      try {
        const cached = await openCached({ ...draw, split: "train" });
        return cached && (await drawnImages(cached));
      } catch (error) {
        // A run is not to fail by files that it does not score.
        if (error instanceof DatasetError) return null;
        throw error;
      }
    },
  };
  // Of the training split, the sample is a part.
  if (draw.files === null && draw.split === "train") return [];
  if (isMnist) return [sample];
  const likeMnist = classes.length === 10 && shape[0] === 28 && shape[1] === 28;
  return [...(draw.files === null ? [training] : []), ...(likeMnist ? [sample] : [])];
}

/** Each image's pixels, a character each. */
function textsOf({ pixels, labels }: Batch): string[] {
  const size = pixels.length / labels.length;
  return Array.from(labels, (_, row) =>
    Buffer.from(pixels.subarray(row * size, (row + 1) * size)).toString("latin1"),
  );
}

/** Whether some images are in both, so that neither is independent of the other. */
function haveCommon(images: Batch, others: Batch): boolean {
  const known = new Set(textsOf(images));
  return textsOf(others).some((text) => known.has(text));
}
