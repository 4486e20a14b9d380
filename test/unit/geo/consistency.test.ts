import { describe, expect, test } from "vitest";
import {
  addFindings,
  type Finding,
  judge,
  judgeRecord,
  type Listed,
  NO_FINDINGS,
} from "../../../shared/geo/consistency.ts";
import { parseRegistryRow, parseVerificationStateRow, type RegistryRow } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../../shared/geo/replication-state.ts";

const listed = (changes: Partial<Listed> = {}): Listed => ({ etag: '"e1"', size: 7, lastModified: 60_000, ...changes });

/** A settled row of what `listed()` is; `columns` change it. */
const row = (
  columns: Readonly<Record<string, string | number>> = {},
  state: ReplicationState = "synced",
): RegistryRow =>
  parseRegistryRow({
    pk: "cool_widget#000",
    sk: "key",
    state: REPLICATION_STATE[state],
    src_etag: '"e1"',
    src_size: 7,
    src_last_modified: 60_000,
    ...columns,
  });

const without = (present: RegistryRow, column: keyof RegistryRow): RegistryRow => ({ ...present, [column]: undefined });

const SOURCE = listed();
const REPLICA = listed({ etag: '"another, as multipart copies have"', lastModified: 61_000 });

describe("what two listings and a row say of a key", () => {
  test.each<[string, Listed | undefined, Listed | undefined, RegistryRow | undefined, Finding]>([
    ["both sides and the row agree", SOURCE, REPLICA, row(), "equal"],
    ["the primary alone has it", SOURCE, undefined, undefined, "missing"],
    ["there is no record", SOURCE, REPLICA, undefined, "missing"],
    ["the record says that there is nothing", SOURCE, REPLICA, row({}, "absent"), "missing"],
    ["the replica is gone", SOURCE, undefined, row(), "missing"],
    ["the primary was overwritten with as many bytes", listed({ etag: '"e2"' }), REPLICA, row(), "stale"],
    ["the record is of another size", SOURCE, REPLICA, row({ src_size: 8 }), "stale"],
    ["the primary was copied onto itself", listed({ lastModified: 61_000 }), REPLICA, row(), "stale"],
    ["an older version of the primary came back", listed({ lastModified: 59_000 }), REPLICA, row(), "stale"],
    ["a listing tells the time more finely than a HEAD", listed({ lastModified: 60_999 }), REPLICA, row(), "equal"],
    ["the record says nothing of the time", SOURCE, REPLICA, without(row(), "src_last_modified"), "stale"],
    ["the replica is of another size", SOURCE, listed({ size: 8 }), row(), "stale"],
    ["the replica is the one that the row names", SOURCE, REPLICA, row({ rep_etag: REPLICA.etag }), "equal"],
    ["the replica was overwritten with as many bytes", SOURCE, REPLICA, row({ rep_etag: '"ours"' }), "stale"],
    ["the row's replica is of another size", SOURCE, listed({ size: 8 }), row({ rep_etag: '"e1"' }), "stale"],
    ["only the replica has it", undefined, REPLICA, row(), "orphan"],
    ["only the replica has it, and there is no record", undefined, REPLICA, undefined, "orphan"],
    ["the row is due", SOURCE, undefined, row({ due_at: 5 }), "under_way"],
    ["somebody holds the row", undefined, REPLICA, row({ attempt_token: "worker" }), "held"],
  ])("%s", (_, source, replica, present, finding) => {
    expect(judge({ key: "key", source, replica }, present)).toBe(finding);
  });
});

/** A record of the primary of what `listed()` is. */
const record = (columns: Readonly<Record<string, string | number>>) =>
  parseVerificationStateRow({
    pk: "cool_widget#000",
    sk: "key",
    src_etag: '"e1"',
    src_size: 7,
    src_last_modified: 60_000,
    due_at: 1,
    due_pk: "verified#cool_widget#0",
    ...columns,
  });

describe("what the primary's listing and its record say of a key", () => {
  test.each<[string, ReturnType<typeof record> | undefined, Finding]>([
    ["a settled record of what is there", record({ verification_state: 2 }), "equal"],
    ["a settled record of something else", record({ verification_state: 2, src_etag: '"e0"' }), "stale"],
    ["no record", undefined, "missing"],
    ["a tombstone", record({ verification_state: 4, state: REPLICATION_STATE.absent }), "missing"],
    ["a record that waits", record({ verification_state: 0 }), "under_way"],
    ["a record that somebody works on", record({ verification_state: 1, src_etag: '"e0"' }), "under_way"],
    ["a record that failed", record({ verification_state: 3 }), "under_way"],
  ])("%s", (_, present, finding) => {
    expect(judgeRecord(SOURCE, present)).toBe(finding);
  });
});

test("findings of several walks add up, each kind by itself", () => {
  const a = { listed: 1, missing: 2, stale: 3, orphan: 4, outOfScope: 5, enqueued: 6 };
  const b = { listed: 10, missing: 20, stale: 30, orphan: 40, outOfScope: 50, enqueued: 60 };
  const sum = { listed: 11, missing: 22, stale: 33, orphan: 44, outOfScope: 55, enqueued: 66 };
  expect(addFindings(a, b)).toEqual(sum);
  expect(addFindings(NO_FINDINGS, a)).toEqual(a);
});
