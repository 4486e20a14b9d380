import { describe, expect, test } from "vitest";
import { leaseMs, quarantineMs } from "../../shared/geo/limits.ts";
import type { MemoryQueue } from "../../shared/memory/queue.ts";
import { bulkUpdating, accepted } from "../support/bulk-updating.ts";
import { type TwoSites, twoSites as sites, type TwoSitesOptions } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";
import { Worker } from "../support/workers.ts";

/** What is shown here has to hold when S3 reports nothing of the replica's bucket; what it reports is in drift.test.ts. */
const twoSites = (options: TwoSitesOptions = {}) => sites({ ...options, replicaDrift: false });

const KEY = "cool_widgets/42/widget.bin";
const DAY_MS = 24 * 60 * 60 * 1_000;

/** What lies in a queue's dead letters is put back into it. */
const redrive = ({ live, deadLetters }: { readonly live: MemoryQueue; readonly deadLetters: MemoryQueue }): void => {
  live.import([...live.export(), ...deadLetters.export()]);
  deadLetters.import([]);
};

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

/** The texts of all versions that the replica has had, oldest first. */
const textsOf = (world: TwoSites, key: string): readonly string[] =>
  world.replicaBucket
    .versions(key)
    .map((version) => (version.kind === "object" ? new TextDecoder().decode(version.body) : "a delete marker"));

/** A worker whose key was changed in each of its passes, and who is about to leave it. */
const rewrittenWithoutEnd = async (world: TwoSites): Promise<Worker> => {
  world.primaryBucket.put(KEY, "0");
  const worker = new Worker(world, KEY);
  let writes = 0;
  while ((await worker.untilOneOf("commit_synced", "leave_pending")) === "commit_synced") {
    writes += 1;
    world.primaryBucket.put(KEY, String(writes));
    await new Worker(world, KEY).finish();
    await worker.step();
  }
  expect(writes).toBe(3);
  return worker;
};

const leftToTheSweep = async (): Promise<TwoSites> => {
  const world = twoSites();
  const worker = await rewrittenWithoutEnd(world);
  expect(await worker.finish()).toEqual({ result: "left_pending" });
  return world;
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
    const world = await leftToTheSweep();
    expect(textsOf(world, KEY)).toEqual(["0", "1", "2"]);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", due_at: world.clock.now() });
    await expectConverged(world, "3");
  });

  test("R39: a hint that comes once the key is left to the sweep is worked on at once, and leaves the sweep nothing to do", async () => {
    const world = await leftToTheSweep();
    const left = await world.row(KEY);
    // The last change was counted and is nobody's: the replica holds the version before it, whole.
    expect(world.replicaText(KEY)).toBe("2");
    expect(left).toMatchObject({ state: "pending", gen: 4, done_gen: 3 });
    world.primaryBucket.put(KEY, "4");
    // The primary's own messages were worked on by hand: later, they would bring somebody here by chance.
    await world.loseMessages();
    const swept = await new Worker(world, KEY, "due").until("claim_seen");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "synced" });
    expect(world.replicaText(KEY)).toBe("4");
    const settled = await world.row(KEY);
    expect(settled).toMatchObject({ state: "synced", verification_state: "succeeded", gen: 5, done_gen: 5 });
    expect(settled).not.toHaveProperty("due_at");
    // Nobody was taken over, and nothing is suspected.
    expect(settled).not.toHaveProperty("taint_until");
    // Whom the sweep has sent before the hint came looks once more, at what is right already.
    const texts = textsOf(world, KEY);
    expect(await swept.finish()).toMatchObject({ result: "synced", how: "unchanged" });
    expect(textsOf(world, KEY)).toEqual(texts);
    expect(await world.row(KEY)).toMatchObject({ gen: 5, done_gen: 5 });
    await expectConverged(world, "4");
  });

  test("R39: a hint that joins just before the key is left to the sweep is counted, and the sweep settles it", async () => {
    const world = twoSites();
    const worker = await rewrittenWithoutEnd(world);
    world.primaryBucket.put(KEY, "4");
    expect(await new Worker(world, KEY).finish()).toEqual({ result: "joined" });
    await world.loseMessages();
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(await world.row(KEY)).toMatchObject({ state: "pending", gen: 5, done_gen: 3, due_at: world.clock.now() });
    await expectConverged(world, "4");
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

  test("R20: replaying every old event, the newest first, and redriving dead letters changes nothing", async () => {
    const world = twoSites();
    const events: string[] = [];
    world.primaryBucket.onEvent((body) => void events.push(body));
    world.primaryBucket.put(KEY, "one");
    world.primaryBucket.put(KEY, "two");
    world.primaryBucket.deleteCurrent(KEY);
    world.primaryBucket.put(KEY, "three");
    await world.publish();
    await world.queues.events.deadLetters.send(world.queues.events.live.bodies.map((body) => ({ body })));
    await world.settle();
    const before = await world.row(KEY);
    const versions = world.replicaBucket.versions(KEY);
    expect(events).toHaveLength(4);
    for (const body of events.toReversed()) {
      await world.queues.ingest.live.send([{ body }]);
      await world.settle();
    }
    const replayed = await world.row(KEY);
    redrive(world.queues.events);
    await world.settle();
    // Each was looked at, and none was believed.
    expect(replayed?.gen).toBe((before?.gen ?? 0) + 4);
    expect((await world.row(KEY))?.gen).toBeGreaterThan(replayed?.gen ?? 0);
    expect(world.replicaBucket.versions(KEY)).toEqual(versions);
    await expectConverged(world, "three");
  });
});

