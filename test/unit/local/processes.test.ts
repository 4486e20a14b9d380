import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { ROOT } from "../../../infra/local/paths.ts";
import { CommandFailedError, runCommand, runOrThrow } from "../../../infra/local/processes.ts";
import { eventually } from "../../support/eventually.ts";

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A process of ours that starts a command which starts another one, neither of which ever ends or takes a hint. */
const STUBBORN = `
import { endOnSignals, startGroup } from "${join(ROOT, "infra/local/processes.ts")}";
endOnSignals(() => 42);
const child = startGroup("sh", ["-c", "trap '' TERM; sleep 1000 & echo $!; wait; wait"], { stdio: ["ignore", "inherit", "inherit"] });
console.log(child.pid);
`;

describe("a command", () => {
  test("tells what it said and how it ended", async () => {
    expect(await runCommand("sh", ["-c", "echo out; echo err >&2; exit 3"])).toEqual({
      code: 3,
      stdout: "out\n",
      stderr: "err\n",
    });
  });

  test("that had to succeed fails with the end of what it said", async () => {
    await expect(runOrThrow("sh", ["-c", "echo the reason >&2; exit 1"])).rejects.toThrow(/exit code 1\nthe reason/);
  });

  test("that takes too long is ended, with all that it started", async () => {
    const seen: string[] = [];
    const running = runCommand("sh", ["-c", "sleep 1000 & echo $!; wait"], {
      timeoutMs: 300,
      onLine: (line) => seen.push(line),
    });
    await expect(running).rejects.toThrow(CommandFailedError);
    await eventually(
      "its child has ended",
      async () => isAlive(Number(seen[0])),
      (alive) => !alive,
      10_000,
    );
    expect(Number(seen[0])).toBeGreaterThan(0);
  });

  test("that does not exist is an error that names it", async () => {
    await expect(runCommand("no-such-command", [])).rejects.toThrow("no-such-command");
  });
});

test.concurrent.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
  "%s ends everything that we started, even what ignores it",
  async (signal) => {
    const ours = spawn(process.execPath, ["--input-type=module-typescript", "--eval", STUBBORN], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let said = "";
    ours.stdout.setEncoding("utf8").on("data", (chunk: string) => (said += chunk));
    await eventually(
      "both have started",
      async () => said.trim().split("\n").length,
      (lines) => lines === 2,
      10_000,
    );
    const pids = said.trim().split("\n").map(Number);
    ours.kill(signal);
    const [code] = (await once(ours, "exit")) as [number];
    expect(code).toBe(42);
    expect(pids.filter(isAlive)).toEqual([]);
  },
);
