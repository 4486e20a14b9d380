import process from "node:process";
import { cloud, startedBy } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { type RunningProcess, runningProcesses } from "../support/process-table.ts";

/**
 * The process of the local cloud under test: the child of whoever deployed the sites that listens on the sites' port.
 * Undefined when somebody else started it, or where there is no process table: it is not ours to kill anything of then.
 */
export const cloudProcess = async (): Promise<RunningProcess | undefined> => {
  if (process.platform !== "linux" || cloud.endpoint === undefined) return undefined;
  const port = `GATEWAY_PORT=${new URL(cloud.endpoint).port}`;
  return (await runningProcesses()).find(
    ({ parent, command, environment }) =>
      parent === startedBy && command.includes("ministack-launcher.py") && environment.includes(port),
  );
};

/** The processes in which that cloud runs a function: its own children, told by the folder of their script. */
const workersOf = async (functionName: string): Promise<readonly RunningProcess[]> => {
  const parent = await cloudProcess();
  if (parent === undefined) return [];
  return (await runningProcesses()).filter(
    (one) => one.parent === parent.pid && one.command.includes(`/ministack-lambda-${functionName}-`),
  );
};

const killed = (pid: number): boolean => {
  try {
    return process.kill(pid, "SIGKILL");
  } catch {
    return false; // it has ended meanwhile
  }
};

/** Kills whatever runs a function, without a chance to clean up; how many processes that were. */
export const killWorkers = async (functionName: string): Promise<number> => {
  const hit = (await workersOf(functionName)).map(({ pid }) => pid).filter(killed);
  await eventually(
    `nothing runs ${functionName} any more`,
    async () => (await workersOf(functionName)).map(({ pid }) => pid),
    (left) => hit.every((pid) => !left.includes(pid)),
    5_000,
  );
  return hit.length;
};
