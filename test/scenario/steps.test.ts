import { describe, expect, test } from "vitest";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { STEPS_PER_ATTEMPT_MAX } from "../../shared/geo/limits.ts";
import { parseRegistryRow, rowKey } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { Table, WriteOutcome } from "../../shared/ports/table.ts";
import type { Asked, Held } from "../../shared/services/blob-sync/attempt.ts";
import { syncBlob } from "../../shared/services/blob-sync/blob-sync.ts";
import {
  type Verification,
  verificationStep,
  verifyReplica,
} from "../../shared/services/verification/verify-replica.ts";
import { asked, type Columns, held, putRow, STEPPED_KEY, stepOf } from "../support/single-steps.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** Single steps, on rows and worlds that whole lives come to only now and then. */

const KEY = STEPPED_KEY;

const claimSeen = (world: TwoSites, cause: Asked["cause"]) =>
  stepOf(world, { at: "claim_seen", asked: asked(world, cause), seenGen: 1 });

const lookAtRow = (world: TwoSites) => stepOf(world, { at: "look_at_row", asked: asked(world, "due") });

describe("a row that somebody claims as it was seen", () => {
  test("is touched anew by a hint, and let be by a sweep, when it is gone", async () => {
    const world = twoSites();
    expect(await claimSeen(world, "hint")).toMatchObject({ at: "touch_and_claim" });
    expect(await claimSeen(world, "due")).toMatchObject({ at: "ended", result: { result: "nothing_due" } });
  });

  test("is claimed as it is now when it was touched and nobody holds it", async () => {
    const world = twoSites();
    await putRow(world, { gen: 5 });
    expect(await claimSeen(world, "hint")).toMatchObject({ at: "claim_seen", seenGen: 5 });
  });

  test("is left to a holder who is alive, and taken from one whose lease is over or never had an end", async () => {
    const world = twoSites();
    await putRow(world, { attempt_token: "other", lease_until: world.clock.now() + 1_000 });
    expect(await claimSeen(world, "hint")).toMatchObject({ at: "ended", result: { result: "joined" } });
    await putRow(world, { attempt_token: "other", lease_until: world.clock.now() - 1 });
    expect(await claimSeen(world, "hint")).toMatchObject({ at: "take_over", oldToken: "other" });
    await putRow(world, { attempt_token: "other" });
    expect(await claimSeen(world, "hint")).toMatchObject({ at: "take_over", oldToken: "other" });
  });

  test("is ours when the claim was sent twice and the first one counted", async () => {
    const world = twoSites();
    await putRow(world, { state: REPLICATION_STATE.started, attempt_token: "mine", claimed_gen: 1 });
    expect(await claimSeen(world, "hint")).toMatchObject({ at: "observe_source" });
  });
});

