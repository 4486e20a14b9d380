import { describe, expect, test } from "vitest";
import { leaseMs, quarantineMs } from "../../shared/geo/limits.ts";
import { twoSites as sites, type TwoSitesOptions } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** What is shown here has to hold when S3 reports nothing of the replica's bucket; what it reports is in drift.test.ts. */
const twoSites = (options: TwoSitesOptions = {}) => sites({ ...options, replicaDrift: false });

const KEY = "cool_widgets/42/widget.bin";
const DAY_MS = 24 * 60 * 60 * 1_000;

/** After everything has had its time: both sides hold the same, the row says so, and nothing is due. */
const expectConverged = async (world: ReturnType<typeof twoSites>, text: string | undefined) => {
  await world.live(DAY_MS / 4);
  expect(world.replicaText(KEY)).toBe(text);
  const row = await world.row(KEY);
  if (text === undefined) {
    expect(row).toBeUndefined();
  } else {
    expect(row).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(row?.done_gen).toBe(row?.gen);
    expect(row).not.toHaveProperty("due_at");
    expect(row).not.toHaveProperty("taint_until");
    expect(row).not.toHaveProperty("attempt_token");
  }
};

describe("a change while the object is copied (F10)", () => {
  test("R4: an update during the copy is not settled with the old bytes", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "old");
    const worker = await new Worker(world, KEY).until("commit_synced");
    world.primaryBucket.put(KEY, "new");
    const second = await new Worker(world, KEY).finish();
    expect(second).toEqual({ result: "joined" });
    expect(await worker.finish()).toMatchObject({ result: "synced" });
    expect(world.replicaText(KEY)).toBe("new");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", gen: 2, done_gen: 2 });
    await expectConverged(world, "new");
  });

  test("R5: a delete during the copy leaves no ghost", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "old");
    const worker = await new Worker(world, KEY).until("commit_synced");
    world.primaryBucket.deleteCurrent(KEY);
    await new Worker(world, KEY).finish();
    expect(await worker.finish()).toMatchObject({ result: "absent", how: "removed" });
    await expectConverged(world, undefined);
  });

  test("R6: a source version that is purged before the copy is looked at again", async () => {
    const world = twoSites();
    const first = world.primaryBucket.put(KEY, "first");
    world.primaryBucket.put(KEY, "second");
    const worker = await new Worker(world, KEY).until("copy");
    world.primaryBucket.deleteVersion(KEY, world.primaryBucket.current(KEY)?.versionId ?? "");
    expect(await worker.finish()).toMatchObject({ result: "synced" });
    expect(world.replicaText(KEY)).toBe("first");
    expect(await world.row(KEY)).toMatchObject({ src_version_id: first.versionId });
  });

  test("R39: a key that is rewritten without end is left to the sweep after three passes, each leaving a whole version", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "0");
    const worker = new Worker(world, KEY);
    let writes = 0;
    while ((await worker.untilOneOf("commit_synced", "leave_pending")) === "commit_synced") {
      writes += 1;
      world.primaryBucket.put(KEY, String(writes));
      await new Worker(world, KEY).finish();
      await worker.step();
    }
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(writes).toBe(3);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", due_at: world.clock.now() });
    await expectConverged(world, "3");
  });
});

