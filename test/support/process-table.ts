import { readdir, readFile } from "node:fs/promises";

/** A process of this machine, as Linux tells it. */
export interface RunningProcess {
  readonly pid: number;
  readonly parent: number;
  /** Its arguments, with blanks between them. */
  readonly command: string;
  /** `NAME=value`, one after the other. Empty when it is somebody else's. */
  readonly environment: readonly string[];
}

/** Every process that runs. One that has ended and was not yet taken note of does not. */
export const runningProcesses = async (): Promise<readonly RunningProcess[]> => {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const seen = await Promise.all(
    pids.map(async (pid) => {
      const read = (file: string): Promise<string> => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
      // `pid (name) state parent …`, where the name may hold anything.
      const [, state = "X", parent = "0"] = /^.*\) (\S) (\d+)/s.exec(await read("stat")) ?? [];
      if (state === "Z" || state === "X") return [];
      return [
        {
          pid: Number(pid),
          parent: Number(parent),
          command: (await read("cmdline")).replaceAll("\0", " "),
          environment: (await read("environ")).split("\0"),
        },
      ];
    }),
  );
  return seen.flat();
};
