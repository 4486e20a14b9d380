import pMap from "p-map";
import {
  KEYS_IN_FLIGHT,
  OUT_OF_PATTERN_WAIT_MS,
  quarantineMs,
  RECORDS_KEPT_MS,
  RECORDS_REMOVED_PER_PASS_MAX,
} from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import { duePartitions, verifiedPartitions } from "../../geo/registry-row.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { SiteBase } from "../../ports/site.ts";
import type { Item, Table } from "../../ports/table.ts";
import { findDue } from "../../tables/find-due.ts";
import { clearedType, clearedTypesQuery, parseClearedTypes } from "../../tables/site/cleared-types.ts";
import { type IndexPlace, removeRecord } from "../../tables/verification-state/remove-record.ts";

/** What removing records needs of the primary. */
export interface RemovingSite extends Pick<SiteBase, "clock" | "telemetry" | "switches" | "functionTimeoutMs"> {
  readonly verificationState: Pick<Table, "query" | "delete">;
  readonly siteTable: Pick<Table, "query" | "put">;
}

interface Found extends IndexPlace {
  readonly key: string;
}

const foundIn = (partition: string, { sk: key, due_at: dueAt }: Item): readonly Found[] =>
  typeof key === "string" && typeof dueAt === "number" ? [{ partition, key, dueAt }] : [];

/**
 * Records of a type, some of them: every record stands in the due index, settled or not. One that is not due yet is left for
 * now, since somebody may be at it, or it is a tombstone whose time is not over.
 */
const recordsOf = async (
  { verificationState, clock }: RemovingSite,
  name: string,
  most: number,
): Promise<readonly Found[]> => {
  const now = clock.now();
  const pages = await Promise.all(
    [...verifiedPartitions(name), ...duePartitions(name)].map(async (partition) => {
      const page = await verificationState.query(findDue(partition, 0, now, most));
      return page.items.flatMap((item) => foundIn(partition, item));
    }),
  );
  return pages.flat().slice(0, most);
};

/**
 * F47. Removes the records of types whose checksums have been switched off for a day, so many in a pass. It keeps no cursor: what it has
 * removed is not there any more. A type that has none left is remembered, and not asked about again until its flags change.
 *
 * @param stopAt when to begin nothing more, milliseconds since the epoch
 * @returns how many records went
 * @throws TableUnavailableError when a table did not answer: the next pass finds what is left
 */
export const removeSwitchedOff = async (
  site: RemovingSite,
  replicables: readonly Replicable[],
  stopAt: number,
): Promise<number> => {
  const { clock, switches, telemetry, siteTable, verificationState } = site;
  const cleared = parseClearedTypes((await siteTable.query(clearedTypesQuery())).items);
  let removed = 0;
  for (const { name } of replicables) {
    if ((await switches.of(name)).primaryChecksumming) continue;
    const changedAt = await switches.changedAt(name);
    if (cleared.get(name) === changedAt || clock.now() - changedAt < RECORDS_KEPT_MS) continue;
    const most = RECORDS_REMOVED_PER_PASS_MAX - removed;
    if (most === 0 || clock.now() >= stopAt) break;
    const found = await recordsOf(site, name, most);
    // What has moved since the index showed it is found in its new place by the next pass.
    const outcomes = await pMap(
      found,
      ({ key, ...place }) => verificationState.delete(removeRecord({ replicableName: name, key }, place)),
      { concurrency: KEYS_IN_FLIGHT },
    );
    const gone = outcomes.filter(({ outcome }) => outcome === "deleted").length;
    removed += gone;
    if (gone > 0) telemetry.count(COUNT_METRICS.recordsRemoved, gone, name);
    // Whoever had the old flags in mind is gone by then, and whatever was put off has come back.
    const isQuiet = clock.now() - changedAt > quarantineMs(site.functionTimeoutMs) + OUT_OF_PATTERN_WAIT_MS;
    if (found.length === 0 && isQuiet) await siteTable.put(clearedType(name, changedAt));
  }
  return removed;
};