describe("two workers on one key (F19)", () => {
  test("R8: the second joins, and is acknowledged only after the first is obliged to look again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const first = await new Worker(world, KEY).until("observe_source");
    expect(await new Worker(world, KEY).finish()).toEqual({ result: "joined" });
    expect(await world.row(KEY)).toMatchObject({ gen: 2, claimed_gen: 1 });
    expect(await first.finish()).toMatchObject({ result: "synced" });
    expect(await world.row(KEY)).toMatchObject({ gen: 2, done_gen: 2 });
  });

  test("R8: a hint whose holder leaves before it is counted claims the row itself", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const first = await new Worker(world, KEY).until("observe_source");
    const second = await new Worker(world, KEY).until("join");
    world.primaryBucket.put(KEY, "two");
    await first.finish();
    expect(await second.finish()).toMatchObject({ result: "synced" });
    expect(world.replicaText(KEY)).toBe("two");
    expect(await world.row(KEY)).toMatchObject({ gen: 2, done_gen: 2 });
  });

  test("R9: a worker that dies before its copy is taken over once its lease is over", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).until("copy");
    world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "synced" });
    expect(await world.row(KEY)).toMatchObject({ state: "synced", taint_until: expect.any(Number) as number });
    await expectConverged(world, "one");
  });

  test("R10: a worker that dies between its copy and its commit is taken over, and its copy is adopted", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).until("read_back");
    world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "synced", how: "adopted" });
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
    await expectConverged(world, "one");
  });

  test("R12: a frozen worker that wakes up after it was taken over undoes nothing for good", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "old");
    const frozen = await new Worker(world, KEY).until("copy");
    world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1);
    world.primaryBucket.deleteCurrent(KEY);
    const deleted = world.primaryBucket.versions(KEY);
    expect(deleted).toHaveLength(2);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "absent" });
    // Its time is over by its own clock too, but a frozen process does not look: it sends what it was about to send.
    world.clock.advance(-2 * leaseMs(world.secondary.functionTimeoutMs));
    await frozen.step();
    world.clock.advance(2 * leaseMs(world.secondary.functionTimeoutMs));
    expect(world.replicaText(KEY)).toBe("old");
    expect(await frozen.finish()).toEqual({ result: "lost_lease" });
    await expectConverged(world, undefined);
  });

  test("R12: a worker that did not write and lost its lease leaves no suspicion behind", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const slow = await new Worker(world, KEY).until("copy");
    world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1);
    await new Worker(world, KEY).finish();
    const before = await world.row(KEY);
    expect(await slow.finish()).toEqual({ result: "lost_lease" });
    expect((await world.row(KEY))?.gen).toBe(before?.gen);
  });
});

describe("a hint that joins an attempt which then fails", () => {
  test("is looked at by the next sweep, not when the failed attempt is retried", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    world.replicaFaults.failNext("copy", "archived");
    const failing = await new Worker(world, KEY).until("fail");
    world.primaryBucket.put(KEY, "two");
    expect(await new Worker(world, KEY).finish()).toEqual({ result: "joined" });
    expect(await failing.finish()).toMatchObject({ result: "failed", blocked: true });
    // Only the row can tell of the hint now.
    await world.loseMessages();
    await world.sweep();
    await world.settle();
    expect(world.replicaText(KEY)).toBe("two");
  });
});

describe("a write whose end nobody saw", () => {
  test("R14: a copy that happened without an answer is found, settled and looked at again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    world.replicaFaults.loseNextAnswer("copy", "now");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "synced" });
    const row = await world.row(KEY);
    expect(row?.taint_until).toBe(world.clock.now() + quarantineMs(world.secondary.functionTimeoutMs));
    expect(row?.due_at).toBe(row?.taint_until);
    expect(world.replicaBucket.versions(KEY)).toHaveLength(1);
    await expectConverged(world, "one");
  });

  test("R11: a copy that lands after a delete was committed is noticed when the quarantine ends", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "ghost");
    world.replicaFaults.loseNextAnswer("copy", "later");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "unknown_outcome" });
    world.primaryBucket.deleteCurrent(KEY);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "absent" });
    // The tombstone stays while something may land: purging it now would forget that.
    expect(await world.row(KEY)).toMatchObject({ state: "absent", taint_until: expect.any(Number) as number });
    // The primary's own messages were worked on by hand: later, they would bring somebody here by chance.
    await world.loseMessages();
    world.replicaFaults.carryOutLate();
    expect(world.replicaText(KEY)).toBe("ghost");
    await expectConverged(world, undefined);
  });

  test("R13: an old copy that lands over the same ETag come back is told by its version", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "A");
    await world.settle();
    world.primaryBucket.put(KEY, "B");
    world.replicaFaults.loseNextAnswer("copy", "later");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed" });
    world.primaryBucket.put(KEY, "A");
    await new Worker(world, KEY).finish();
    await world.loseMessages();
    // The late copy of B was conditional on A's ETag, and A's ETag is what is there again.
    world.replicaFaults.carryOutLate();
    expect(world.replicaText(KEY)).toBe("B");
    await expectConverged(world, "A");
  });

  test("a removal without an answer taints the row just the same", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    world.primaryBucket.deleteCurrent(KEY);
    world.replicaFaults.loseNextAnswer("remove", "now");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "absent" });
    expect(await world.row(KEY)).toMatchObject({ state: "absent", taint_until: expect.any(Number) as number });
    await expectConverged(world, undefined);
  });

  test("a failed attempt with an unseen write keeps its suspicion through the retry", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    world.replicaFaults.loseNextAnswer("copy", "never");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed" });
    const tainted = (await world.row(KEY))?.taint_until;
    expect(tainted).toBeGreaterThan(world.clock.now());
    world.clock.advance(5 * 60_000);
    await world.sweep();
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ state: "synced", taint_until: tainted, due_at: tainted });
    await expectConverged(world, "one");
  });
});

