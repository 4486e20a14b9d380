import { describe, expect, test } from "vitest";
import type { BulkSelection } from "../../../shared/geo/bulk-request.ts";
import { isServed, judgeRegistryRow, judgeStateRow, sourceOf } from "../../../shared/geo/bulk-selection.ts";
import { failureKindOf, failureKinds } from "../../../shared/geo/failure-kind.ts";
import { FAILURE_TEXTS, recordFailure, recordTimeout } from "../../../shared/geo/failure-policy.ts";
import { ALL_ON } from "../../../shared/geo/feature-flags.ts";
import { parseRegistryRow, parseVerificationStateRow } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE, type ReplicationState } from "../../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE, type VerificationState } from "../../../shared/geo/verification-state.ts";

const ASKED_AT = 1_000_000;
/** A second is how far the clocks of two functions may be apart. */
const BEFORE = ASKED_AT + 1_000;
const SINCE = BEFORE + 1;

const select = (action: BulkSelection["action"], rest: Partial<BulkSelection> = {}): BulkSelection => ({
  action,
  replicableNames: ["lfs_object"],
  ...rest,
});

const row = (state: ReplicationState, verification: VerificationState, rest: object = {}) =>
  parseRegistryRow({
    pk: "lfs_object#000",
    sk: "lfs/a",
    state: REPLICATION_STATE[state],
    verification_state: VERIFICATION_STATE[verification],
    ...rest,
  });

const record = (verification: VerificationState, rest: object = {}) =>
  parseVerificationStateRow({
    pk: "lfs_object#000",
    sk: "lfs/a",
    verification_state: VERIFICATION_STATE[verification],
    ...rest,
  });

const judge = (selection: BulkSelection, ...of: Parameters<typeof row>): string => {
  const judgement = judgeRegistryRow(selection, row(...of), ASKED_AT);
  return "ask" in judgement ? judgement.ask : judgement.skip;
};

const judgeRecord = (selection: BulkSelection, ...of: Parameters<typeof record>): string => {
  const judgement = judgeStateRow(selection, record(...of), ASKED_AT);
  return "ask" in judgement ? judgement.ask : judgement.skip;
};

describe("where rows are found", () => {
  test.each([
    [select("resync", { keys: ["a"], replicationState: "failed" }), "keys"],
    [select("retry_now"), "due"],
    [select("resync", { replicationState: "failed" }), "due"],
    [select("resync", { replicationState: "started" }), "due"],
    [select("reverify", { verificationState: "failed" }), "due"],
    [select("resync"), "partitions"],
    [select("reverify", { verificationState: "disabled" }), "partitions"],
    [select("checksum", { verificationState: "succeeded" }), "partitions"],
  ] as const)("%j: %s", (selection, source) => {
    expect(sourceOf(selection)).toBe(source);
  });
});

test("what is asked for is done about types of which that is switched on (F84, F85, F87)", () => {
  const off = { replication: false, primaryChecksumming: false, verification: false };
  expect(isServed("secondary", select("resync"), { ...off, replication: true })).toBe(true);
  expect(isServed("secondary", select("retry_now"), { ...ALL_ON, replication: false })).toBe(false);
  expect(isServed("secondary", select("reverify"), { ...off, verification: true })).toBe(true);
  expect(isServed("secondary", select("reverify"), { ...ALL_ON, verification: false })).toBe(false);
  expect(isServed("primary", select("checksum"), { ...off, primaryChecksumming: true })).toBe(true);
  expect(isServed("primary", select("retry_now"), { ...ALL_ON, primaryChecksumming: false })).toBe(false);
});

describe("a resync", () => {
  test("asks for a fresh copy of all rows but those that wait for one (F77, F18)", () => {
    for (const state of ["synced", "failed", "started"] as const)
      expect(judge(select("resync"), state, "pending")).toBe("resync");
    expect(judge(select("resync"), "pending", "pending")).toBe("already");
    expect(judge(select("resync"), "synced", "succeeded", { resync_requested: true })).toBe("already");
  });

  test("leaves tombstones alone", () => {
    expect(judge(select("resync"), "absent", "disabled")).toBe("not_selected");
  });

  test("of a state asks nothing of the others", () => {
    const failed = select("resync", { replicationState: "failed" });
    expect(judge(failed, "failed", "pending")).toBe("resync");
    expect(judge(failed, "synced", "pending")).toBe("not_selected");
    const unverified = select("resync", { verificationState: "failed" });
    expect(judge(unverified, "synced", "failed")).toBe("resync");
    expect(judge(unverified, "synced", "succeeded")).toBe("not_selected");
    // What a row that is not synced says of its verification is of a replica that is to be replaced.
    expect(judge(unverified, "failed", "failed")).toBe("not_selected");
  });
});

test("a reconciliation asks all rows to be looked at but those that wait for their copy, and no tombstone", () => {
  for (const state of ["synced", "failed", "started"] as const) {
    expect(judge(select("reconcile"), state, "succeeded")).toBe("look");
  }
  expect(judge(select("reconcile"), "pending", "pending")).toBe("already");
  expect(judge(select("reconcile"), "absent", "disabled")).toBe("not_selected");
});

