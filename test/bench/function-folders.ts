import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "../../infra/local/paths.ts";

/** Every folder of `functions/`: one Lambda each. Longest names first, so that one that ends in another is not taken for it. */
export const functionFolders = async (): Promise<readonly string[]> => {
  const entries = await readdir(join(ROOT, "functions"), { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort((left, right) => right.length - left.length);
};
