import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import process from "node:process";
import { afterEach, describe, expect, test } from "vitest";
import { ROOT } from "../../infra/local/paths.ts";
import { cloud } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { type RunningProcess, runningProcesses } from "../support/process-table.ts";

/** Every process that was started below us carries this in its environment, whatever became of its parents. */
const MARK = "S3_GEO_INTERRUPTION_TEST";

/** Processes with our mark. */
const marked = async (mark: string): Promise<readonly RunningProcess[]> =>
  (await runningProcesses()).filter(({ environment }) => environment.includes(`${MARK}=${mark}`));

let started: { readonly npm: ChildProcess; readonly mark: string } | undefined;

const npmStart = () => {
  const mark = randomUUID();
  const { AWS_ENDPOINT_URL: _ours, ...env } = process.env;
  const npm = spawn("npm", ["start", "--", "--exit", "--json"], {
    cwd: ROOT,
    env: { ...env, [MARK]: mark, GEO_CLOUD: "ministack" },
    stdio: "ignore",
    detached: true, // the foreground group of a terminal of its own
  });
  started = { npm, mark };
  return { npm, mark, pid: npm.pid ?? 0 };
};

afterEach(async () => {
  // Only after a failure is anything left.
  for (const { pid } of await marked(started?.mark ?? "none")) process.kill(pid, "SIGKILL");
});

const MOMENTS = [
  { moment: "at the very start", sign: "run.mjs" },
  { moment: "while the local cloud starts", sign: "ministack-launcher.py" },
  { moment: "while the templates are synthesized", sign: "synth" },
  { moment: "while the stacks are deployed", sign: "deploy" },
] as const;

describe.skipIf(process.platform !== "linux" || cloud.name !== "ministack")("npm start", () => {
  test.each(MOMENTS)("leaves no process behind when Ctrl-C comes $moment", { timeout: 180_000 }, async ({ sign }) => {
    const { pid, mark } = npmStart();
    await eventually(
      `${sign} runs`,
      () => marked(mark),
      (running) => running.some(({ command }) => command.includes(sign)),
    );
    process.kill(-pid, "SIGINT"); // as a terminal does: to everything in the foreground
    const left = await eventually(
      "nothing runs any more",
      () => marked(mark),
      (running) => running.length === 0,
      20_000,
    );
    expect(left).toEqual([]);
  });

  test("leaves no process behind when it is killed without a chance to clean up", { timeout: 180_000 }, async () => {
    const { pid, mark } = npmStart();
    const sign = "ministack-launcher.py";
    await eventually(
      `${sign} runs`,
      () => marked(mark),
      (running) => running.some(({ command }) => command.includes(sign)),
    );
    process.kill(-pid, "SIGKILL");
    const left = await eventually(
      "nothing runs any more",
      () => marked(mark),
      (running) => running.length === 0,
      30_000,
    );
    expect(left).toEqual([]);
  });
});