describe("a reverify", () => {
  const reverify = select("reverify");

  test("asks for synced rows only, and not for those that wait for it (F77)", () => {
    for (const state of ["pending", "started", "failed"] as const) {
      expect(judge(reverify, state, "succeeded")).toBe("not_selected");
    }
    expect(judge(reverify, "synced", "pending")).toBe("already");
    for (const verification of ["started", "succeeded", "failed", "disabled"] as const) {
      expect(judge(reverify, "synced", verification)).toBe("verify_again");
    }
  });

  test("does not ask again for what was verified, or begun to be, since it was made", () => {
    expect(judge(reverify, "synced", "succeeded", { verified_at: SINCE })).toBe("already");
    expect(judge(reverify, "synced", "succeeded", { verified_at: BEFORE })).toBe("verify_again");
    expect(judge(reverify, "synced", "started", { verification_started_at: SINCE })).toBe("already");
    expect(judge(reverify, "synced", "started", { verification_started_at: BEFORE })).toBe("verify_again");
    // A failure since then says nothing good of the replica.
    expect(judge(reverify, "synced", "failed", { verified_at: SINCE })).toBe("verify_again");
  });
});

describe("a retry", () => {
  const retry = select("retry_now");

  test("asks failed rows to be looked at, and failed verifications to be made", () => {
    expect(judge(retry, "failed", "pending")).toBe("look");
    expect(judge(retry, "synced", "failed")).toBe("verify");
    expect(judge(retry, "synced", "succeeded")).toBe("not_selected");
    expect(judge(retry, "pending", "failed")).toBe("not_selected");
    expect(judge(retry, "started", "failed")).toBe("not_selected");
  });

  test("does not ask again for what was tried since it was made, however that ended", () => {
    expect(judge(retry, "failed", "pending", { attempt_started_at: SINCE })).toBe("already");
    expect(judge(retry, "failed", "pending", { attempt_started_at: BEFORE })).toBe("look");
    expect(judge(retry, "synced", "failed", { verified_at: SINCE })).toBe("already");
    expect(judge(retry, "synced", "failed", { verified_at: BEFORE })).toBe("verify");
  });

  test("of one reason asks nothing of rows that failed for another", () => {
    const forbidden = select("retry_now", { failure: "forbidden" });
    const text = `${FAILURE_TEXTS.forbidden}: s3:GetObject`;
    expect(judge(forbidden, "failed", "pending", { last_sync_failure: text })).toBe("look");
    expect(judge(forbidden, "failed", "pending", { last_sync_failure: FAILURE_TEXTS.kms })).toBe("not_selected");
    expect(judge(forbidden, "failed", "pending")).toBe("not_selected");
    expect(judge(forbidden, "synced", "failed")).toBe("not_selected");
  });
});

test("a secondary's rows have no checksums of their own to be computed", () => {
  expect(judge(select("checksum"), "synced", "succeeded")).toBe("not_selected");
});

describe("at the primary", () => {
  const checksum = select("checksum");

  test("settled records are to be read again, and what failed or is off is looked at (F77)", () => {
    expect(judgeRecord(checksum, "succeeded")).toBe("checksum");
    expect(judgeRecord(checksum, "failed")).toBe("due");
    expect(judgeRecord(checksum, "disabled")).toBe("due");
  });

  test("what waits, is being read, or was read since the request was made is not asked for", () => {
    expect(judgeRecord(checksum, "pending")).toBe("already");
    expect(judgeRecord(checksum, "started")).toBe("already");
    expect(judgeRecord(checksum, "succeeded", { verified_at: SINCE })).toBe("already");
    expect(judgeRecord(checksum, "succeeded", { verified_at: BEFORE })).toBe("checksum");
  });

  test("tombstones and other states are left alone", () => {
    expect(judgeRecord(checksum, "succeeded", { state: REPLICATION_STATE.absent })).toBe("not_selected");
    expect(judgeRecord(select("checksum", { verificationState: "failed" }), "succeeded")).toBe("not_selected");
    expect(judgeRecord(select("checksum", { verificationState: "failed" }), "failed")).toBe("due");
  });

  test("a retry is of what failed, and was not tried since", () => {
    expect(judgeRecord(select("retry_now"), "failed", { verified_at: BEFORE })).toBe("due");
    expect(judgeRecord(select("retry_now"), "failed", { verified_at: SINCE })).toBe("already");
    expect(judgeRecord(select("retry_now"), "succeeded")).toBe("not_selected");
  });
});

describe("why a row failed", () => {
  test("is known again by what an attempt writes down, whatever the details", () => {
    for (const kind of Object.keys(FAILURE_TEXTS) as (keyof typeof FAILURE_TEXTS)[]) {
      for (const detail of ["", "some detail"]) {
        const { text } = recordFailure(kind, detail, 3, 0, () => 0);
        expect(failureKindOf({ last_sync_failure: text })).toBe(kind);
      }
    }
    expect(failureKindOf({ last_sync_failure: recordTimeout(60, 0, () => 0).text })).toBe("sync_timeout");
    expect(failureKindOf({ last_sync_failure: "Verification failed with: expected a, got b" })).toBe(
      "checksum_mismatch",
    );
  });

  test("is not known of a row that says nothing, or something else", () => {
    expect(failureKindOf({ last_sync_failure: undefined })).toBeUndefined();
    expect(failureKindOf({ last_sync_failure: "It was a dark and stormy night" })).toBeUndefined();
  });

  test("has a name that is taken once, and words with which no other's begin", () => {
    const texts = Object.values(FAILURE_TEXTS);
    for (const text of texts) expect(texts.filter((other) => other.startsWith(text))).toEqual([text]);
    expect(failureKinds).toEqual([...new Set(failureKinds)].toSorted());
  });
});
