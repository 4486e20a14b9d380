import { Command, CommanderError } from "commander";
import { GeoApiError } from "../shared/client/client.ts";
import { GeoError } from "../shared/geo/errors.ts";
import { PRODUCT_VERSION } from "../shared/geo/product-version.ts";
import { addBulkActions } from "./commands/bulk-actions.ts";
import { addBulk } from "./commands/bulk.ts";
import { addCost } from "./commands/cost.ts";
import { addDestroy } from "./commands/destroy.ts";
import { addExplain } from "./commands/explain.ts";
import { addRegistry } from "./commands/registry.ts";
import { addReplicable } from "./commands/replicable.ts";
import { addFlag } from "./commands/flag.ts";
import { addPreflight } from "./commands/preflight.ts";
import { addSelectiveSync } from "./commands/selective-sync.ts";
import { addSite } from "./commands/site.ts";
import { addStatus } from "./commands/status.ts";
import { addToken } from "./commands/token.ts";
import { addWait } from "./commands/wait.ts";
import { CommandError, EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import type { Surroundings } from "./surroundings.ts";

const makeProgram = (surroundings: Surroundings): Command => {
  const program = new Command("geo")
    .description("Looks after the replication of S3 objects between sites.")
    .version(PRODUCT_VERSION)
    .exitOverride()
    .configureOutput({ writeOut: surroundings.out, writeErr: surroundings.err })
    .showHelpAfterError("(geo --help says what there is)")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 called in a way that can not work, 3 done and found unhealthy, 4 not allowed.",
    );
  // Commands are made with `parent.command`, by which they end and speak as this one does.
  addStatus(program, surroundings);
  addExplain(program, surroundings);
  addCost(program, surroundings);
  addRegistry(program, surroundings);
  addWait(program, surroundings);
  addPreflight(program, surroundings);
  addSite(program, surroundings);
  addFlag(program, surroundings);
  addSelectiveSync(program, surroundings);
  addReplicable(program, surroundings);
  addBulkActions(program, surroundings);
  addBulk(program, surroundings);
  addDestroy(program, surroundings);
  addToken(program, surroundings);
  return program;
};

/**
 * Runs one command line. Never throws: what went wrong is said on the error stream and by the exit code.
 * @param args what stands behind `geo`
 */
export const runCli = async (args: readonly string[], surroundings: Surroundings): Promise<ExitCode> => {
  try {
    await makeProgram(surroundings).parseAsync(args, { from: "user" });
    return EXIT.ok;
  } catch (error) {
    // Commander has said it already; asking for help is no error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    const text = error instanceof Error ? error.message : String(error);
    surroundings.err(`geo: ${text}\n`);
    if (error instanceof CommandError) return error.exitCode;
    if (error instanceof GeoApiError) return exitCodeOf(error);
    // A GeoError says all there is to say; anything else is a mistake of ours, and its origin helps to mend it.
    if (!(error instanceof GeoError) && error instanceof Error) surroundings.err(`${error.stack ?? ""}\n`);
    return EXIT.failure;
  }
};
