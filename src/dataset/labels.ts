import { grouped } from "../grouped.ts";
import { datasetError, shapeText, type IdxHeader, type Subject } from "./idx.ts";

/** A label must fit the bytes in which it is handed on. */
export const MAX_CLASSES = 256;

/** QMNIST's extended labels: eight ints an image, the label in the first. */
const EXTENDED_COLUMNS = 8;

/** @throws DatasetError where a file of this header cannot hold labels */
export function checkLabelHeader(file: Subject, { type, dimensions }: IdxHeader): void {
  if (!type.integer) throw datasetError(file, `holds ${type.name} values, expected whole numbers as labels`);
  const [, columns = 1, ...more] = dimensions;
  const extended = type.name === "int" && columns === EXTENDED_COLUMNS;
  if ((columns !== 1 && !extended) || more.length > 0) {
    throw datasetError(file, `holds data of shape ${shapeText(dimensions)}, expected one label an image`);
  }
}

/** @throws DatasetError where a file of this header cannot hold images */
export function checkImageHeader(file: Subject, { type, dimensions }: IdxHeader): void {
  if (dimensions.length !== 3) {
    throw datasetError(
      file,
      `holds data of shape ${shapeText(dimensions)}, expected images as count × height × width`,
    );
  }
  if (type.name !== "ubyte")
    throw datasetError(file, `holds ${type.name} values, expected pixels as ubyte (0–255)`);
}

/** Turns the records of a label file into positions in the list of classes. */
export class LabelDecoder {
  readonly #file: Subject;
  readonly #header: IdxHeader;
  readonly #firstLabel: number;
  readonly #classes: number;

  /** @param classes how many there are: labels run from `firstLabel` on */
  constructor(file: Subject, header: IdxHeader, firstLabel: number, classes: number) {
    this.#file = file;
    this.#header = header;
    this.#firstLabel = firstLabel;
    this.#classes = classes;
  }

  /**
   * The labels of consecutive records, as positions in the list of classes.
   * @param start position of the first record in the file, for messages
   * @throws DatasetError where a label is none of the classes
   */
  decode(records: Uint8Array, start: number): Uint8Array {
    const { type, recordBytes } = this.#header;
    const count = records.length / recordBytes;
    const labels = new Uint8Array(count);
    const view = new DataView(records.buffer, records.byteOffset, records.length);
    const bytes = type.name === "ubyte" && recordBytes === 1;
    for (let i = 0; i < count; i++) {
      const label = (bytes ? (records[i] as number) : type.read(view, i * recordBytes)) - this.#firstLabel;
      if (label < 0 || label >= this.#classes) throw this.#outside(label + this.#firstLabel, start + i);
      labels[i] = label;
    }
    return labels;
  }

  #outside(label: number, index: number) {
    const range = `${this.#firstLabel}–${this.#firstLabel + this.#classes - 1}`;
    return datasetError(
      this.#file,
      `has the label ${label} at image ${grouped(index)}, outside the ${this.#classes} classes ${range}`,
    );
  }
}
