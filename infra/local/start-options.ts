import { parseArgs } from "node:util";

/** What was asked of `npm start`. */
export interface StartOptions {
  /** End when the demonstration is over. */
  readonly exit: boolean;
  /** Print the result as one JSON document, last on stdout. */
  readonly json: boolean;
  /** Narrow the running secondary by selective sync afterwards, and widen it again. */
  readonly narrow: boolean;
  readonly help: boolean;
  readonly seed: string;
}

/** The command line can not be read. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export const START_HELP = `Usage: npm start [-- options]

Starts a local cloud, deploys a primary and a secondary site to it with the real CDK app, puts over 300 real files on
the primary, shows them being replicated and verified, changes and deletes some, compares both buckets byte for byte, and
goes on until Ctrl-C. As long as it does, .local/run.json tells scripts how to reach both sites.

Options:
  --exit         end when all that is done; the exit code is 0 only if everything converged
  --json         the last line of stdout is the result as one JSON document; everything else goes to stderr
  --narrow       then narrow the running secondary to one namespace, by its API, and widen it again: counts before, under the
                 rule and afterwards; some minutes more
  --seed <text>  other files (default: demo); the same seed makes the same content
  --help         this text

Environment:
  GEO_CLOUD                endpoint, localstack, ministack, embedded or aws; default: the first that can be had
  AWS_ENDPOINT_URL         a cloud that is already running
  LOCALSTACK_AUTH_TOKEN    with docker: LocalStack; GEO_LOCALSTACK_ARCHIVE=1: its last version without a token

Examples:
  npm start
  npm start -- --exit --json
  npm start -- --narrow
  GEO_CLOUD=embedded npm start -- --exit
  AWS_ENDPOINT_URL=http://127.0.0.1:4566 npm start`;

/** Reads the command line. @throws {UsageError} on anything it does not know. */
export const parseStartOptions = (args: readonly string[]): StartOptions => {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      options: {
        exit: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        narrow: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        seed: { type: "string", default: "demo" },
      },
    });
    return values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
};
