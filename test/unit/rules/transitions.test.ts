import { describe, expect, test } from "vitest";
import { parseRegistryRow, type RegistryRow, rowKey } from "../../../shared/geo/registry-row.ts";
import {
  NEXT_REPLICATION_STATE,
  REPLICATION_STATE,
  type ReplicationChange,
  type ReplicationState,
} from "../../../shared/geo/replication-state.ts";
import {
  NEXT_VERIFICATION_STATE,
  VERIFICATION_STATE,
  type VerificationChange,
  type VerificationState,
} from "../../../shared/geo/verification-state.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import type { DeleteRequest, Item, UpdateRequest } from "../../../shared/ports/table.ts";
import { claimSeen } from "../../../shared/tables/registry/claim-seen.ts";
import { fail, failMismatched } from "../../../shared/tables/registry/fail.ts";
import { leavePending, nextPass, release } from "../../../shared/tables/registry/move-on.ts";
import { keepHint, keepVerification } from "../../../shared/tables/registry/keep.ts";
import { purge } from "../../../shared/tables/registry/purge.ts";
import { commitAbsent, commitSynced, type HeldAttempt } from "../../../shared/tables/registry/settle.ts";
import { taint } from "../../../shared/tables/registry/taint.ts";
import { takeOver } from "../../../shared/tables/registry/take-over.ts";
import { timeOut } from "../../../shared/tables/registry/time-out.ts";
import { touchAndClaim } from "../../../shared/tables/registry/touch-and-claim.ts";
import { touchDrifted } from "../../../shared/tables/registry/touch-drifted.ts";
import {
  awaitPrimaryChecksum,
  claimVerification,
  commitMismatched,
  commitVerified,
  excuseMismatch,
  failVerification,
  pauseVerification,
  timeOutVerification,
} from "../../../shared/tables/registry/verification.ts";

/** Every write of the registry, tried in every state: what the tables say is what the conditions do. */

const REF = { replicableName: "cool_widget", key: "cool_widgets/1/a" };
const NOW = 1_000_000;
const LATER = NOW + 60_000;
const [TOKEN, V_TOKEN, OTHER] = ["holder", "verifier", "somebody"];
const SOURCE = { versionId: "s1", etag: '"e"', size: 1, lastModified: 0, checksum: "sha256:00" };
const REPLICA = { versionId: "r1", etag: '"e"' };
const FAILURE = { text: "no", retryAt: LATER, retryCount: 1 };
const MISMATCH = {
  found: "sha256:01",
  expected: "sha256:00",
  verificationRetryCount: 1,
  retryAt: LATER,
  text: "differs",
};

/** The row of a state, as the protocol leaves it: held exactly while it is started. */
const itemIn = (
  state: ReplicationState,
  verification: VerificationState = "pending",
  leaseUntil: number = LATER,
): Item => ({
  ...rowKey(REF),
  state: REPLICATION_STATE[state],
  verification_state: VERIFICATION_STATE[verification],
  gen: 3,
  claimed_gen: 3,
  done_gen: state === "started" ? 2 : 3,
  rev: 7,
  src_version_id: SOURCE.versionId,
  rep_version_id: REPLICA.versionId,
  ...(state === "started" ? { attempt_token: TOKEN, lease_until: leaseUntil } : {}),
  ...(verification === "started" ? { v_token: V_TOKEN, v_lease: leaseUntil, verification_started_at: 1 } : {}),
});

const HELD: HeldAttempt = {
  ref: REF,
  token: TOKEN,
  claimedGen: 3,
  now: NOW,
  taintUntil: undefined,
  ownTaintUntil: undefined,
  uploadOver: false,
  provenVersion: undefined,
};

const verifying = (item: Item) => ({ ref: REF, token: V_TOKEN, now: NOW, row: parseRegistryRow(item) });

type Write = { readonly update: UpdateRequest } | { readonly delete: DeleteRequest };

/** What a write leaves of a row. */
const after = async (item: Item | undefined, write: Write): Promise<RegistryRow | "none" | "refused"> => {
  const table = new MemoryTable({ name: "registry" });
  if (item !== undefined) await table.put({ ...rowKey(REF), ...item });
  const result = "update" in write ? await table.update(write.update) : await table.delete(write.delete);
  if (result.outcome === "refused") return "refused";
  const left = await table.get(rowKey(REF));
  return left === undefined ? "none" : parseRegistryRow(left);
};

