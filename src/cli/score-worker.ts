// The thread that runs a heavy model, so that the main thread goes on answering.
import { runWorker } from "../server/worker.ts";

void runWorker();