describe("verification and changes", () => {
  test("R15: an update while the replica is read keeps the old verdict from being written", async () => {
    const world = twoSites({ fusedVerificationBytesMax: 0 });
    world.primaryBucket.put(KEY, "old");
    await new Worker(world, KEY).finish();
    const { verificationStep } = await import("../../shared/services/verification/verify-replica.ts");
    const ref = world.refOf(KEY);
    let verification = await verificationStep(world.secondary, {
      at: "claim",
      ref,
      token: "v",
      which: "any",
      stopAt: Infinity,
    });
    while (verification.at !== "commit") {
      if (verification.at === "ended") throw new Error("ended early");
      verification = await verificationStep(world.secondary, verification);
    }
    world.primaryBucket.put(KEY, "new");
    await new Worker(world, KEY).finish();
    expect(await verificationStep(world.secondary, verification)).toEqual({
      at: "ended",
      result: { result: "superseded" },
    });
    expect(await world.row(KEY)).toMatchObject({ verification_state: "pending" });
    await expectConverged(world, "new");
  });

  test("a suspicion that comes while the replica is read is not taken out of the due index by the verdict", async () => {
    const world = twoSites({ fusedVerificationBytesMax: 0 });
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).finish();
    const { verificationStep } = await import("../../shared/services/verification/verify-replica.ts");
    const { taint } = await import("../../shared/tables/registry/taint.ts");
    const ref = world.refOf(KEY);
    let verification = await verificationStep(world.secondary, {
      at: "claim",
      ref,
      token: "v",
      which: "any",
      stopAt: Infinity,
    });
    while (verification.at !== "commit") {
      if (verification.at === "ended") throw new Error("ended early");
      verification = await verificationStep(world.secondary, verification);
    }
    const now = world.clock.now();
    await world.registry.update(taint(ref, now, now + 1_000, now + 1_000, 0));
    expect(await verificationStep(world.secondary, verification)).toEqual({
      at: "ended",
      result: { result: "superseded" },
    });
    const row = await world.row(KEY);
    expect(row?.gen).toBeGreaterThan(row?.done_gen ?? 0);
    expect(row?.due_at).toBeDefined();
    await expectConverged(world, "one");
  });

  test("F25, F26: a replica that rots is told by re-reading, recorded with both digests, and copied again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "sound");
    await world.settle();
    const row = await world.row(KEY);
    world.replicaBucket.corrupt(KEY, row?.rep_version_id ?? "", new TextEncoder().encode("rotten"));
    const { verifyReplica } = await import("../../shared/services/verification/verify-replica.ts");
    expect(await verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", Infinity)).toMatchObject({
      result: "mismatched",
    });
    const mismatched = await world.row(KEY);
    expect(mismatched).toMatchObject({
      state: "failed",
      verification_state: "failed",
      checksum_mismatch: true,
      retry_count: 1,
      verification_retry_count: 1,
    });
    expect(mismatched?.verification_checksum).not.toBe(mismatched?.verification_checksum_mismatched);
    await expectConverged(world, "sound");
    expect(await world.row(KEY)).toMatchObject({ checksum_mismatch: false, verification_retry_count: 0 });
  });

  test("a copy that arrives corrupted is never called verified, and is made again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "sound");
    const worker = await new Worker(world, KEY).until("read_back");
    world.replicaBucket.corrupt(
      KEY,
      world.replicaBucket.current(KEY)?.versionId ?? "",
      new TextEncoder().encode("rotte"),
    );
    expect(await worker.finish()).toMatchObject({ result: "failed", kind: "checksum_mismatch" });
    expect(await world.row(KEY)).toMatchObject({ state: "failed", checksum_mismatch: true });
    await expectConverged(world, "sound");
  });
});

