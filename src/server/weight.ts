import { fileFacts, isHeavy } from "../scorer/facts.ts";
import { readModel } from "../scorer/model-file.ts";

/** Whether a model's runs take so long that they are worth a thread of their own. @throws ScorerError */
export async function isHeavyModel(path: string): Promise<boolean> {
  const file = await readModel(path);
  return isHeavy(file, fileFacts(file));
}
