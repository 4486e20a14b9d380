import pMap from "p-map";
import { KEYS_IN_FLIGHT, leaseMs, RECORDS_PER_PAGE } from "../../geo/limits.ts";
import { isRoundDue, listedBefore, type RecordRound } from "../../geo/record-round.ts";
import { ROW_PARTITIONS } from "../../geo/registry-row.ts";
import type { Replicable } from "../../geo/replicable.ts";
import type { SiteSettings } from "../../geo/site-settings.ts";
import { VERIFICATION_STATE } from "../../geo/verification-state.ts";
import type { LateReader, SiteBase } from "../../ports/site.ts";
import type { Item, Table } from "../../ports/table.ts";
import { listPartition } from "../../tables/list-partition.ts";
import { parseRounds, roundsQuery, saveRound, takeRound } from "../../tables/site/record-round-item.ts";
import { listForReverification } from "../../tables/verification-state/re-verify.ts";

/** What listing needs of the primary. */
export interface ListingSite extends Pick<SiteBase, "clock" | "switches" | "functionTimeoutMs"> {
  readonly verificationState: Pick<Table, "query" | "update">;
  readonly siteTable: Pick<Table, "query" | "put" | "update">;
  readonly settings: LateReader<SiteSettings>;
}

interface Near {
  readonly key: string;
  readonly rev: number;
  readonly verified_at: number;
}

/** A settled record whose time is near, and which is not listed yet. */
const near = (item: Item, before: number): readonly Near[] => {
  const { sk: key, rev, due_pk: place, verification_state: state, verified_at: verifiedAt = 0 } = item;
  const isOpen = typeof key === "string" && typeof rev === "number" && place === undefined;
  if (!isOpen || state !== VERIFICATION_STATE.succeeded || typeof verifiedAt !== "number") return [];
  return verifiedAt <= before ? [{ key, rev, verified_at: verifiedAt }] : [];
};

const listPartitionOf = async (
  { verificationState }: ListingSite,
  replicableName: string,
  partition: number,
  before: number,
): Promise<number> => {
  let listed = 0;
  let startAfter: Item | undefined;
  do {
    const page = await verificationState.query(listPartition(replicableName, partition, RECORDS_PER_PAGE, startAfter));
    // One that was written since has been looked at since; it has its turn in another round.
    for (const { key, ...record } of page.items.flatMap((item) => near(item, before))) {
      const written = await verificationState.update(listForReverification({ replicableName, key }, record));
      if (written.outcome === "written") listed += 1;
    }
    startAfter = page.next;
  } while (startAfter !== undefined);
  return listed;
};

/** Goes on with the round of one type, and remembers how far it came. */
const goRound = async (
  site: ListingSite,
  replicableName: string,
  round: RecordRound,
  before: number,
  stopAt: number,
): Promise<number> => {
  let listed = 0;
  for (let partition = round.partition ?? 0; partition < ROW_PARTITIONS; partition += KEYS_IN_FLIGHT) {
    if (site.clock.now() >= stopAt) {
      await site.siteTable.put(saveRound(replicableName, { ...round, partition }));
      return listed;
    }
    const some = Array.from({ length: KEYS_IN_FLIGHT }, (_, next) => partition + next);
    const each = await pMap(some, (one) => listPartitionOf(site, replicableName, one, before));
    listed += each.reduce((sum, count) => sum + count, 0);
  }
  await site.siteTable.put(saveRound(replicableName, { partition: undefined, finishedAt: site.clock.now() }));
  return listed;
};

/**
 * F30. Lists the settled records whose objects will soon have to be read again, so that the oldest can be asked for. Goes
 * through the partitions of every type once a week and not through the bucket: a record whose object is gone without a word
 * has its time come as well. May die anywhere, or run twice.
 *
 * @param stopAt when to begin nothing more, milliseconds since the epoch
 * @returns how many records were listed
 * @throws TableUnavailableError when a table did not answer: the round goes on from where it was last remembered
 */
export const listOldRecords = async (
  site: ListingSite,
  replicables: readonly Replicable[],
  stopAt: number,
): Promise<number> => {
  const { clock, siteTable, switches } = site;
  const rounds = parseRounds((await siteTable.query(roundsQuery())).items);
  const { minimumReverificationInterval: days } = await site.settings.read();
  let listed = 0;
  for (const { name } of replicables) {
    const now = clock.now();
    if (now >= stopAt) break;
    if (!(await switches.of(name)).primaryChecksumming) continue;
    const round = rounds.get(name);
    // Nothing of a type that is seen for the first time has been verified long ago.
    if (round === undefined) await siteTable.put(saveRound(name, { partition: undefined, finishedAt: now }));
    if (round === undefined || !isRoundDue(round, days, now)) continue;
    const taken = await siteTable.update(takeRound(name, round, now, now + leaseMs(site.functionTimeoutMs)));
    if (taken.outcome === "refused") continue;
    listed += await goRound(site, name, round, listedBefore(days, now), stopAt);
  }
  return listed;
};
