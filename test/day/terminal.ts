import { spawn } from "node:child_process";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import { BIN, ROOT } from "../../infra/local/paths.ts";

/** What one command printed on a terminal, and how it ended. */
export interface Printed {
  /** As it was typed. */
  readonly command: string;
  /** As a person sees it: both streams as they came, without the characters that colour and move. */
  readonly text: string;
  /** As the terminal got it. */
  readonly raw: string;
  readonly exitCode: number;
}

/** A terminal of a person who looks after sites. */
export interface Terminal {
  /** @param command a command line as it is typed; nothing in it may need quoting beyond a shell's */
  type(command: string): Promise<Printed>;
}

/** No command of the day takes longer; one that hangs fails its step. Milliseconds. */
const COMMAND_MS_MAX = 180_000;

/**
 * What is left on a screen: a line that was written over with a carriage return shows what was written last.
 */
const screenOf = (raw: string): string =>
  stripVTControlCharacters(raw)
    .replaceAll("\r\n", "\n")
    .split("\n")
    .map((line) => line.slice(line.lastIndexOf("\r") + 1).trimEnd())
    .join("\n")
    .trim();

/**
 * A real terminal (a pseudo terminal, by util-linux' `script`), in which `geo` is this checkout's.
 *
 * @param options.sitesFile where `geo` finds the sites, of the shape of `.local/run.json`
 * @param options.columns how wide it is
 */
export const openTerminal = ({
  sitesFile,
  columns,
}: {
  readonly sitesFile: string;
  readonly columns: number;
}): Terminal => ({
  type: (command) =>
    new Promise((resolve, reject) => {
      const geo = `stty cols ${columns}; ${command.replace(/^geo /, `node ${ROOT}/cli/geo.ts `)}`;
      const child = spawn("script", ["--quiet", "--flush", "--return", "--command", geo, "/dev/null"], {
        cwd: ROOT,
        env: {
          PATH: `${BIN}:${process.env["PATH"] ?? ""}`,
          HOME: process.env["HOME"],
          TERM: "xterm-256color",
          GEO_SITES_FILE: sitesFile,
        },
        stdio: ["ignore", "pipe", "inherit"],
        timeout: COMMAND_MS_MAX,
      });
      let raw = "";
      child.stdout.setEncoding("utf8").on("data", (text: string) => (raw += text));
      child.once("error", reject);
      child.once("close", (exitCode) => resolve({ command, text: screenOf(raw), raw, exitCode: exitCode ?? -1 }));
    }),
});