describe("a row that is due", () => {
  test("without an end of its lease counts as left by its holder", async () => {
    const world = twoSites();
    await putRow(world, { state: REPLICATION_STATE.started, attempt_token: "other" });
    const look = await lookAtRow(world);
    expect(look).toMatchObject({ at: "time_out", oldToken: "other" });
    if (look.at !== "time_out") throw new Error("unreachable");
    expect(await stepOf(world, look)).toMatchObject({ at: "look_at_row" });
  });

  test("that is timed out while its holder comes back is looked at again", async () => {
    const world = twoSites();
    await putRow(world, {
      state: REPLICATION_STATE.started,
      attempt_token: "new",
      lease_until: Number.MAX_SAFE_INTEGER,
    });
    const item = await world.registry.get(rowKey(world.refOf(KEY)));
    const timeOut = {
      at: "time_out",
      asked: asked(world, "due"),
      row: parseRegistryRow(item),
      oldToken: "old",
    } as const;
    expect(await stepOf(world, timeOut)).toMatchObject({ at: "look_at_row" });
  });

  test("that failed is moved to its retry when the index has it earlier, and tried at once without one", async () => {
    const world = twoSites();
    const retryAt = world.clock.now() + 60_000;
    await putRow(world, { state: REPLICATION_STATE.failed, claimed_gen: 1, retry_at: retryAt, due_at: 1 });
    expect(await lookAtRow(world)).toMatchObject({ at: "reschedule", dueAt: retryAt });
    await putRow(world, { state: REPLICATION_STATE.failed, claimed_gen: 1 });
    expect(await lookAtRow(world)).toMatchObject({ at: "claim_seen" });
  });

  test("that is a tombstone is looked at when it was touched, purged when clean, and kept while tainted", async () => {
    const world = twoSites();
    const tombstone = { state: REPLICATION_STATE.absent, done_gen: 1 };
    await putRow(world, { ...tombstone, gen: 2 });
    expect(await lookAtRow(world)).toMatchObject({ at: "claim_seen", seenGen: 2 });
    await putRow(world, tombstone);
    expect(await lookAtRow(world)).toMatchObject({ at: "purge" });
    const taintUntil = world.clock.now() + 1_000;
    await putRow(world, { ...tombstone, taint_until: taintUntil });
    expect(await lookAtRow(world)).toMatchObject({ at: "reschedule", dueAt: taintUntil });
  });

  test("that is synced and verified leaves the index, and one that is not due yet is let be", async () => {
    const world = twoSites();
    const synced = { state: REPLICATION_STATE.synced, done_gen: 1 };
    await putRow(world, { ...synced, verification_state: VERIFICATION_STATE.succeeded, due_at: 1 });
    expect(await lookAtRow(world)).toMatchObject({ at: "reschedule", dueAt: undefined });
    await putRow(world, { ...synced, due_at: world.clock.now() + 1_000 });
    expect(await lookAtRow(world)).toMatchObject({ at: "ended", result: { result: "nothing_due" } });
    await putRow(world, synced);
    expect(await lookAtRow(world)).toMatchObject({ at: "reschedule", result: { result: "verification_due" } });
  });
});

const recheck = async (world: TwoSites, columns: Columns) => {
  const taintUntil = world.clock.now() - 1;
  await putRow(world, { state: REPLICATION_STATE.synced, done_gen: 1, taint_until: taintUntil, ...columns });
  const look = await lookAtRow(world);
  if (look.at !== "recheck") throw new Error(`expected a recheck, got ${look.at}`);
  return stepOf(world, look);
};

describe("a quarantine that is over", () => {
  test("leaves the row due for its verification, when that is outstanding", async () => {
    const world = twoSites();
    const version = world.replicaBucket.put(KEY, "one");
    const named = { rep_version_id: version.versionId };
    const dueOf = async (columns: Columns) => {
      const clear = await recheck(world, { ...named, ...columns });
      expect(clear).toMatchObject({ at: "clear_taint" });
      if (clear.at !== "clear_taint") throw new Error("unreachable");
      await stepOf(world, clear);
      return (await world.row(KEY))?.due_at;
    };
    expect(await dueOf({ v_lease: 77 })).toBe(77);
    expect(await dueOf({ verification_retry_at: 88 })).toBe(88);
    expect(await dueOf({})).toBe(world.clock.now());
    expect(await dueOf({ verification_state: VERIFICATION_STATE.succeeded })).toBeUndefined();
  });

  test("is not ended by somebody whose view of the row is old", async () => {
    const world = twoSites();
    const version = world.replicaBucket.put(KEY, "one");
    const clear = await recheck(world, { rep_version_id: version.versionId });
    await putRow(world, { gen: 9 });
    if (clear.at !== "clear_taint") throw new Error("unreachable");
    expect(await stepOf(world, clear)).toMatchObject({ at: "look_at_row", asked: { cause: "due" } });
    const suspicion = await recheck(world, { rep_version_id: "another" });
    await putRow(world, { gen: 9 });
    if (suspicion.at !== "count_suspicion") throw new Error("unreachable");
    expect(await stepOf(world, suspicion)).toMatchObject({ at: "ended", result: { result: "nothing_due" } });
  });

  test("waits when S3 does not say what the replica is", async () => {
    const world = twoSites();
    world.replicaFaults.failNext("head", "unavailable");
    expect(await recheck(world, { rep_version_id: "r" })).toMatchObject({ result: { result: "nothing_due" } });
  });
});