describe("answers that are not absence", () => {
  test("R28: a 403 on the primary removes nothing", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "kept");
    await world.settle();
    world.primaryFaults.failNext("head", "forbidden");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "forbidden" });
    expect(world.replicaText(KEY)).toBe("kept");
    expect(await world.row(KEY)).toMatchObject({ state: "failed", blocked_reason: "forbidden", retry_count: 1 });
    await expectConverged(world, "kept");
  });

  test("throttling does not count as a failure", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    world.replicaFaults.failNext("copy", "throttled");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "throttled" });
    expect(await world.row(KEY)).toMatchObject({ state: "failed", retry_count: 0 });
    await expectConverged(world, "one");
  });

  test("R20, R38: replaying every old event changes nothing", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    world.primaryBucket.put(KEY, "two");
    world.primaryBucket.deleteCurrent(KEY);
    world.primaryBucket.put(KEY, "three");
    const replayed = world.queues.events.live;
    await world.settle();
    const versions = world.replicaBucket.versions(KEY).length;
    for (let i = 0; i < 5; i += 1) await new Worker(world, KEY).finish();
    expect(replayed.size).toBe(0);
    expect(world.replicaText(KEY)).toBe("three");
    expect(world.replicaBucket.versions(KEY)).toHaveLength(versions);
  });
});

describe("a row that is made again", () => {
  test("a worker's look at the old row says nothing about the new one, though its generation is the same", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    world.replicaFaults.loseNextAnswer("copy", "now");
    await new Worker(world, KEY).finish();
    world.clock.advance(quarantineMs(world.secondary.functionTimeoutMs) + 1);
    const slow = await new Worker(world, KEY, "due").until("clear_taint");
    const before = await world.row(KEY);
    // Meanwhile the row goes and comes back, tainted again until the very same time.
    await world.registry.delete({ key: { pk: before?.pk ?? "", sk: KEY } });
    await new Worker(world, KEY).finish();
    const remade = await world.row(KEY);
    expect(remade?.gen).toBe(before?.gen);
    await world.registry.update({
      key: { pk: remade?.pk ?? "", sk: KEY },
      update: "SET taint_until = :taint, due_at = :taint",
      values: { ":taint": before?.taint_until ?? 0 },
    });
    expect((await slow.until("look_at_row")).at).toBe("look_at_row");
    expect(await world.row(KEY)).toMatchObject({ taint_until: before?.taint_until });
  });

  test("the primary's record of an older version does not replace that of a newer one, though its row was made again", async () => {
    const world = twoSites();
    const { recordAttested } = await import("../../shared/tables/verification-state/record-source.ts");
    world.primaryBucket.put(KEY, "first");
    await world.settle();
    const old = await world.state(KEY);
    const ref = world.refOf(KEY);
    const pin = { versionId: old?.src_version_id ?? "", etag: old?.src_etag ?? "", size: 5, lastModified: 0 };
    const late = recordAttested(ref, old, pin, old?.verification_checksum ?? "", world.clock.now(), 0);
    world.primaryBucket.deleteCurrent(KEY);
    await world.settle();
    world.primaryBucket.put(KEY, "second");
    await world.settle();
    const now = await world.state(KEY);
    expect((await world.verificationState.update(late)).outcome).toBe("refused");
    expect(await world.state(KEY)).toEqual(now);
  });
});

describe("a pass whose verdict could not be written", () => {
  test("S2: a corrupted copy that a touch overtakes is not taken for the verified one before it", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "first");
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    world.primaryBucket.put(KEY, "second");
    const worker = await new Worker(world, KEY).until("read_back");
    world.replicaBucket.corrupt(
      KEY,
      world.replicaBucket.current(KEY)?.versionId ?? "",
      new TextEncoder().encode("secomd"),
    );
    await worker.until("commit_mismatched");
    await new Worker(world, KEY).finish();
    expect(await worker.finish()).toMatchObject({ result: "failed", kind: "checksum_mismatch" });
    await expectConverged(world, "second");
  });
});
