import process from "node:process";
import { pathToFileURL } from "node:url";
import { runOrThrow } from "../../infra/local/processes.ts";
import type { LambdaBundle } from "./lambda-bundles.ts";
import { percentiles } from "./percentiles.ts";

/** Fresh processes of which the median is taken. */
const RUNS = 10;

const script = (url: string): string =>
  `const started = performance.now();
   const { handler } = await import(${JSON.stringify(url)});
   const ms = performance.now() - started;
   if (typeof handler !== "function") throw new Error("the bundle exports no handler");
   process.stdout.write(String(ms) + "\\n", () => process.exit(0));`;

/**
 * How long a fresh Node takes to load a function's bundle until its handler is there, milliseconds: the part of a cold
 * start that is ours.
 */
export const importTimeMs = async (bundle: LambdaBundle): Promise<number> => {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { stdout } = await runOrThrow(
      process.execPath,
      ["--input-type=module", "--eval", script(pathToFileURL(bundle.file).href)],
      {
        env: {
          ...bundle.environment,
          AWS_REGION: "us-east-1",
          AWS_LAMBDA_FUNCTION_NAME: bundle.functionName,
          // No cache of compiled code: Lambda has none either.
          NODE_COMPILE_CACHE: undefined,
          NODE_OPTIONS: undefined,
        },
        timeoutMs: 30_000,
      },
    );
    times.push(Number(stdout.trim().split("\n").at(-1)));
  }
  return percentiles(times).p50;
};
