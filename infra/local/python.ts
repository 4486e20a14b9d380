import { join } from "node:path";
import process from "node:process";
import { type CommandOutput, runCommand } from "./processes.ts";

/** A Python that is new enough. */
export interface Python {
  readonly command: string;
  /** For example `3.11.7`. */
  readonly version: string;
}

/** MiniStack's own minimum. */
const OLDEST = [3, 10] as const;

/** Newest first among the usual names, after what the caller's PATH calls python3. */
const NAMES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"] as const;

const newEnough = (version: string): boolean => {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major === OLDEST[0] && minor >= OLDEST[1];
};

/**
 * Finds a Python ≥ 3.10 that really runs (a version manager's shim may be on PATH and run nothing).
 *
 * @returns the Python, or why there is none.
 */
export const findPython = async (
  path: string | undefined = process.env["PATH"],
): Promise<{ readonly python: Python } | { readonly reason: string }> => {
  const seen: string[] = [];
  for (const name of NAMES) {
    for (const folder of (path ?? "").split(":").filter((entry) => entry !== "")) {
      const command = join(folder, name);
      const said = await runCommand(command, ["-c", "import platform; print(platform.python_version())"], {
        timeoutMs: 15_000,
      }).catch(() => undefined);
      if (said === undefined || said.code !== 0) continue;
      const version = said.stdout.trim();
      if (newEnough(version)) return { python: { command, version } };
      seen.push(`${command} is ${version}`);
    }
  }
  const found = seen.length === 0 ? "none is on PATH" : seen.join(", ");
  return { reason: `Python ${OLDEST.join(".")} or newer is needed for MiniStack; ${found}` };
};

/**
 * Has pip install what a file of requirements pins, without a question and without the advice to take a newer pip.
 *
 * @param options.further more of pip's arguments
 * @param options.retries how often pip asks an index again that does not answer; `waitSeconds` is how long it waits for one.
 */
export const pipInstall = (
  python: string,
  requirements: string,
  options: {
    readonly further?: readonly string[];
    readonly retries: number;
    readonly waitSeconds: number;
    readonly timeoutMs: number;
    readonly onLine?: (line: string) => void;
  },
): Promise<CommandOutput> => {
  const quiet = ["--disable-pip-version-check", "--no-input"];
  const patience = ["--retries", String(options.retries), "--timeout", String(options.waitSeconds)];
  const args = [
    "-m",
    "pip",
    "install",
    ...quiet,
    ...patience,
    ...(options.further ?? []),
    "--requirement",
    requirements,
  ];
  const { timeoutMs, onLine } = options;
  return runCommand(python, args, { timeoutMs, ...(onLine === undefined ? {} : { onLine }) });
};
