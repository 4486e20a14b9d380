import { describe, expect, test } from "vitest";
import { changesThatCount, nextSlice } from "../../../shared/geo/counter-slices.ts";
import { outcomesOf } from "../../../shared/geo/row-outcomes.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { readTotals } from "../../../shared/services/read-totals.ts";
import { replicables } from "../../../shared/replicables/index.ts";

const [PENDING, SYNCED, FAILED, ABSENT] = [0, 2, 3, 5];
const row = (columns: Readonly<Record<string, unknown>>) => ({ pk: "cool_widget#0aa", sk: "key", ...columns });

describe("what a change shows to have become of a row", () => {
  const pending = { state: PENDING, verification_state: 0 };
  const synced = { state: SYNCED, verification_state: 0, rep_version_id: "r1" };
  const verified = { ...synced, verification_state: 2, verified_at: 7 };
  const failed = { state: FAILED, verification_state: 0, retry_count: 1 };
  const differing = { state: FAILED, verification_state: 3, verification_retry_count: 1, retry_count: 0 };

  test.each([
    ["a first look that ends with a verified copy", undefined, verified, ["synced", "verified"]],
    ["a copy that is to be verified", pending, synced, ["synced"]],
    ["its verification", synced, verified, ["verified"]],
    ["another version that is copied in one step", verified, { ...verified, rep_version_id: "r2" }, ["synced"]],
    ["a replica that is read again", verified, { ...verified, verified_at: 8 }, ["verified"]],
    ["a failure", pending, failed, ["failed"]],
    ["another failure", failed, { ...failed, retry_count: 2 }, ["failed"]],
    ["a difference", verified, differing, ["failed", "verification_failed"]],
    ["a removal", verified, { state: ABSENT }, ["removed"]],
    ["a checksum of the primary", { verification_state: 0 }, { verification_state: 2, verified_at: 1 }, ["verified"]],
    ["a hint", verified, { ...verified, gen: 2 }, []],
    ["a purge", { state: ABSENT }, undefined, []],
  ])("%s", (_what, before, after, outcomes) => {
    expect(outcomesOf(before, after)).toEqual(outcomes);
  });
});

test("outcomes are counted once, however often a stream delivers them, and a row that is nobody's counts as none", async () => {
  const siteTable = new MemoryTable({ name: "site" });
  const changes = [
    { sequenceNumber: "1", after: row({ state: PENDING }) },
    { sequenceNumber: "2", before: row({ state: PENDING }), after: row({ state: FAILED, retry_count: 1 }) },
    {
      sequenceNumber: "3",
      before: row({ state: FAILED, retry_count: 1 }),
      after: row({ state: FAILED, retry_count: 2 }),
    },
    { sequenceNumber: "4", before: row({ state: FAILED, retry_count: 2 }), after: row({ state: SYNCED }) },
    { sequenceNumber: "5", after: { pk: "of no type", sk: "key", state: SYNCED } },
  ];
  for (const delivered of [changes.slice(0, 3), changes, changes.slice(1)]) {
    await countChanges(siteTable, { table: "registry", shard: "shard-1", changes: delivered });
  }
  const site = { name: "frankfurt", role: "secondary", region: "eu-central-1" } as const;
  const totals = await readTotals({ site, replicables, siteTable });
  expect(totals.get("cool_widget")?.outcomes).toEqual({
    synced: 1,
    failed: 2,
    verified: 0,
    verification_failed: 0,
    removed: 0,
  });
  expect(Object.values(totals.get("lfs_object")?.outcomes ?? {})).toEqual([0, 0, 0, 0, 0]);
});

test("a failure that changes no count of rows is a change that counts", () => {
  const again = {
    sequenceNumber: "3",
    before: row({ state: FAILED, retry_count: 1, waiting_since: 1 }),
    after: row({ state: FAILED, retry_count: 2, waiting_since: 1 }),
  };
  expect(changesThatCount([again])).toEqual([again]);
  expect([...(nextSlice([again], { mark: undefined })?.additions ?? [])]).toEqual([["o#1", 1]]);
});
