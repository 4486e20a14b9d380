import { CommanderError } from "commander";
import { GeoApiError } from "../shared/client/client.ts";
import { GeoError } from "../shared/geo/errors.ts";
import { CommandError, EXIT, type ExitCode, exitCodeOf } from "./exit-codes.ts";
import { makeProgram } from "./program.ts";
import type { Surroundings } from "./surroundings.ts";

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
