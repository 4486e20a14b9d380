import pMap from "p-map";
import {
  KEYS_IN_FLIGHT,
  OUT_OF_PATTERN_WAIT_MS,
  quarantineMs,
  RECORDS_KEPT_MS,
  RECORDS_REMOVED_PER_PASS_MAX,
} from "../../geo/limits.ts";
import { COUNT_METRICS } from "../../geo/metrics.ts";
import { duePartitions, ROW_PARTITIONS, verifiedPartitions } from "../../geo/registry-row.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { SiteBase } from "../../ports/site.ts";
import type { Item, Table } from "../../ports/table.ts";
import { findDue } from "../../tables/find-due.ts";
import { listPartition } from "../../tables/list-partition.ts";
import { clearedType, clearedTypesQuery, parseClearedTypes } from "../../tables/site/cleared-types.ts";
import { removeRecord, type SeenRecord } from "../../tables/verification-state/remove-record.ts";

/** What removing records needs of the primary. */
export interface RemovingSite extends Pick<
  SiteBase,
  "clock" | "chance" | "telemetry" | "switches" | "functionTimeoutMs"
> {
  readonly verificationState: Pick<Table, "query" | "delete">;
  readonly siteTable: Pick<Table, "query" | "put">;
  /** How many records of a type there are, by the site's counters. */
  readonly recordsCounted: (replicableName: string) => Promise<number>;
}

interface Found {
  readonly key: string;
  readonly seen: SeenRecord;
}

const foundDue = (partition: string, { sk: key, due_at: dueAt }: Item): readonly Found[] =>
  typeof key === "string" && typeof dueAt === "number" ? [{ key, seen: { partition, dueAt } }] : [];

/** One that stands in the index is found there when it is its time: until then somebody may be at it, or it is a tombstone. */
const foundSettled = ({ sk: key, rev, due_pk: place }: Item): readonly Found[] =>
  typeof key === "string" && typeof rev === "number" && place === undefined ? [{ key, seen: { rev } }] : [];

/** What of a type stands in the due index, and is due. */
const dueRecordsOf = async (
  { verificationState, clock }: RemovingSite,
  name: string,
  most: number,
): Promise<readonly Found[]> => {
  const now = clock.now();
  const pages = await Promise.all(
    [...verifiedPartitions(name), ...duePartitions(name)].map(async (partition) => {
      const page = await verificationState.query(findDue(partition, 0, now, most));
      return page.items.flatMap((item) => foundDue(partition, item));
    }),
  );
  return pages.flat().slice(0, most);
};

/**
 * Settled records of a type, from partitions of its own. It begins anywhere: where one pass has removed everything the next
 * would only go through what is empty.
 */
const settledRecordsOf = async (
  { verificationState, chance, recordsCounted }: RemovingSite,
  name: string,
  most: number,
): Promise<readonly Found[]> => {
  if ((await recordsCounted(name)) <= 0) return [];
  const found: Found[] = [];
  const first = Math.floor(chance.random() * ROW_PARTITIONS);
  for (let done = 0; done < ROW_PARTITIONS && found.length < most; done += KEYS_IN_FLIGHT) {
    const pages = await Promise.all(
      Array.from({ length: KEYS_IN_FLIGHT }, (_, next) =>
        verificationState.query(listPartition(name, (first + done + next) % ROW_PARTITIONS, most)),
      ),
    );
    found.push(...pages.flatMap(({ items }) => items.flatMap(foundSettled)));
  }
  return found.slice(0, most);
};

/** Some records of a type; none when there are none but those that somebody may be at. */
const recordsOf = async (site: RemovingSite, name: string, most: number): Promise<readonly Found[]> => {
  const due = await dueRecordsOf(site, name, most);
  return due.length > 0 ? due : settledRecordsOf(site, name, most);
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
      ({ key, seen }) => verificationState.delete(removeRecord({ replicableName: name, key }, seen)),
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
