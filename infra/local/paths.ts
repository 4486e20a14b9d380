import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";

/** The checkout. */
export const ROOT = resolve(import.meta.dirname, "../..");

/** Everything that the local tools write is in here: ignored by git, safe to delete while nothing runs. */
export const LOCAL = join(ROOT, ".local");

/** What a script needs to talk to the sites that are up; there while they are up, gone afterwards. */
export const RUN_FILE = join(LOCAL, "run.json");

/** The project's own Node and its tools come first, then the machine's. */
export const BIN = join(ROOT, "node_modules/.bin");

/** A folder inside `.local`, made when it is missing. */
export const localFolder = async (...names: readonly string[]): Promise<string> => {
  const folder = join(LOCAL, ...names);
  await mkdir(folder, { recursive: true });
  return folder;
};
