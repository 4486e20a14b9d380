import { createHash } from "node:crypto";
import { access, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { localFolder } from "./paths.ts";
import { findPython, pipInstall } from "./python.ts";
import { CommandFailedError, isRunning, runCommand, runOrThrow, tail } from "./processes.ts";

/** MiniStack, installed in the project's own folder. */
export interface MiniStackInstallation {
  /** The Python of its virtual environment. */
  readonly python: string;
  readonly version: string;
}

const REQUIREMENTS = join(import.meta.dirname, "ministack-requirements.txt");

/** The pinned version, from the requirements file: the one place that names it. */
export const pinnedMiniStackVersion = async (): Promise<string> => {
  const pin = /^ministack==(\S+)$/m.exec(await readFile(REQUIREMENTS, "utf8"));
  if (pin?.[1] === undefined) throw new Error(`${REQUIREMENTS} pins no version of ministack`);
  return pin[1];
};

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Takes away what interrupted installations left half made: folders that carry the id of a process that is gone. */
const removeHalfMade = async (home: string): Promise<void> => {
  for (const name of await readdir(home)) {
    const pid = /-[0-9a-f]{8}\.(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isRunning(Number(pid))) await rm(join(home, name), { recursive: true, force: true });
  }
};

/**
 * Makes sure that MiniStack is installed as pinned. The virtual environment is made beside its final place and moved
 * there when it is complete, so that an interrupted or parallel installation leaves nothing half made behind.
 *
 * @returns the installation, or in words why it can not be had on this machine.
 */
export const installMiniStack = async (
  detail: (text: string) => void = () => {},
): Promise<{ readonly installation: MiniStackInstallation } | { readonly reason: string }> => {
  // Asked before what was installed earlier is used: a virtual environment only links to a Python of the machine, and a
  // machine that has none (any more) has no MiniStack.
  const found = await findPython();
  if ("reason" in found) return found;
  const version = await pinnedMiniStackVersion();
  const digest = createHash("sha256")
    .update(await readFile(REQUIREMENTS))
    .digest("hex")
    .slice(0, 8);
  const home = await localFolder("ministack");
  const place = join(home, `${version}-${digest}`);
  const python = join(place, "bin/python");
  const importable = await runCommand(python, ["-c", "import ministack.app"], { timeoutMs: 60_000 }).catch(
    () => undefined,
  );
  if (importable?.code === 0) return { installation: { python, version } };

  await removeHalfMade(home);
  const making = `${place}.${process.pid}`;
  try {
    detail(`making a virtual environment with Python ${found.python.version}`);
    // No symlinked interpreter is lost by the move: only the scripts in bin/ name their folder, and we use none of them.
    const made = await runCommand(found.python.command, ["-m", "venv", making], { timeoutMs: 120_000 });
    if (made.code !== 0) {
      return {
        reason: `${found.python.command} can not make a virtual environment: ${lastLine(made.stdout + made.stderr)}`,
      };
    }
    detail(`installing MiniStack ${version} with pip`);
    const installed = await pipInstall(join(making, "bin/python"), REQUIREMENTS, {
      retries: 2,
      waitSeconds: 20,
      timeoutMs: 300_000,
      onLine: (line) => detail(line.trim().slice(0, 80)),
    });
    if (installed.code !== 0) {
      return {
        reason: `pip could not install MiniStack ${version}: ${lastLine(installed.stderr || installed.stdout)}`,
      };
    }
    await runOrThrow(join(making, "bin/python"), ["-c", "import ministack.app"], { timeoutMs: 60_000 });
    if (await exists(place)) await rm(place, { recursive: true, force: true });
    await rename(making, place).catch(async (error: unknown) => {
      if (!(await exists(place))) throw error; // else another run was faster: its installation is as good
    });
    return { installation: { python, version } };
  } catch (error) {
    if (error instanceof CommandFailedError)
      return { reason: `MiniStack ${version} could not be installed: ${error.message}` };
    throw error;
  } finally {
    await rm(making, { recursive: true, force: true });
  }
};

const lastLine = (text: string): string => tail(text, 1).trim() || "it said nothing";
