import { switchesOf } from "../geo/feature-flags.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { WalkAskedAnswer } from "../geo/walk-asked.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { flagsKey, parseFlags } from "../tables/site/flags-item.ts";
import { askForWalk } from "../tables/site/walk-pace-item.ts";

/** What a walk is asked for with. */
export interface WalkAsking {
  readonly siteTable: Pick<Table, "update">;
  /** The primary's own table, where the flags of all sites are. */
  readonly primarySiteTable: Pick<Table, "get">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * Has a type walked through soon: the next run, within a minute, begins a walk, or as soon as the one that goes on has
 * ended.
 *
 * @param askedBy the name of the operator's token, for the log
 * @returns a problem when the type is switched off: nobody walks through it then
 * @throws TableUnavailableError when a table did not answer: it may be asked for or not, and may be again
 */
export const askForWalkNow = async (
  { siteTable, primarySiteTable, clock, telemetry }: WalkAsking,
  replicable: Replicable,
  askedBy: string | undefined,
): Promise<WalkAskedAnswer | { readonly problem: string }> => {
  const { name, names } = replicable;
  const { overrides } = parseFlags(await primarySiteTable.get(flagsKey));
  if (!switchesOf(replicable, overrides).replication) {
    return { problem: `${name} is switched off, and walked through again once ${names.flags.replication} is on` };
  }
  const now = clock.now();
  await siteTable.update(askForWalk(name, now));
  telemetry.info("an operator asked for a walk", { token_name: askedBy ?? "unknown", replicable: name });
  return { replicable_name: name, asked_at: new Date(now).toISOString() };
};
