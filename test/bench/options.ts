import { parseArgs } from "node:util";
import { UsageError } from "../../infra/local/start-options.ts";

/** What can be measured, in the order in which it is. */
const PARTS = ["bundles", "lag", "requests", "walks", "api", "large"] as const;
type Part = (typeof PARTS)[number];

/** What is measured unless told otherwise: a large object takes minutes, and twice its size of the disk. */
const USUAL_PARTS = PARTS.filter((part) => part !== "large");

/** GiB of the large object: more than the 5 GB that one CopyObject takes, and less than a function leaves to the workflow. */
const LARGE_GIB = 6;
const LARGE_GIB_MIN = 4.7;
const LARGE_GIB_MAX = 93;

/** What was asked of `npm run bench`. */
export interface BenchOptions {
  readonly parts: readonly Part[];
  /** Size of the large object, GiB. */
  readonly gib: number;
  /** Print the figures as one JSON document, last on stdout. */
  readonly json: boolean;
  /** Print the figures as docs/performance.md shows them. */
  readonly markdown: boolean;
  readonly help: boolean;
}

export const BENCH_HELP = `Usage: npm run bench [-- options]

Measures afresh what docs/performance.md says: size and loading time of every function; from put to verified, on an idle
and on a busy local cloud; every request that the deployed functions make, counted at the wire, with what AWS charges
for it; what a walk through up to a million generated keys lists, reads and holds in memory; and what a status, a page of
registries and the metrics read, and how long the function takes for them, at up to a million rows. Ends with 1 when a count or a size exceeds its bar, or could not be measured. Times have no bars.

Only when it is asked for: one object of several GiB, put in parts, copied in parts, verified and read back.

Options:
  --only <part>  ${PARTS.join(", ")}; may be given more than once
  --gib <n>      size of the large object, ${LARGE_GIB_MIN} to ${LARGE_GIB_MAX}; default ${LARGE_GIB}
  --json         the last line of stdout is one JSON document; everything else goes to stderr
  --markdown     the tables of docs/performance.md on stdout; everything else goes to stderr
  --help         this text

Lag, requests and the large object need MiniStack (Python 3.10 or newer).`;

const isPart = (text: string): text is Part => (PARTS as readonly string[]).includes(text);

/** Reads the command line. @throws {UsageError} on anything it does not know. */
export const parseBenchOptions = (args: readonly string[]): BenchOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        only: { type: "string", multiple: true, default: [] },
        gib: { type: "string", default: String(LARGE_GIB) },
        json: { type: "boolean", default: false },
        markdown: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    const unknown = values.only.filter((part) => !isPart(part));
    if (unknown.length > 0) {
      throw new UsageError(`--only takes ${PARTS.join(", ")}; got ${unknown.join(", ")}`);
    }
    const gib = Number(values.gib);
    // Also true of what is no number.
    if (!(gib >= LARGE_GIB_MIN && gib <= LARGE_GIB_MAX)) {
      throw new UsageError(`--gib takes ${LARGE_GIB_MIN} to ${LARGE_GIB_MAX}; got ${values.gib}`);
    }
    const parts = values.only.length === 0 ? USUAL_PARTS : PARTS.filter((part) => values.only.includes(part));
    if (values.json && values.markdown) throw new UsageError("--json and --markdown exclude each other");
    return { parts, gib, json: values.json, markdown: values.markdown, help: values.help };
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
