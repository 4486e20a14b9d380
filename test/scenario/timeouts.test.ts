import { describe, expect, test } from "vitest";
import { leaseMs } from "../../shared/geo/limits.ts";
import type { ReadableBucket } from "../../shared/ports/object-store.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { verificationStep, type Verification } from "../../shared/services/verification/verify-replica.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";

const untilLeasesAreOver = (world: TwoSites): void => {
  world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1_000);
};

/** A verifier that claims the row and is never heard of again. */
const verifierThatDies = async (world: TwoSites): Promise<void> => {
  const claim: Verification = { at: "claim", ref: world.refOf(KEY), token: "dead", which: "any", stopAt: Infinity };
  const claimed = await verificationStep(world.secondary, claim);
  expect(claimed.at).not.toBe("ended");
};

describe("a sync whose worker never came back (F20, F103)", () => {
  test("fails with Geo's text and a count of one, is quarantined, and is tried again by itself", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).until("copy");
    await world.loseMessages();
    untilLeasesAreOver(world);
    await world.sweep();
    await world.settle();
    const row = await world.row(KEY);
    expect(row).toMatchObject({ state: "failed", retry_count: 1, last_sync_failure: "Sync timed out after 120" });
    expect(row?.taint_until).toBeGreaterThan(world.clock.now());
    // Geo's first wait: 16 to 74 seconds.
    expect((row?.retry_at ?? 0) - world.clock.now()).toBeGreaterThanOrEqual(15_000);
    expect((row?.retry_at ?? 0) - world.clock.now()).toBeLessThanOrEqual(74_000);
    await world.live(3 * 60_000);
    expect(world.replicaText(KEY)).toBe("one");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded", retry_count: 0 });
    expect(await world.row(KEY)).not.toHaveProperty("last_sync_failure");
  });

  test("starts its count anew, however often it had failed before", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    for (let failures = 0; failures < 4; failures += 1) {
      world.primaryFaults.failNext("head", "forbidden");
      await new Worker(world, KEY).finish();
    }
    expect(await world.row(KEY)).toMatchObject({ state: "failed", retry_count: 4 });
    await new Worker(world, KEY).until("copy");
    untilLeasesAreOver(world);
    await new Worker(world, KEY, "due").finish();
    expect(await world.row(KEY)).toMatchObject({ state: "failed", retry_count: 1 });
  });

  test("is shorter where the site's sync timeout is, and says how long it was", async () => {
    const world = twoSites({ syncTimeoutMs: 30_000 });
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).until("copy");
    world.clock.advance(31_000);
    await new Worker(world, KEY, "due").finish();
    expect(await world.row(KEY)).toMatchObject({ state: "failed", last_sync_failure: "Sync timed out after 30" });
  });

  test("leaves a worker alone that is slower than the sweep but alive", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const worker = await new Worker(world, KEY).until("copy");
    world.clock.advance(world.secondary.functionTimeoutMs - 10_000);
    expect(await new Worker(world, KEY, "due").finish()).toEqual({ result: "nothing_due" });
    expect(await worker.finish()).toMatchObject({ result: "synced" });
  });
});

describe("a verification whose worker never came back (F21)", () => {
  test("fails with Geo's text, counts, leaves the sync state alone, and is read again by itself", async () => {
    const world = twoSites({ fusedVerificationBytesMax: 0 });
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await verifierThatDies(world);
    untilLeasesAreOver(world);
    await world.sweep();
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({
      state: "synced",
      verification_state: "failed",
      verification_retry_count: 1,
      verification_failure: "Verification timed out after 120",
    });
    expect(world.telemetry.total("VerificationTimedOut")).toBe(1);
    expect(world.telemetry.linesOf("verification_timed_out")).toMatchObject([{ level: "warn" }]);
    await world.live(3 * 60_000);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded", verification_retry_count: 0 });
    expect(await world.row(KEY)).not.toHaveProperty("due_at");
  });

  test("does not take a row that was touched meanwhile out of the due index", async () => {
    const world = twoSites({ fusedVerificationBytesMax: 0 });
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    await verifierThatDies(world);
    untilLeasesAreOver(world);
    world.primaryBucket.put(KEY, "two");
    const worker = await new Worker(world, KEY).until("copy");
    await world.loseMessages();
    await world.sweep();
    await world.settle();
    expect(await world.row(KEY)).toMatchObject({ state: "started" });
    await worker.finish();
    await world.live(10 * 60_000);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test("on the primary, too: the record says so and is computed again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one", { checksum: "none" });
    await world.loseMessages();
    const reads = Promise.withResolvers<undefined>();
    const bucket = Object.assign(Object.create(world.primary.bucket) as ReadableBucket, {
      read: () => {
        reads.resolve(undefined);
        return new Promise(() => {});
      },
    });
    void recordPrimaryChecksum(
      { ...world.primary, bucket },
      { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt: Infinity },
    );
    await reads.promise;
    expect(await world.state(KEY)).toMatchObject({ verification_state: "started" });
    untilLeasesAreOver(world);
    await world.sweep();
    await world.settle();
    const record = await world.state(KEY);
    expect(record).toMatchObject({
      verification_state: "failed",
      verification_retry_count: 1,
      verification_failure: "Verification timed out after 120",
    });
    expect(world.telemetry.total("VerificationTimedOut")).toBe(1);
    expect((record?.due_at ?? 0) - world.clock.now()).toBeGreaterThanOrEqual(15_000);
    await world.live(5 * 60_000);
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
  });
});
