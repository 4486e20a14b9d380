import { Command } from "commander";
import { PRODUCT_VERSION } from "../shared/geo/product-version.ts";
import { addBulkActions } from "./commands/bulk-actions.ts";
import { addBulk } from "./commands/bulk.ts";
import { addCost } from "./commands/cost.ts";
import { addDestroy } from "./commands/destroy.ts";
import { addDoctor } from "./commands/doctor.ts";
import { addExplain } from "./commands/explain.ts";
import { addRegistry } from "./commands/registry.ts";
import { addRemovals } from "./commands/removals.ts";
import { addReplicable } from "./commands/replicable.ts";
import { addFlag } from "./commands/flag.ts";
import { addPreflight } from "./commands/preflight.ts";
import { addSelectiveSync } from "./commands/selective-sync.ts";
import { addSite } from "./commands/site.ts";
import { addStatus } from "./commands/status.ts";
import { addToken } from "./commands/token.ts";
import { addWait } from "./commands/wait.ts";
import { addCompletion } from "./commands/completion.ts";
import { reflowed } from "./output/lines.ts";
import type { Surroundings } from "./surroundings.ts";

/** How wide help is where no screen says so, as in docs/cli.md. */
const HELP_COLUMNS = 100;

/** The whole command line, as a tree of commands. */
export const makeProgram = (surroundings: Surroundings): Command => {
  const columns = (): number => surroundings.screen?.columns() ?? HELP_COLUMNS;
  const program = new Command("geo")
    .description("Looks after the replication of S3 objects between sites.")
    .version(PRODUCT_VERSION)
    .exitOverride()
    .configureOutput({
      // Only help and the version are written so.
      writeOut: (text) => surroundings.out(reflowed(text, columns())),
      writeErr: surroundings.err,
      getOutHelpWidth: columns,
      getErrHelpWidth: columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
    .showHelpAfterError("(geo --help says what there is)")
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed, 2 called in a way that can not work, 3 done and found unhealthy, 4 not allowed.",
    );
  // Commands are made with `parent.command`, by which they end and speak as this one does.
  addStatus(program, surroundings);
  addExplain(program, surroundings);
  addDoctor(program, surroundings);
  addCost(program, surroundings);
  addRegistry(program, surroundings);
  addRemovals(program, surroundings);
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
  addCompletion(program, surroundings);
  return program;
};
