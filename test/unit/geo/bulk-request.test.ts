import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BULK_ID, BULK_KEYS_MAX, bulkIdOf, parseBulkRequest } from "../../../shared/geo/bulk-request.ts";

const TYPES = ["lfs_object", "upload"];
const atSecondary = { role: "secondary", replicableNames: TYPES } as const;
const atPrimary = { role: "primary", replicableNames: TYPES } as const;

const problemsOf = (input: unknown, place: Parameters<typeof parseBulkRequest>[1] = atSecondary): readonly string[] => {
  const parsed = parseBulkRequest(input, place);
  return "problems" in parsed ? parsed.problems : [];
};

describe("a bulk request", () => {
  test("means every type and every row, unless it says otherwise", () => {
    expect(parseBulkRequest({ action: "resync" }, atSecondary)).toEqual({
      request: { selection: { action: "resync", replicableNames: TYPES }, force: false },
    });
  });

  test("may name a type, keys of it, states, and why rows failed (F77)", () => {
    expect(
      parseBulkRequest(
        { action: "resync", replicable_name: "upload", keys: ["b", "a", "b"], force: true },
        atSecondary,
      ),
    ).toEqual({
      request: { selection: { action: "resync", replicableNames: ["upload"], keys: ["b", "a"] }, force: true },
    });
    expect(
      parseBulkRequest({ action: "retry_now", replication_state: "failed", failure: "forbidden" }, atSecondary),
    ).toMatchObject({ request: { selection: { replicationState: "failed", failure: "forbidden" } } });
    expect(
      parseBulkRequest(
        { action: "reverify", replication_state: "synced", verification_state: "failed", force: false },
        atSecondary,
      ),
    ).toMatchObject({ request: { selection: { replicationState: "synced", verificationState: "failed" } } });
    expect(parseBulkRequest({ action: "checksum", verification_state: "succeeded" }, atPrimary)).toMatchObject({
      request: { selection: { action: "checksum", verificationState: "succeeded" } },
    });
  });

  test.each([
    [undefined, 'body: expected an object such as {"action": "resync"}, got nothing'],
    [null, 'body: expected an object such as {"action": "resync"}, got null'],
    [[], 'body: expected an object such as {"action": "resync"}, got []'],
    ["resync", 'body: expected an object such as {"action": "resync"}, got "resync"'],
    [{}, "action: expected one of resync, reconcile, reverify, retry_now at a secondary, got nothing"],
    [{ action: "checksum" }, 'action: expected one of resync, reconcile, reverify, retry_now, got "checksum"'],
    [{ action: 7 }, "action: expected one of resync, reconcile, reverify, retry_now, got 7"],
    [
      { action: "resync", state: "failed" },
      "there is nothing called state; expected action, replicable_name, keys, replication_state, verification_state, failure, force",
    ],
    [{ action: "resync", replicable_name: "lfs" }, 'replicable_name: expected one of lfs_object, upload, got "lfs"'],
    [
      { action: "resync", replication_state: "broken" },
      'replication_state: expected one of pending, started, synced, failed, got "broken"',
    ],
    [
      { action: "resync", replication_state: "absent" },
      'replication_state: expected one of pending, started, synced, failed, got "absent"',
    ],
    [
      { action: "reverify", verification_state: "synced" },
      'verification_state: expected one of pending, started, succeeded, failed, disabled, got "synced"',
    ],
    [
      { action: "retry_now", failure: "bad luck" },
      'failure: expected one of archived, checksum_mismatch, customer_key, forbidden, kms, missing_on_primary, owner_missing, rejected, removal_guard, sync_timeout, throttled, too_large, unavailable, unknown_outcome, unsettled, got "bad luck"',
    ],
    [{ action: "resync", force: "yes" }, 'force: expected true or false, got "yes"'],
    [{ action: "resync", keys: "a" }, 'keys: expected a list of S3 keys, got "a"'],
    [{ action: "resync", keys: [] }, "keys: expected 1 key or more, got an empty list; leave it out for all rows"],
    [
      { action: "resync", replicable_name: "upload", keys: Array.from({ length: 101 }, (_, n) => `uploads/${n}`) },
      "keys: expected at most 100, got 101; choose by type and state instead",
    ],
    [
      { action: "resync", replicable_name: "upload", keys: [7, ""] },
      'keys: expected a text, got 7; "" is no key: it is empty, expected 1 to 1,024 bytes',
    ],
    [
      { action: "resync", keys: ["a"] },
      "keys: expected replicable_name beside them: a key is looked up among the rows of one type",
    ],
    [
      { action: "resync", failure: "forbidden" },
      "failure: expected with the action retry_now at a secondary only, got the action resync",
    ],
    [{ action: "resync", replication_state: "pending" }, "replication_state: a row that is pending is copied anyway"],
    [
      { action: "reverify", replication_state: "failed" },
      'replication_state: only synced rows are verified, got "failed"',
    ],
    [
      { action: "reverify", verification_state: "pending" },
      "verification_state: a row that is pending is verified anyway",
    ],
    [
      { action: "resync", replication_state: "failed", verification_state: "failed" },
      'verification_state: only a synced row has one that counts, and replication_state is "failed"',
    ],
    [
      { action: "retry_now", replication_state: "started" },
      'replication_state: only failed rows wait for another try, got "started"',
    ],
    [
      { action: "retry_now", verification_state: "succeeded" },
      'verification_state: only failed rows wait for another try, got "succeeded"',
    ],
  ])("that can not be meant is refused with what was expected and what came: %j", (input, problem) => {
    expect(problemsOf(input)).toContain(problem);
  });

  test.each([
    [undefined, 'body: expected an object such as {"action": "checksum"}, got nothing'],
    [{ action: "resync" }, 'action: expected one of checksum, retry_now, got "resync"'],
    [
      { action: "checksum", replication_state: "synced" },
      "replication_state: a primary copies nothing, so its rows have none",
    ],
    [
      { action: "retry_now", failure: "forbidden" },
      "failure: expected with the action retry_now at a secondary only, got the action retry_now",
    ],
    [
      { action: "checksum", verification_state: "pending" },
      "verification_state: a row that is pending is verified anyway",
    ],
  ])("is another one at a primary: %j", (input, problem) => {
    expect(problemsOf(input, atPrimary)).toContain(problem);
  });

  test("names a row's failure only of a row that failed", () => {
    expect(problemsOf({ action: "retry_now", failure: "kms", replication_state: "synced" })).toContain(
      "failure: a row that is synced has none",
    );
  });

  test("names everything that is wrong with it together, and shows no more of it than is needed", () => {
    const problems = problemsOf({ action: "resync", replicable_name: "x".repeat(1_000), keys: [], force: 1 });
    expect(problems).toHaveLength(3);
    expect(Math.max(...problems.map(({ length }) => length))).toBeLessThan(250);
    const keys = Array.from({ length: BULK_KEYS_MAX }, () => "");
    expect(problemsOf({ action: "resync", replicable_name: "upload", keys })[0]?.split(";")).toHaveLength(5);
  });
});

