import type { DestroyAnswer, DestroyProgressAnswer } from "../../geo/destroy-answer.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Table } from "../../ports/table.ts";
import { knownSecondaries, listSecondaries } from "../../tables/site/known-secondary.ts";
import { type DestroyRecord, parseDestroy } from "../../tables/site/destroy-record.ts";
import { sumSlices } from "./sum-slices.ts";
import { eachSlice } from "./stored-destroy.ts";

/** Destroys that one answer tells of: the newest. */
const LISTED_MAX = 100;

/** Records on one page: one with a thousand long keys fills a quarter of DynamoDB's page. */
const RECORDS_PER_PAGE = 100;

const isoOrNull = (time: number | undefined): string | null =>
  time === undefined ? null : new Date(time).toISOString();

/** What the API tells of a destroy's record. */
export const destroyAnswer = (record: DestroyRecord): DestroyAnswer => {
  const { destroy_parent: parent } = record;
  return {
    id: record.id,
    state: record.destroy_state,
    replicable_names: record.replicable_names,
    parent: parent.kind === "keys" ? { kind: "keys", count: parent.keys.length } : parent,
    requested_at: new Date(record.requested_at).toISOString(),
    requested_by: record.requested_by ?? null,
    confirmed_at: isoOrNull(record.confirmed_at),
    confirmed_by: record.confirmed_by ?? null,
    ended_at: isoOrNull(record.ended_at),
    expires_at: record.destroy_state === "planned" ? isoOrNull(record.expires_at) : null,
    object_count: record.object_count,
    byte_count: record.byte_count,
    counts_by_type: record.type_counts,
    left_out_count: record.left_out_count,
    sample_keys: record.sample_keys,
    problem: record.problem ?? null,
  };
};

/** The destroy with what its slices come to. */
export const destroyProgress = async (
  siteTable: Pick<Table, "query">,
  record: DestroyRecord,
  now: number,
): Promise<DestroyProgressAnswer> => {
  const sums = await sumSlices(eachSlice(siteTable, record.id));
  const { items } = await siteTable.query(listSecondaries);
  return {
    ...destroyAnswer(record),
    slices_count: record.slice_count,
    slices_done_count: sums.slicesTold,
    destroyed_count: sums.hidden,
    destroyed_bytes: sums.hiddenBytes,
    kept_count: sums.kept,
    gone_count: sums.gone,
    failed_count: sums.failed,
    events_count: sums.events,
    restored_count: sums.restored,
    not_restored_count: sums.notRestored,
    // Once an undo has ended, what it has not been through is as little back as what it failed to bring back.
    restore_failed_count: sums.undoFailed + (record.destroy_state === "undone" ? sums.notUndone : 0),
    secondaries: Object.fromEntries(
      knownSecondaries(items, now).map(({ name }) => [name, { slices_followed_count: sums.followed.get(name) ?? 0 }]),
    ),
  };
};

/** The newest destroys, the newest first. */
export const listDestroys = async (siteTable: Pick<Table, "query">): Promise<readonly DestroyAnswer[]> => {
  const records: DestroyRecord[] = [];
  for (let startAfter: Awaited<ReturnType<Table["query"]>>["next"]; ;) {
    const page = await siteTable.query({
      condition: "pk = :pk",
      values: { ":pk": SITE_TABLE_PARTITIONS.destroy },
      limit: RECORDS_PER_PAGE,
      ...(startAfter === undefined ? {} : { startAfter }),
    });
    records.push(...page.items.map((item) => parseDestroy(item).record));
    startAfter = page.next;
    if (startAfter === undefined) break;
  }
  return records
    .sort((one, other) => other.requested_at - one.requested_at)
    .slice(0, LISTED_MAX)
    .map(destroyAnswer);
};
