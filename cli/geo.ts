/** The operator's command line. `geo --help` says what it can do. */
import { resolve } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { replicables } from "../shared/replicables/index.ts";
import { terminalOf } from "./output/terminal.ts";
import { runCli } from "./run-cli.ts";

/** Asks on the terminal; anything but yes is no. */
const ask = async (question: string): Promise<boolean> => {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
};

process.exitCode = await runCli(process.argv.slice(2), {
  root: resolve(import.meta.dirname, ".."),
  replicables,
  env: process.env,
  onInterrupt: (interrupted) => {
    process.once("SIGINT", interrupted);
    return () => void process.off("SIGINT", interrupted);
  },
  out: (text) => void process.stdout.write(text),
  err: (text) => void process.stderr.write(text),
  ...terminalOf(process.env, process.stdout, process.stderr),
  ...(process.stdin.isTTY && process.stderr.isTTY ? { ask } : {}),
});