describe("the id of a bulk request", () => {
  const selection = { action: "resync", replicableNames: TYPES } as const;

  test("is the same for the same request, in whatever order it names things, and fits into a path", () => {
    const keys = ["a", "b"];
    expect(bulkIdOf({ ...selection, keys })).toBe(
      bulkIdOf({ ...selection, keys: keys.toReversed(), replicableNames: TYPES.toReversed() }),
    );
    expect(bulkIdOf(selection)).toMatch(BULK_ID);
  });

  test("differs as soon as anything else is asked for", () => {
    const others = [
      selection,
      { ...selection, action: "reverify" },
      { ...selection, replicableNames: ["upload"] },
      { ...selection, replicableNames: ["upload"], keys: ["a"] },
      { ...selection, replicableNames: ["upload"], keys: ["a", "b"] },
      { ...selection, replicationState: "failed" },
      { ...selection, verificationState: "failed" },
      { ...selection, action: "retry_now", failure: "forbidden" },
      { ...selection, action: "retry_now" },
    ] as const;
    expect(new Set(others.map(bulkIdOf)).size).toBe(others.length);
  });

  test("does not confuse keys that look alike when they are joined", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 2 }), (keys) => {
        const [first = "", second = "", ...rest] = keys;
        expect(bulkIdOf({ ...selection, keys })).not.toBe(bulkIdOf({ ...selection, keys: [first + second, ...rest] }));
      }),
    );
  });
});
