import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { EMULATED_ACCOUNT } from "../../infra/local/ministack.ts";
import { BIN, localFolder, ROOT } from "../../infra/local/paths.ts";
import { runOrThrow } from "../../infra/local/processes.ts";
import { atMost, type Bar } from "./bars.ts";
import { importTimeMs } from "./import-time.ts";
import { readBundles } from "./lambda-bundles.ts";
import { functionFolders } from "./function-folders.ts";

/** Size and loading time of one function's bundle. */
export interface BundleFigures {
  readonly folder: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  /** Median of fresh processes, milliseconds. */
  readonly importMs: number;
  readonly budgetBytes: number;
}

/** What a function's bundle may weigh: the API carries a router and its schemas, the others do not. */
const API_BUDGET_BYTES = 900_000;
const BUDGET_BYTES = 700_000;

const LOCAL_CONFIG = "infra/local/geo.config.ts";
const SYNTH_TIMEOUT_MS = 180_000;

/** Synthesizes the local installation as a deployment would, every function bundled. @returns the assembly's folder */
export const synthesize = async (): Promise<string> => {
  const assembly = join(await localFolder("assembly"), "bench-bundles");
  await rm(assembly, { recursive: true, force: true });
  await runOrThrow(
    join(BIN, "cdk"),
    ["synth", "--quiet", "--output", assembly, "--context", `config=${LOCAL_CONFIG}`, "--no-notices"],
    { cwd: ROOT, env: { CDK_DEFAULT_ACCOUNT: EMULATED_ACCOUNT }, timeoutMs: SYNTH_TIMEOUT_MS },
  );
  return assembly;
};

/** Measures the bundle of every folder in `functions/`, as an assembly has it. */
export const measureBundles = async (
  assembly: string,
  detail: (text: string) => void,
): Promise<readonly BundleFigures[]> => {
  const bundles = await readBundles(assembly, await functionFolders());
  const figures: BundleFigures[] = [];
  for (const bundle of bundles) {
    detail(`loading ${bundle.folder}`);
    const code = await readFile(bundle.file);
    figures.push({
      folder: bundle.folder,
      bytes: code.length,
      gzipBytes: gzipSync(code, { level: 9 }).length,
      importMs: await importTimeMs(bundle),
      budgetBytes: bundle.folder === "status-api" ? API_BUDGET_BYTES : BUDGET_BYTES,
    });
  }
  return figures;
};

/** Each bundle within its budget. */
export const bundleBars = (figures: readonly BundleFigures[]): readonly Bar[] =>
  figures.map(({ folder, bytes, budgetBytes }) => atMost(`bytes of ${folder}`, budgetBytes, bytes));