/** Keys by what became of their objects after the registry's copy was made. */
const KEPT = "cool_widgets/1/widget.bin";
const OVERWRITTEN = "cool_widgets/2/widget.bin";
const DELETED = "cool_widgets/3/widget.bin";
const ADDED = "cool_widgets/4/widget.bin";
/** Somebody was copying it when the registry's copy was made. */
const HELD = "cool_widgets/5/widget.bin";

/**
 * A site whose registry is as it was before some changes, all of which had been followed: rows name what is not there any more,
 * and what is there has no row. No message is under way.
 */
const restoredRegistry = async () => {
  const world = twoSites();
  for (const key of [KEPT, OVERWRITTEN, DELETED]) world.primaryBucket.put(key, "old");
  await world.settle();
  world.primaryBucket.put(HELD, "old");
  const holder = await new Worker(world, HELD).until("copy");
  const backup = world.registry.export();
  expect(await holder.finish()).toMatchObject({ result: "synced" });
  const events: string[] = [];
  world.primaryBucket.onEvent((body) => void events.push(body));
  world.clock.advance(1_000);
  world.primaryBucket.put(OVERWRITTEN, "new");
  world.primaryBucket.deleteCurrent(DELETED);
  world.primaryBucket.put(ADDED, "new");
  await world.settle();
  await world.live(DAY_MS / 24);
  expect(await world.row(DELETED)).toBeUndefined();
  const replica = () =>
    [KEPT, OVERWRITTEN, DELETED, ADDED, HELD].map((key) =>
      world.replicaBucket.versions(key).map((one) => one.versionId),
    );
  const before = replica();
  world.registry.import(backup);
  return { world, events, replica, before };
};

/** The row says what the replica holds, and needs nobody. */
const expectRight = async (world: TwoSites, key: string): Promise<void> => {
  const row = await world.row(key);
  expect(row).toMatchObject({
    state: "synced",
    verification_state: "succeeded",
    rep_version_id: world.replicaBucket.current(key)?.versionId,
  });
  expect(row).not.toHaveProperty("due_at");
};

/** The row says what was true when the registry's copy was made, and nobody is asked to look. */
const expectForgotten = async (world: TwoSites, key: string): Promise<void> => {
  const row = await world.row(key);
  expect(row).toMatchObject({ state: "synced", verification_state: "succeeded" });
  expect(row?.rep_version_id).not.toBe(world.replicaBucket.current(key)?.versionId);
  expect(row).not.toHaveProperty("due_at");
};

describe("a registry that is restored from an older copy", () => {
  test("R38: by itself brings right only what somebody was at when the copy was made, and does nothing to any replica", async () => {
    const { world, replica, before } = await restoredRegistry();
    expect(await world.row(HELD)).toMatchObject({ state: "started" });
    await world.live(DAY_MS / 4);
    await expectRight(world, HELD);
    await expectRight(world, KEPT);
    await expectForgotten(world, OVERWRITTEN);
    await expectForgotten(world, DELETED);
    expect(await world.row(ADDED)).toBeUndefined();
    // Whatever the rows say, nothing was done to what is there.
    expect(replica()).toEqual(before);
  });

  test("R20, R38: is right about every key that an old event names, replayed or from the dead letters, and nothing is copied", async () => {
    const { world, events, replica, before } = await restoredRegistry();
    const [overwritten, deleted, ...later] = events.map((body) => ({ body }));
    if (overwritten === undefined || deleted === undefined) throw new Error("there are too few events");
    await world.queues.ingest.deadLetters.send([deleted]);
    redrive(world.queues.ingest);
    await world.queues.ingest.live.send([...later.toReversed(), overwritten]);
    await world.settle();
    await world.live(DAY_MS / 4);
    for (const key of [KEPT, OVERWRITTEN, ADDED, HELD]) await expectRight(world, key);
    expect(await world.row(DELETED)).toBeUndefined();
    expect(replica()).toEqual(before);
  });

  test("R38: is right about every key that either bucket lists once both were walked through; the row of what neither lists stays", async () => {
    const { world, replica, before } = await restoredRegistry();
    const { walk } = walkingSecondary(world, { takes: (messages) => world.queues.events.live.send(messages) });
    const { findings } = await walk();
    expect(findings).toMatchObject({ listed: 4, missing: 1, stale: 1, orphan: 0 });
    await world.settle();
    await world.live(DAY_MS / 4);
    for (const key of [KEPT, OVERWRITTEN, ADDED, HELD]) await expectRight(world, key);
    await expectForgotten(world, DELETED);
    expect(replica()).toEqual(before);
  });

  test("R38: is right about every row once all are reconciled in bulk, which retries of what has failed are not; a walk brings the rest", async () => {
    const { world, replica, before } = await restoredRegistry();
    const bulk = bulkUpdating(world);
    const ask = async (action: "retry_now" | "reconcile") => {
      const { answer } = accepted(await bulk.ask({ action, replicable_name: "cool_widget" }));
      await bulk.run();
      await world.settle();
      return (await bulk.update(answer.id)).counts;
    };
    expect(await ask("retry_now")).toMatchObject({ changed: 0 });
    await expectForgotten(world, DELETED);
    expect(await ask("reconcile")).toMatchObject({ lookedAt: 4, changed: 4 });
    await world.live(DAY_MS / 4);
    for (const key of [KEPT, OVERWRITTEN, HELD]) await expectRight(world, key);
    expect(await world.row(DELETED)).toBeUndefined();
    expect(await world.row(ADDED)).toBeUndefined();
    const { walk } = walkingSecondary(world, { takes: (messages) => world.queues.events.live.send(messages) });
    await walk();
    await world.settle();
    await expectRight(world, ADDED);
    expect(replica()).toEqual(before);
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
