import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { LOCAL } from "../../infra/local/paths.ts";
import { runOrThrow } from "../../infra/local/processes.ts";

/** Stryker and its packages are as many again as all others of this project: whoever asks for a run gets them, nobody else. */
const VERSION = "10.1.1";
const FOLDER = join(LOCAL, "mutation", `tools-${VERSION}`);

const inTools = (path: string): string => join(FOLDER, "node_modules", path);

/** The command. */
export const STRYKER = inTools("@stryker-mutator/core/bin/stryker.js");

/** What has Stryker run vitest; vitest itself is the project's. */
export const STRYKER_RUNNER = inTools("@stryker-mutator/vitest-runner/dist/src/index.js");

/** Installs Stryker into a folder of the project's own, once. */
export const installStryker = async (say: (line: string) => void): Promise<void> => {
  if (existsSync(STRYKER) && existsSync(STRYKER_RUNNER)) return;
  say(`Installing Stryker ${VERSION}`);
  await mkdir(FOLDER, { recursive: true });
  const packages = ["core", "vitest-runner"].map((name) => `@stryker-mutator/${name}@${VERSION}`);
  // Without its peers: it would bring another vitest along.
  const flags = ["--prefix", FOLDER, "--no-save", "--no-audit", "--no-fund", "--legacy-peer-deps", "--ignore-scripts"];
  await runOrThrow("npm", ["install", ...flags, ...packages], { cwd: FOLDER, timeoutMs: 10 * 60_000 });
};