const claim = { ref: REF, token: OTHER, now: NOW, leaseUntil: LATER };

/** The writes that make each change; a takeover and a timeout are tried on a lease that is over. */
const WRITES: Record<ReplicationChange, readonly Write[]> = {
  start: [false, true].map((resync) => ({ update: touchAndClaim({ ...claim, revStart: 1, resync }) })),
  start_due: [{ update: claimSeen({ ...claim, seenGen: 3 }) }],
  take_over: [{ update: takeOver({ ...claim, oldToken: TOKEN, taintUntil: LATER, hints: 1, resync: false }) }],
  time_out: [{ update: timeOut({ ref: REF, oldToken: TOKEN, now: NOW, taintUntil: LATER, failure: FAILURE }) }],
  sync: [{ update: commitSynced(HELD, SOURCE, REPLICA, { verdict: "still_verified" }) }],
  settle_absent: [{ update: commitAbsent(HELD) }],
  release: [{ update: leavePending(HELD, undefined) }, { update: release(HELD) }],
  fail: [
    { update: fail(HELD, { ...FAILURE, blockedReason: undefined, missingOnPrimary: false }) },
    { update: failMismatched(HELD, SOURCE, REPLICA, MISMATCH) },
  ],
  mismatch: [{ update: commitMismatched(verifying(itemIn("synced", "started")), MISMATCH) }],
  excuse: [{ update: excuseMismatch(verifying(itemIn("synced", "started"))) }],
  note: [{ update: taint(REF, NOW, LATER, LATER, 1) }],
  drift: [{ update: touchDrifted(REF, NOW, 1) }],
  keep: [false, true].map((resync) => ({ update: keepHint({ ref: REF, now: NOW, revStart: 1, resync }) })),
  purge: [{ delete: purge(REF, 3) }],
};

const ON_A_LEASE_THAT_IS_OVER: ReadonlySet<string> = new Set(["take_over", "time_out"]);

const replicationCells = Object.entries(NEXT_REPLICATION_STATE).flatMap(([from, row]) =>
  Object.entries(row).map(([change, to]) => ({
    from: from as ReplicationState | "none",
    change: change as ReplicationChange,
    to,
  })),
);

describe("registry rows (F8, F10)", () => {
  test.each(replicationCells)("$change makes $to of $from", async ({ from, change, to }) => {
    const leaseUntil = ON_A_LEASE_THAT_IS_OVER.has(change) ? NOW - 1 : LATER;
    // A mismatch is found by a verifier, which only a settled row can have.
    const found = change === "mismatch" || change === "excuse";
    const item = from === "none" ? undefined : itemIn(from, found ? "started" : "pending", leaseUntil);
    for (const write of WRITES[change]) {
      const left = await after(item, write);
      expect(typeof left === "string" ? left : left.state).toBe(to);
    }
  });

  test("a lease that is alive is neither taken over nor timed out", async () => {
    for (const change of ["take_over", "time_out"] as const) {
      for (const write of WRITES[change]) expect(await after(itemIn("started"), write)).toBe("refused");
    }
  });

  test("after synced, the failure is forgotten; after pending, its text stays and the count begins anew (F11)", async () => {
    const failing = { ...itemIn("started"), last_sync_failure: "before", retry_count: 4, retry_at: 5 };
    for (const kept of WRITES.keep) {
      const resting = { ...itemIn("failed"), last_sync_failure: "before", retry_count: 4, retry_at: 5 };
      const afterKeeping = await after(resting, kept);
      expect(afterKeeping).toMatchObject({ state: "pending", retry_count: 0, last_sync_failure: "before" });
      expect(afterKeeping).not.toHaveProperty("retry_at");
    }
    const [synced] = WRITES.sync;
    const [left] = WRITES.release;
    if (synced === undefined || left === undefined) throw new Error("a change without a write");
    const afterSync = await after(failing, synced);
    expect(afterSync).toMatchObject({ state: "synced", retry_count: 0 });
    expect(afterSync).not.toHaveProperty("last_sync_failure");
    expect(afterSync).not.toHaveProperty("retry_at");
    const afterPending = await after(failing, left);
    expect(afterPending).toMatchObject({ state: "pending", retry_count: 0, last_sync_failure: "before" });
    expect(afterPending).not.toHaveProperty("retry_at");
  });
});

