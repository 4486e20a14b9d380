import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";
import process from "node:process";

/**
 * Child processes that can not outlive us. Each runs in a process group of its own, so that a command is ended together
 * with whatever it started, and Ctrl-C on a terminal reaches only us: we choose the order in which things end.
 */

/** How long a group may take to end by itself before it is killed, milliseconds. */
const GRACE_MS = 3_000;

/** Whether a process with this id exists. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
};

const groups = new Set<ChildProcess>();
let stopping = false;

/** Thrown to whatever is waiting for a command while everything is being ended. */
export class InterruptedError extends Error {
  override readonly name = "InterruptedError";
}

/** A command that ended with something other than 0, or did not end in time. */
export class CommandFailedError extends Error {
  override readonly name = "CommandFailedError";
}

const signalGroup = (child: ChildProcess, signal: NodeJS.Signals): boolean => {
  if (child.pid === undefined) return false;
  try {
    process.kill(-child.pid, signal);
    return true;
  } catch {
    return false; // no process of the group is left
  }
};

const groupIsAlive = (child: ChildProcess): boolean => {
  if (child.pid === undefined) return false;
  try {
    process.kill(-child.pid, 0);
    return true;
  } catch {
    return false;
  }
};

const until = async (isTrue: () => boolean, limitMs: number): Promise<boolean> => {
  const deadline = Date.now() + limitMs;
  while (!isTrue()) {
    if (Date.now() > deadline) return false;
    await new Promise((tick) => setTimeout(tick, 20));
  }
  return true;
};

/** Ends a group: asks, waits, then kills. Resolves when no process of it is left. */
export const stopGroup = async (child: ChildProcess): Promise<void> => {
  signalGroup(child, "SIGTERM");
  if (!(await until(() => !groupIsAlive(child), GRACE_MS))) {
    signalGroup(child, "SIGKILL");
    await until(() => !groupIsAlive(child), GRACE_MS);
  }
  groups.delete(child);
};

/** Starts a command as the leader of its own group. It is ended with us. */
export const startGroup = (command: string, args: readonly string[], options: SpawnOptions): ChildProcess => {
  if (stopping) throw new InterruptedError("interrupted");
  const child = spawn(command, args, { ...options, detached: true });
  groups.add(child);
  // A leader that ends may leave others of its group behind (seen with an interrupted local cloud): end them too.
  child.once("exit", () => void stopGroup(child));
  child.once("error", () => groups.delete(child));
  return child;
};

/** What a finished command said. */
export interface CommandOutput {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly cwd?: string;
  /** Added to our own environment. `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds. Default 10 minutes. */
  readonly timeoutMs?: number;
  /** Called with each line of either stream as it comes. */
  readonly onLine?: (line: string) => void;
}

const byLine = (onLine: (line: string) => void): ((chunk: string) => void) => {
  let rest = "";
  return (chunk) => {
    const lines = (rest + chunk).split(/\r?\n/);
    rest = lines.pop() ?? "";
    for (const line of lines) onLine(line);
  };
};

/** Runs a command to its end and returns what it said, whatever its exit code. */
export const runCommand = async (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> => {
  const child = startGroup(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    const lines = byLine(options.onLine ?? (() => {}));
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      said[name] += chunk;
      lines(chunk);
    });
  }
  const timeoutMs = options.timeoutMs ?? 600_000;
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    void stopGroup(child);
  }, timeoutMs);
  try {
    const [code] = (await once(child, "close")) as [number | null];
    if (stopping) throw new InterruptedError("interrupted");
    if (timedOut) {
      throw new CommandFailedError(
        `${command} ${args.join(" ")} did not end within ${timeoutMs / 1_000} s\n${tail(said.stdout + said.stderr)}`,
      );
    }
    return { code: code ?? 1, ...said };
  } finally {
    clearTimeout(timer);
  }
};

/** The last lines of a text: what one wants to see of a command that failed. */
export const tail = (text: string, lines = 40): string => text.trimEnd().split("\n").slice(-lines).join("\n");

/** Runs a command that has to succeed. */
export const runOrThrow = async (
  command: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandOutput> => {
  const output = await runCommand(command, args, options);
  if (output.code === 0) return output;
  throw new CommandFailedError(
    `${command} ${args.join(" ")} ended with exit code ${output.code}\n${tail(output.stdout + output.stderr)}`,
  );
};

const endings: (() => void | Promise<void>)[] = [];

/** Has something done when we end, whichever way; the last one registered goes first. Must be quick. */
export const atEnd = (ending: () => void | Promise<void>): void => void endings.push(ending);

/** Ends every process we started and runs what was registered with `atEnd`. Safe to call twice. */
export const stopEverything = async (): Promise<void> => {
  stopping = true;
  await Promise.allSettled([...groups].map(stopGroup));
  for (const ending of endings.splice(0).toReversed()) await ending();
};

/** True once the end has begun: errors that follow from it are not worth reporting. */
export const isStopping = (): boolean => stopping;

/**
 * Makes Ctrl-C, a polite kill, a closed terminal and the death of whoever started us end everything. A second signal, a
 * second later or more, does so at once (a terminal and `run.mjs` may both deliver the first one).
 *
 * @param exitCode what to exit with; by convention 130 for an interruption.
 */
export const endOnSignals = (exitCode: () => number = () => 130): void => {
  let firstAt: number | undefined;
  const end = (): void => {
    const now = Date.now();
    if (firstAt !== undefined) {
      if (now - firstAt < 1_000) return;
      for (const group of groups) signalGroup(group, "SIGKILL");
      process.exit(exitCode());
    }
    firstAt = now;
    void stopEverything().finally(() => process.exit(exitCode()));
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  process.on("disconnect", end);
  // The channel to `run.mjs` only exists to be closed; it must not keep us alive.
  process.channel?.unref();
};
