import type { ReleaseRequest } from "../geo/release-request.ts";
import {
  type ReleaseAnswer,
  type RemovalGuardAnswer,
  releaseAnswer,
  removalGuardAnswer,
} from "../geo/removal-guard-answer.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { listRemovalGuards } from "../tables/site/list-removal-guards.ts";
import { parseRemovalGuard, releaseRemovals as releaseItem } from "../tables/site/removal-guard-item.ts";

const MINUTE_MS = 60_000;

/** Where a secondary's removal guards are kept, and by whom. */
export interface GuardedTable {
  readonly siteTable: Pick<Table, "query" | "update">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * The guard of every type, in the order of the types; those of types that have never removed anything, too.
 * @throws TableUnavailableError when the site table did not answer
 */
export const readRemovalGuards = async (
  { siteTable, clock }: GuardedTable,
  replicableNames: readonly string[],
): Promise<readonly RemovalGuardAnswer[]> => {
  const guards = new Map((await listRemovalGuards(siteTable)).map((guard) => [guard.replicableName, guard]));
  return replicableNames.map((name) => removalGuardAnswer(name, guards.get(name), clock.now()));
};

/**
 * Lets so many more removals of a type through, for so long: an operator has looked, and says that they are wanted. The
 * last word counts; what was left of an earlier release is not added. Said twice it says the same.
 *
 * @param releasedBy the name of the operator's token, for the log
 * @returns nothing when the type has never removed anything, so that nothing is held back
 * @throws TableUnavailableError when the site table did not answer: the release may be given or not, and may be repeated
 */
export const releaseRemovals = async (
  { siteTable, clock, telemetry }: GuardedTable,
  replicableName: string,
  { removals, minutes }: ReleaseRequest,
  releasedBy: string | undefined,
): Promise<ReleaseAnswer | undefined> => {
  const now = clock.now();
  const written = await siteTable.update(releaseItem(replicableName, removals, now + minutes * MINUTE_MS));
  if (written.outcome === "refused") return undefined;
  const answer = releaseAnswer(parseRemovalGuard(written.item), now);
  telemetry.warn("an operator released removals", {
    token_name: releasedBy ?? "unknown",
    replicable: replicableName,
    removals,
    minutes,
    until: answer.release?.until,
  });
  return answer;
};