const verifications = (
  change: VerificationChange,
  from: VerificationState,
): { readonly item: Item; readonly writes: readonly Write[] } => {
  const settled = itemIn("synced", from);
  const over = itemIn("synced", from, NOW - 1);
  const held = itemIn("started", from);
  // The writes of a verifier name it: in a row that nobody verifies, it is one that has lost its claim.
  const verifier = verifying(settled);
  switch (change) {
    case "start":
      return { item: settled, writes: [{ update: claimVerification(REF, OTHER, NOW, LATER, "any") }] };
    case "take_over":
      return {
        item: over,
        // Of a row that nobody verifies there is nothing to take over: the claim is then a start.
        writes: from === "started" ? [{ update: claimVerification(REF, OTHER, NOW, LATER, "any") }] : [],
      };
    case "time_out":
      return { item: over, writes: [{ update: timeOutVerification(REF, parseRegistryRow(over), NOW, FAILURE) }] };
    case "keep":
      return { item: settled, writes: [{ update: keepVerification(REF, NOW) }] };
    case "succeed":
      return { item: settled, writes: [{ update: commitVerified(verifier, "sha256:00") }] };
    case "fail":
      return {
        item: settled,
        writes: [{ update: failVerification(verifier, FAILURE) }, { update: commitMismatched(verifier, MISMATCH) }],
      };
    case "disable":
      return { item: settled, writes: [{ update: awaitPrimaryChecksum(verifier, LATER) }] };
    case "put_back":
      return {
        item: settled,
        writes: [{ update: pauseVerification(verifier, undefined) }, { update: excuseMismatch(verifier) }],
      };
    case "settle_verified":
      return {
        item: held,
        writes: [{ update: commitSynced(HELD, SOURCE, REPLICA, { verdict: "verified", checksum: "sha256:00" }) }],
      };
    case "settle_pending":
      return {
        item: held,
        writes: [
          { update: commitSynced(HELD, SOURCE, REPLICA, { verdict: "to_verify", dueAt: LATER }) },
          { update: nextPass(HELD, { source: SOURCE, replica: REPLICA, namedBefore: false }, LATER) },
        ],
      };
    case "settle_disabled":
      return {
        item: held,
        writes: [
          { update: commitSynced(HELD, SOURCE, REPLICA, { verdict: "awaiting_primary", dueAt: LATER }) },
          { update: commitAbsent(HELD) },
        ],
      };
    case "settle_mismatched":
      return { item: held, writes: [{ update: failMismatched(HELD, SOURCE, REPLICA, MISMATCH) }] };
  }
};

const verificationCells = Object.entries(NEXT_VERIFICATION_STATE).flatMap(([from, row]) =>
  Object.entries(row).map(([change, to]) => ({
    from: from as VerificationState,
    change: change as VerificationChange,
    to,
  })),
);

describe("verifications of registry rows (F9)", () => {
  test.each(verificationCells)("$change makes $to of $from", async ({ from, change, to }) => {
    const { item, writes } = verifications(change, from);
    for (const write of writes) {
      const left = await after(item, write);
      expect(typeof left === "string" ? left : left.verification_state).toBe(to);
    }
  });

  test("a pass over the very versions that were verified leaves what is said of them", async () => {
    const pass: Write = { update: nextPass(HELD, { source: SOURCE, replica: REPLICA, namedBefore: true }, LATER) };
    expect(await after(itemIn("started", "succeeded"), pass)).toMatchObject({ verification_state: "succeeded" });
  });

  test("a due message leaves a verified row alone, and one whose verifier never came back to be told of (F21)", async () => {
    const due: Write = { update: claimVerification(REF, OTHER, NOW, LATER, "unverified") };
    expect(await after(itemIn("synced", "succeeded"), due)).toBe("refused");
    expect(await after(itemIn("synced", "started", NOW - 1), due)).toBe("refused");
    expect(await after(itemIn("synced", "failed"), due)).toMatchObject({ verification_state: "started" });
  });
});
