import { MAX_CLASSES } from "../dataset/labels.ts";
import { UsageError } from "../errors.ts";
import type { Dataset } from "../types.ts";
import type { EvaluateArguments } from "./options.ts";

/** A data set of one's own may lack images of the highest labels: how many classes there are, the model knows. */
export function withAllClasses(
  dataset: Dataset,
  scored: number | null,
  { images, classes }: EvaluateArguments,
): Dataset {
  const [shown, most] = [dataset.classes.length, scored ?? 0];
  if (images === undefined || classes !== undefined || most <= shown || most > MAX_CLASSES) return dataset;
  return named(
    dataset,
    Array.from({ length: most }, (_, label) => String(label)),
  );
}

function named(dataset: Dataset, classes: readonly string[]): Dataset {
  return { ...dataset, classes, files: () => dataset.files(), batches: (size) => dataset.batches(size) };
}

/** A known data set under the names that a model uses: `zero,one,…` for one that answers so. */
export function renamed(dataset: Dataset, classes: readonly string[]): Dataset {
  if (classes.length !== dataset.classes.length) {
    throw new UsageError(
      `--classes names ${classes.length} classes, but ${dataset.name} has ${dataset.classes.length} ` +
        `(${dataset.classes.join(", ")}): name each of them, in this order`,
    );
  }
  return named(dataset, classes);
}
