import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localFolder } from "../../infra/local/paths.ts";
import { runCommand, runOrThrow, tail } from "../../infra/local/processes.ts";
import { findPython, pipInstall } from "../../infra/local/python.ts";
import type { Sample } from "./prometheus-text.ts";

const REQUIREMENTS = join(import.meta.dirname, "prometheus-requirements.txt");

/** Reads an exposition with Prometheus' own parser and writes what it made of it, one JSON document. */
const SCRIPT = `
import json, sys
from prometheus_client.parser import text_string_to_metric_families
families = list(text_string_to_metric_families(open(sys.argv[1], encoding="utf-8").read()))
print(json.dumps([
    {"name": s.name, "labels": s.labels, "value": s.value, "type": f.type, "help": f.documentation}
    for f in families for s in f.samples
]))
`;

/** What Prometheus' parser made of a line. */
export type ParsedSample = Sample & { readonly type: string; readonly help: string };

/** Prometheus' own parser. */
export interface OfficialParser {
  /** Throws with the parser's own words on what it does not take. */
  parse(text: string): Promise<readonly ParsedSample[]>;
}

/**
 * Prometheus' parser for Python, installed into the project's own folder at its first use.
 * @returns the parser, or in words why it can not be had on this machine
 */
export const officialParser = async (): Promise<{ readonly parser: OfficialParser } | { readonly reason: string }> => {
  const found = await findPython();
  if ("reason" in found) return found;
  const { command } = found.python;
  const pin = /==(\S+)/.exec(await readFile(REQUIREMENTS, "utf8"))?.[1] ?? "";
  const folder = await localFolder("prometheus-client", `${pin}-${found.python.version}`);
  const env = { PYTHONPATH: folder };
  const importable = await runCommand(command, ["-c", "import prometheus_client.parser"], { env, timeoutMs: 30_000 });
  if (importable.code !== 0) {
    const installed = await pipInstall(command, REQUIREMENTS, {
      further: ["--no-deps", "--upgrade", "--target", folder],
      retries: 1,
      waitSeconds: 15,
      timeoutMs: 60_000,
    });
    if (installed.code !== 0) {
      const why = tail(installed.stderr || installed.stdout, 1).trim();
      return { reason: `pip could not install prometheus-client ${pin}: ${why || "it said nothing"}` };
    }
  }
  return {
    parser: {
      parse: async (text) => {
        const place = await mkdtemp(join(tmpdir(), "geo-metrics-"));
        try {
          const file = join(place, "metrics.txt");
          await writeFile(file, text);
          const { stdout } = await runOrThrow(command, ["-c", SCRIPT, file], { env, timeoutMs: 60_000 });
          // The script writes exactly this; the test compares every value of it.
          return JSON.parse(stdout) as ParsedSample[];
        } finally {
          await rm(place, { recursive: true, force: true });
        }
      },
    },
  };
};