const remove = async (world: TwoSites) => {
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  world.primaryBucket.deleteCurrent(KEY);
  await world.loseMessages();
  return new Worker(world, KEY).until("remove");
};

describe("a removal", () => {
  test("of a replica that changed meanwhile looks at both sides again", async () => {
    const world = twoSites();
    const worker = await remove(world);
    world.replicaBucket.put(KEY, "somebody else's");
    expect(await worker.finish()).toMatchObject({ result: "absent", how: "removed" });
    expect(world.replicaText(KEY)).toBeUndefined();
  });

  test("that S3 refuses fails with its reason, and the replica stays", async () => {
    const world = twoSites();
    const worker = await remove(world);
    world.replicaFaults.failNext("remove", "forbidden", "AccessDenied");
    expect(await worker.finish()).toMatchObject({ result: "failed", kind: "forbidden" });
    expect(world.replicaText(KEY)).toBe("one");
  });

  test("without an answer that is not seen to have happened is tried again", async () => {
    const world = twoSites();
    const worker = await remove(world);
    world.replicaFaults.loseNextAnswer("remove", "never");
    expect(await worker.finish()).toMatchObject({ result: "failed", kind: "unknown_outcome" });
    expect((await world.row(KEY))?.taint_until).toBeGreaterThan(world.clock.now());
  });
});

describe("an attempt whose row went while it worked", () => {
  const steps = {
    commit_absent: (mine: Held) => ({ at: "commit_absent", held: mine, how: "unchanged" }) as const,
    next_pass: (mine: Held) => ({ at: "next_pass", held: mine, outcome: undefined }) as const,
    leave_pending: (mine: Held) => ({ at: "leave_pending", held: mine, outcome: undefined }) as const,
    release: (mine: Held) => ({ at: "release", held: mine }) as const,
    fail: (mine: Held) => ({ at: "fail", held: mine, kind: "unavailable", detail: "" }) as const,
  };

  test.each(Object.entries(steps))("ends without a word at %s when it wrote nothing", async (_at, attempt) => {
    const world = twoSites();
    const mine = await held(world);
    await world.registry.delete({ key: rowKey(mine.ref) });
    expect(await stepOf(world, attempt(mine))).toMatchObject({ at: "ended", result: { result: "lost_lease" } });
  });

  test.each(Object.entries(steps))("says so at %s when it wrote to S3 (T5c)", async (_at, attempt) => {
    const world = twoSites();
    const mine = await held(world);
    await world.registry.delete({ key: rowKey(mine.ref) });
    expect(await stepOf(world, attempt({ ...mine, wrote: true }))).toMatchObject({ at: "taint" });
  });
});

test("an attempt that the world keeps turning around gives up after a bounded number of steps", async () => {
  const world = twoSites();
  let calls = 0;
  const registry: Table = Object.assign(Object.create(world.registry) as Table, {
    update: (): Promise<WriteOutcome> => {
      calls += 1;
      return Promise.resolve({ outcome: "refused", item: { pk: "p", sk: KEY, state: 0, gen: calls } });
    },
  });
  const request = { ref: world.refOf(KEY), cause: "hint", stopAt: Infinity, epoch: 0 } as const;
  expect(await syncBlob({ ...world.secondary, registry }, request)).toEqual({ result: "left_pending" });
  expect(calls).toBe(STEPS_PER_ATTEMPT_MAX);
});

/** A digest that no body here has. */
const NO_BYTES_OF_OURS = `sha256:${"00".repeat(32)}`;

