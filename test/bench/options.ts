import { parseArgs } from "node:util";
import { UsageError } from "../../infra/local/start-options.ts";

/** What can be measured, in the order in which it is. */
const PARTS = ["bundles", "lag", "requests", "walks"] as const;
type Part = (typeof PARTS)[number];

/** What was asked of `npm run bench`. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  /** Print the figures as one JSON document, last on stdout. */
  readonly json: boolean;
  /** Print the figures as docs/performance.md shows them. */
  readonly markdown: boolean;
  readonly help: boolean;
}

export const BENCH_HELP = `Usage: npm run bench [-- options]

Measures afresh what docs/performance.md says: size and loading time of every function; from put to verified, on an idle
and on a busy local cloud; every request that the deployed functions make, counted at the wire, with what AWS charges
for it; and what a walk through up to a million generated keys lists, reads and holds in memory. Ends with 1 when a count or a size exceeds its bar, or could not be measured. Times have no bars.

Options:
  --only <part>  ${PARTS.join(", ")}; may be given more than once
  --json         the last line of stdout is one JSON document; everything else goes to stderr
  --markdown     the tables of docs/performance.md on stdout; everything else goes to stderr
  --help         this text

Lag and requests need MiniStack (Python 3.10 or newer).`;

const isPart = (text: string): text is Part => (PARTS as readonly string[]).includes(text);

/** Reads the command line. @throws {UsageError} on anything it does not know. */
export const parseBenchOptions = (args: readonly string[]): BenchOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        only: { type: "string", multiple: true, default: [] },
        json: { type: "boolean", default: false },
        markdown: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const unknown = values.only.filter((part) => !isPart(part));
    if (unknown.length > 0) {
      throw new UsageError(`--only takes ${PARTS.join(", ")}; got ${unknown.join(", ")}`);
    }
    const parts = values.only.length === 0 ? PARTS : PARTS.filter((part) => values.only.includes(part));
    if (values.json && values.markdown) throw new UsageError("--json and --markdown exclude each other");
    return { parts, json: values.json, markdown: values.markdown, help: values.help };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
