import { readFile } from "node:fs/promises";
import process from "node:process";
import { runningProcesses } from "./process-table.ts";

/**
 * The most memory that a local cloud's process has had, bytes, as Linux tells it. Undefined where there is no process table,
 * or none of ours listens there.
 *
 * @param endpoint of the cloud
 */
export const peakMemoryOf = async (endpoint: string): Promise<number | undefined> => {
  if (process.platform !== "linux") return undefined;
  const port = `GATEWAY_PORT=${new URL(endpoint).port}`;
  const found = (await runningProcesses()).find(
    ({ command, environment }) => command.includes("ministack-launcher.py") && environment.includes(port),
  );
  const status = found === undefined ? "" : await readFile(`/proc/${found.pid}/status`, "utf8");
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1_024;
};
