import { mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { BIN, LOCAL, ROOT } from "./paths.ts";
import { type CommandOutput, runCommand, tail } from "./processes.ts";

/** What one step of a check came to. A command that is no test runner counts as one test. */
export interface StepResult {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What to show of it: nothing when all is well. */
  readonly output: string;
}

export interface Step {
  readonly title: string;
  readonly run: () => Promise<StepResult>;
}

const tool = (name: string): string => join(BIN, name);

const environment = { PATH: `${BIN}:${process.env["PATH"] ?? ""}`, FORCE_COLOR: undefined, NO_COLOR: "1" };

const said = ({ stdout, stderr }: CommandOutput): string => tail(`${stdout}\n${stderr}`.trim(), 80);

/** A command that has to end with 0. */
export const commandStep = (title: string, command: string, ...args: readonly string[]): Step => ({
  title,
  run: async () => {
    const output = await runCommand(tool(command), args, { cwd: ROOT, env: environment });
    return output.code === 0
      ? { passed: 1, failed: 0, skipped: 0, output: "" }
      : { passed: 0, failed: 1, skipped: 0, output: said(output) };
  },
});

/** The parts of vitest's JSON report that are read. */
const Report = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string(),
      assertionResults: z.array(
        z.object({ fullName: z.string(), status: z.string(), failureMessages: z.nullish(z.array(z.string())) }),
      ),
    }),
  ),
});

const failuresOf = (report: z.infer<typeof Report>): string =>
  report.testResults
    .flatMap((file) => [
      ...(file.status === "failed" && file.message !== "" ? [`${file.name}\n${tail(file.message, 20)}`] : []),
      ...file.assertionResults
        .filter(({ status }) => status === "failed")
        .map(
          ({ fullName, failureMessages }) =>
            `${file.name}\n  ${fullName}\n${tail((failureMessages ?? []).join("\n"), 25)}`,
        ),
    ])
    .join("\n\n");

/** How long all suites of a step may take, as large as they usually are. */
const VITEST_TIMEOUT_MS = 20 * 60_000;

/**
 * Runs vitest and reads its report; undefined when there is none, since it could not even begin.
 * @param title names the file that the report is written to
 * @param timeoutMs after which it is ended, milliseconds. Default 20 minutes.
 */
export const runVitest = async (
  title: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  timeoutMs: number = VITEST_TIMEOUT_MS,
): Promise<{
  readonly report: z.infer<typeof Report> | undefined;
  readonly said: string;
  readonly code: number;
}> => {
  const reportFile = join(LOCAL, "reports", `${title.replaceAll(/[^a-z]+/gi, "-")}.json`);
  await mkdir(dirname(reportFile), { recursive: true });
  await rm(reportFile, { force: true });
  const output = await runCommand(tool("vitest"), ["run", ...args, "--reporter=json", `--outputFile=${reportFile}`], {
    cwd: ROOT,
    env: { ...environment, ...env },
    timeoutMs,
  });
  const text = await readFile(reportFile, "utf8").catch(() => undefined);
  const report = text === undefined ? undefined : Report.parse(JSON.parse(text));
  return { report, said: said(output), code: output.code };
};

/**
 * A run of vitest, counted test by test.
 * @param extraMs how much longer than usual it may take, milliseconds. Default 0.
 */
export const vitestStep = (
  title: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  extraMs = 0,
): Step => ({
  title,
  run: async () => {
    const { report, said: spoken, code } = await runVitest(title, args, env, VITEST_TIMEOUT_MS + extraMs);
    if (report === undefined) return { passed: 0, failed: 1, skipped: 0, output: spoken };
    // A file that can not even be loaded has no failed tests, and is a failure all the same; so is too little coverage.
    const broken = (!report.success || code !== 0) && report.numFailedTests === 0;
    const counts = {
      passed: report.numPassedTests,
      failed: report.numFailedTests + (broken ? 1 : 0),
      skipped: report.numPendingTests + report.numTodoTests,
    };
    return {
      ...counts,
      output: counts.failed === 0 ? "" : `${failuresOf(report)}\n${broken ? spoken : ""}`.trim(),
    };
  },
});

/** All steps together. */
export const sumResults = (results: readonly StepResult[]): Omit<StepResult, "output"> => ({
  passed: results.reduce((sum, { passed }) => sum + passed, 0),
  failed: results.reduce((sum, { failed }) => sum + failed, 0),
  skipped: results.reduce((sum, { skipped }) => sum + skipped, 0),
});

/** How often a step that takes long says that it is still at work. */
const HEARTBEAT_MS = 15_000;

/** Runs steps one after the other, says how each went, and goes on after a failure: one run shows all that is wrong. */
export const runSteps = async (steps: readonly Step[], say: (line: string) => void): Promise<readonly StepResult[]> => {
  const results: StepResult[] = [];
  for (const { title, run } of steps) {
    const startedAt = Date.now();
    say(`${title} …`);
    const heartbeat = setInterval(
      () => process.stderr.write(`  ${title}: ${Math.round((Date.now() - startedAt) / 1_000)} s so far\n`),
      HEARTBEAT_MS,
    );
    const result = await run().finally(() => clearInterval(heartbeat));
    results.push(result);
    const { passed, failed, skipped, output } = result;
    const counts = `${passed} passed, ${failed} failed${skipped === 0 ? "" : `, ${skipped} skipped`}`;
    say(`${failed === 0 ? "ok  " : "FAIL"} ${title}: ${counts} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
    if (output !== "") say(output);
  }
  return results;
};
