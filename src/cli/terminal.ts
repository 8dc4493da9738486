import { visibleLines } from "../text/visible.ts";
import type { Terminal } from "./context.ts";

/** Where a terminal does not say how wide it is. */
const USUAL_COLUMNS = 80;

/**
 * A stream as the commands see it. A reader that goes away (`| head`) is no reason to stop the run: what is written
 * after that is dropped. Any other failure, such as a full disk behind `>`, is reported to `onFailure`.
 */
export function terminal(stream: NodeJS.WriteStream, onFailure: (error: Error) => void): Terminal {
  let open = true;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (open && error.code !== "EPIPE") onFailure(error);
    open = false;
  });
  const draw = (text: string): void => void (open && stream.write(text));
  return {
    write: (text) => draw(visibleLines(text)),
    draw,
    get columns() {
      return stream.isTTY ? stream.columns || USUAL_COLUMNS : null;
    },
  };
}
