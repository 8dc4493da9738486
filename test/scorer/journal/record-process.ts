// Records answers into the folder in argv until it is killed, and says how many; bundled and started by a test.
import { openJournal } from "../../../src/scorer/journal.ts";
import { answerOf, BINDING, CLASSES, pixelsOf, WAY } from "./answers.ts";

const PER_REQUEST = 5;
const journal = openJournal(process.argv[2] ?? "", BINDING, CLASSES);
for (let start = 0; ; start += PER_REQUEST) {
  const entries = Array.from({ length: PER_REQUEST }, (_, i) => start + i);
  journal.record(
    WAY,
    entries.map((index) => ({ index, pixels: pixelsOf(index), answer: answerOf(index) })),
  );
  process.stdout.write(`${start + PER_REQUEST}\n`);
  if (start % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
}