const oddBody = async function* (): AsyncGenerator<Uint8Array> {
  yield new Uint8Array([1]);
  await Promise.resolve();
  // oxlint-disable-next-line typescript/only-throw-error -- streams may be destroyed with anything
  throw "reset";
};

/** Claims, and has the row touched before the verdict is written. */
const overtaken = async (world: TwoSites): Promise<Verification> => {
  const ref = world.refOf(KEY);
  let at: Verification = { at: "claim", ref, token: "v", which: "any", stopAt: Infinity };
  while (at.at !== "commit" && at.at !== "await_primary" && at.at !== "ended") {
    at = await verificationStep(world.secondary, at);
  }
  await new Worker(world, KEY).until("observe_source");
  return at.at === "ended" ? at : verificationStep(world.secondary, at);
};

const verifiedWorld = async (options: { readonly checksum?: "none" } = {}): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one", options);
  await world.settle();
  return world;
};

const verify = (world: TwoSites, cause: "checksum_succeeded" | "due" = "checksum_succeeded") =>
  verifyReplica(world.secondary, world.refOf(KEY), cause, Infinity);

describe("a verification", () => {
  const superseded = { at: "ended", result: { result: "superseded" } };

  test("of a row that is not there, or is being copied, is not due", async () => {
    const world = twoSites();
    expect(await verify(world)).toEqual({ result: "not_due" });
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).until("copy");
    expect(await verify(world, "due")).toEqual({ result: "not_due" });
  });

  test("that can not read the replica fails, says why, and leaves the sync state alone", async () => {
    const world = await verifiedWorld();
    world.replicaFaults.failNext("read", "forbidden", "AccessDenied");
    expect(await verify(world)).toMatchObject({ result: "failed", text: "Error during verification: AccessDenied" });
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "failed" });
  });

  test("whose time is up while it reads fails, and is tried again", async () => {
    const world = await verifiedWorld();
    const result = await verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", 0);
    expect(result).toMatchObject({ result: "failed" });
  });

  test("that finds its version gone has it copied again", async () => {
    const world = await verifiedWorld();
    const row = await world.row(KEY);
    world.replicaBucket.deleteVersion(KEY, row?.rep_version_id ?? "");
    expect(await verify(world)).toMatchObject({ result: "mismatched" });
    expect(await world.row(KEY)).toMatchObject({ state: "failed", checksum_mismatch: true });
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBe("one");
  });

  test("against a digest of a scheme that nobody knows fails, and names it", async () => {
    const world = await verifiedWorld();
    const row = await world.row(KEY);
    await world.registry.update({
      key: rowKey(world.refOf(KEY)),
      update: "SET src_checksum = :odd",
      values: { ":odd": "md4:00" },
    });
    expect(row?.src_checksum).toBeDefined();
    expect(await verify(world)).toMatchObject({ text: expect.stringContaining("unknown scheme: md4:00") as string });
  });

  test("waits while the primary has no record, one of another version (R16), or one in doubt", async () => {
    const world = await verifiedWorld({ checksum: "none" });
    const key = rowKey(world.refOf(KEY));
    const is = await world.state(KEY);
    const record = async (column: string, value: string | number | undefined): Promise<void> => {
      await world.verificationState.update({ key, update: `SET ${column} = :v`, values: { ":v": value ?? "" } });
    };
    await record("src_etag", "x");
    expect(await verify(world)).toMatchObject({ result: "awaiting_primary" });
    await record("src_etag", is?.src_etag);
    // The same bytes put once more: the same ETag, and another version.
    await record("src_version_id", "x");
    expect(await verify(world)).toMatchObject({ result: "awaiting_primary" });
    await record("src_version_id", is?.src_version_id);
    // In doubt, since the primary's own bytes differ from it (F30).
    await record("verification_state", VERIFICATION_STATE.failed);
    expect(await verify(world)).toMatchObject({ result: "awaiting_primary" });
    await world.verificationState.delete({ key });
    expect(await verify(world)).toMatchObject({ result: "awaiting_primary" });
    expect(await world.row(KEY)).toMatchObject({ verification_state: "disabled" });
  });

  test("says nothing of a row that was touched meanwhile, whatever it found (R15)", async () => {
    expect(await overtaken(await verifiedWorld())).toMatchObject(superseded);
    const failing = await verifiedWorld();
    failing.replicaFaults.failNext("read", "unavailable");
    expect(await overtaken(failing)).toMatchObject(superseded);
    const gone = await verifiedWorld();
    gone.replicaBucket.deleteVersion(KEY, (await gone.row(KEY))?.rep_version_id ?? "");
    expect(await overtaken(gone)).toMatchObject(superseded);
    const waiting = await verifiedWorld({ checksum: "none" });
    await waiting.verificationState.delete({ key: rowKey(waiting.refOf(KEY)) });
    expect(await overtaken(waiting)).toMatchObject(superseded);
  });

  test("claimed twice, because the first claim's answer was lost, is claimed once", async () => {
    const world = await verifiedWorld();
    const claim = { at: "claim", ref: world.refOf(KEY), token: "v", which: "any", stopAt: Infinity } as const;
    await verificationStep(world.secondary, claim);
    expect(await verificationStep(world.secondary, claim)).toMatchObject({ at: "read_replica" });
    await world.registry.update({
      key: rowKey(world.refOf(KEY)),
      update: "SET gen = gen + :one",
      values: { ":one": 1 },
    });
    expect(await verificationStep(world.secondary, claim)).toMatchObject({
      at: "ended",
      result: { result: "not_due" },
    });
  });

  test("of a row that says little finds nothing that it could vouch for", async () => {
    const world = twoSites();
    const synced = { state: REPLICATION_STATE.synced, done_gen: 1 };
    await putRow(world, synced);
    expect(await verify(world)).toMatchObject({ result: "superseded" });
    await putRow(world, { ...synced, src_version_id: "s", rep_version_id: "r", src_checksum: NO_BYTES_OF_OURS });
    expect(await verify(world)).toMatchObject({ result: "mismatched" });
    await putRow(world, { ...synced, v_token: "dead", verification_state: VERIFICATION_STATE.started });
    expect(await verify(world, "due")).toEqual({ result: "superseded" });
    await putRow(world, { ...synced, src_checksum: NO_BYTES_OF_OURS });
    expect(await verify(world)).toEqual({ result: "superseded" });
    // Of a replica that no row names, S3 has nothing to say either.
    await putRow(world, { ...synced, src_version_id: "s", src_checksum: "size:07" });
    const bySize = { ...world.secondary, checksums: checksumRules([{ name: "cool_widget", checksumPolicy: "size" }]) };
    expect(await verifyReplica(bySize, world.refOf(KEY), "checksum_succeeded", Infinity)).toEqual({
      result: "superseded",
    });
  });

  test("of a stream that ends with anything but an error says what it was", async () => {
    const world = await verifiedWorld();
    const replica = Object.assign(Object.create(world.secondary.replica) as typeof world.secondary.replica, {
      read: () => Promise.resolve({ outcome: "reading", body: oddBody(), size: 3 }),
    });
    const result = await verifyReplica(
      { ...world.secondary, replica },
      world.refOf(KEY),
      "checksum_succeeded",
      Infinity,
    );
    expect(result).toMatchObject({ text: "Error during verification: reset" });
  });

  test("that timed out is not told of twice", async () => {
    const world = await verifiedWorld();
    await world.registry.update({
      key: rowKey(world.refOf(KEY)),
      update: "SET v_token = :v, verification_state = :started",
      values: { ":v": "dead", ":started": VERIFICATION_STATE.started },
    });
    const row = await world.row(KEY);
    if (row === undefined) throw new Error("unreachable");
    const timeOut = { at: "time_out", ref: world.refOf(KEY), row } as const;
    // The row has no end of the lease: nothing to time out by, and the write is refused.
    expect(await verificationStep(world.secondary, timeOut)).toMatchObject(superseded);
  });
});
