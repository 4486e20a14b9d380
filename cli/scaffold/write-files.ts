import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A file of the checkout as it is to be. */
export interface PlannedFile {
  /** From the root of the checkout. */
  readonly path: string;
  readonly text: string;
}

/**
 * Writes all of the files or none: when one can not be written, those before it are put back as they were.
 * @throws what the file system says
 */
export const writeFiles = async (root: string, files: readonly PlannedFile[]): Promise<void> => {
  const undo: (() => Promise<void>)[] = [];
  try {
    for (const { path, text } of files) {
      const file = join(root, path);
      const before = await readFile(file, "utf8").catch(() => undefined);
      undo.unshift(() => (before === undefined ? rm(file, { force: true }) : writeFile(file, before)));
      await writeFile(file, text);
    }
  } catch (error) {
    for (const putBack of undo) await putBack().catch(() => undefined);
    throw error;
  }
};
