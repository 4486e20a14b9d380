import { describe, expect, test } from "vitest";
import type { ReadLimits } from "../../shared/geo/limits.ts";
import type { ChecksumPolicy } from "../../shared/geo/replicable.ts";
import type { PrimarySite, VerifyingSite } from "../../shared/ports/site.ts";
import { coolWidget } from "../../shared/replicables/cool-widget.ts";
import { recordPrimaryChecksum } from "../../shared/services/record-checksum.ts";
import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { watchedReads } from "../support/broken-reads.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** Objects that take longer to read than a function may run. */

const KEY = "cool_widgets/42/widget.bin";
const CONTENT = "sixty bytes that are large here, since all above 32 bytes is";

/** A chunk of four bytes takes a second here. */
const CHUNK_MS = 1_000;

const LIMITS: ReadLimits = {
  treeChunkBytes: 8,
  parallelFromBytes: 32,
  rangeBytes: 8,
  rangesInFlight: 2,
  resumableFromBytes: 32,
};

const worldOf = (checksumPolicy: ChecksumPolicy): TwoSites =>
  twoSites({
    replicables: [{ ...coolWidget, checksumPolicy }],
    readLimits: LIMITS,
    fusedVerificationBytesMax: 0,
    replicaDrift: false,
  });

interface Slow<Site> {
  readonly site: Site;
  readonly ranges: readonly string[];
}

const slowSecondary = (world: TwoSites): Slow<VerifyingSite> => {
  const { replica } = world.secondary;
  const { bucket, ranges } = watchedReads(replica, [], () => world.clock.advance(CHUNK_MS));
  return {
    site: { ...world.secondary, replica: Object.assign(Object.create(replica) as typeof replica, bucket) },
    ranges,
  };
};

const slowPrimary = (world: TwoSites): Slow<PrimarySite> => {
  const { bucket: model } = world.primary;
  const { bucket, ranges } = watchedReads(model, [], () => world.clock.advance(CHUNK_MS));
  return { site: { ...world.primary, bucket: Object.assign(Object.create(model) as typeof model, bucket) }, ranges };
};

/** Verifies with so many seconds to read in. */
const verifyFor = async (world: TwoSites, seconds: number) => {
  const { site, ranges } = slowSecondary(world);
  const result = await verifyReplica(site, world.refOf(KEY), "due", world.clock.now() + seconds * CHUNK_MS);
  return { result, ranges };
};

const recordFor = async (world: TwoSites, seconds: number) => {
  const { site, ranges } = slowPrimary(world);
  const stopAt = world.clock.now() + seconds * CHUNK_MS;
  const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt };
  return { result: await recordPrimaryChecksum(site, request), ranges };
};

/** A replica that is copied and not read yet. */
const copied = async (policy: ChecksumPolicy): Promise<TwoSites> => {
  const world = worldOf(policy);
  world.primaryBucket.put(KEY, CONTENT);
  await recordPrimaryChecksum(world.primary, {
    ref: world.refOf(KEY),
    modelRecordId: "42",
    correlationId: "c",
    stopAt: Infinity,
  });
  await new Worker(world, KEY).finish();
  await world.loseMessages();
  return world;
};

const READ = ["sha256", "sha256-tree-64m", "crc64nvme"] as const;

describe.each(READ)("a replica that takes longer to read than there is time, by %s,", (policy) => {
  test("is read over several attempts, each from where the last came to, and none of them a failure", async () => {
    const world = await copied(policy);
    const read: string[] = [];
    for (let attempts = 0; attempts < 12; attempts += 1) {
      const { result, ranges } = await verifyFor(world, 6);
      read.push(...ranges);
      if (result.result === "verified") break;
      expect(result.result).toBe("paused");
      const row = await world.row(KEY);
      expect(row).toMatchObject({ state: "synced", verification_state: "pending", verification_retry_count: 0 });
      expect(row?.due_at).toBe(world.clock.now());
      expect(row?.verification_progress?.length).toBeLessThan(400);
      expect(row).not.toHaveProperty("v_token");
    }
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await world.row(KEY)).not.toHaveProperty("verification_progress");
    expect(read.filter((range) => range.startsWith("0-"))).toHaveLength(1);
  });

  test("is taken up by the sweep, without anybody asking", async () => {
    const world = await copied(policy);
    expect((await verifyFor(world, 6)).result.result).toBe("paused");
    await world.live(2 * 60_000);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
  });

  test("is read from its beginning when it has become another version meanwhile", async () => {
    const world = await copied(policy);
    expect((await verifyFor(world, 6)).result.result).toBe("paused");
    const progress = (await world.row(KEY))?.verification_progress;
    world.primaryBucket.put(KEY, CONTENT.toUpperCase());
    await recordFor(world, 1_000);
    await new Worker(world, KEY).finish();
    // What was saved is still there, and of no use.
    expect((await world.row(KEY))?.verification_progress).toBe(progress);
    const { result, ranges } = await verifyFor(world, 1_000);
    expect(result).toEqual({ result: "verified" });
    expect(ranges[0]).toMatch(/^0-/);
    expect(await world.row(KEY)).not.toHaveProperty("verification_progress");
  });

  test("is told apart from the source even when the wrong byte was read in an earlier attempt", async () => {
    const world = await copied(policy);
    const { versionId = "" } = world.replicaBucket.current(KEY) ?? {};
    world.replicaBucket.corrupt(KEY, versionId, new TextEncoder().encode(CONTENT.replace("sixty", "sixtY")));
    expect((await verifyFor(world, 6)).result.result).toBe("paused");
    expect((await verifyFor(world, 1_000)).result.result).toBe("mismatched");
    expect(await world.row(KEY)).not.toHaveProperty("verification_progress");
  });

  test("that is touched meanwhile is left to whoever touched it", async () => {
    const world = await copied(policy);
    const { site } = slowSecondary(world);
    let touched = false;
    const touching = Object.assign(Object.create(site.replica) as typeof site.replica, {
      read: async (...asked: Parameters<typeof site.replica.read>) => {
        const isFirst = !touched;
        touched = true;
        if (isFirst) await new Worker(world, KEY).until("observe_source");
        return site.replica.read(...asked);
      },
    });
    const stopAt = world.clock.now() + 6 * CHUNK_MS;
    const result = await verifyReplica({ ...site, replica: touching }, world.refOf(KEY), "due", stopAt);
    expect(result).toEqual({ result: "superseded" });
  });

  test("fails, and waits longer each time, when an attempt comes no further; what was read before is kept (F27)", async () => {
    const world = await copied(policy);
    await verifyFor(world, 6);
    const progress = (await world.row(KEY))?.verification_progress;
    world.replicaFaults.failNext("read", "unavailable").failNext("read", "unavailable");
    expect((await verifyFor(world, 6)).result.result).toBe("failed");
    expect(await world.row(KEY)).toMatchObject({
      verification_state: "failed",
      verification_retry_count: 1,
      verification_progress: progress,
    });
  });
});

describe.each(READ)("an object of the primary that takes longer to read than there is time, by %s,", (policy) => {
  const unread = async (): Promise<TwoSites> => {
    const world = worldOf(policy);
    world.primaryBucket.put(KEY, CONTENT, { checksum: "none" });
    await world.loseMessages();
    return world;
  };

  test("is read over several attempts, each from where the last came to, and none of them a failure", async () => {
    const world = await unread();
    const read: string[] = [];
    for (let attempts = 0; attempts < 12; attempts += 1) {
      const { result, ranges } = await recordFor(world, 6);
      read.push(...ranges);
      if (result.result === "computed") break;
      expect(result.result).toBe("paused");
      expect(await world.state(KEY)).toMatchObject({
        verification_state: "pending",
        verification_retry_count: 0,
        due_at: world.clock.now(),
      });
    }
    expect(await world.state(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await world.state(KEY)).not.toHaveProperty("verification_progress");
    expect(read.filter((range) => range.startsWith("0-"))).toHaveLength(1);
  });

  test("is read from its beginning when it has become another version meanwhile", async () => {
    const world = await unread();
    await recordFor(world, 6);
    expect(await world.state(KEY)).toHaveProperty("verification_progress");
    world.primaryBucket.put(KEY, CONTENT.toUpperCase(), { checksum: "none" });
    const { result, ranges } = await recordFor(world, 1_000);
    expect(result.result).toBe("computed");
    expect(ranges[0]).toMatch(/^0-/);
    expect(await world.state(KEY)).not.toHaveProperty("verification_progress");
  });

  test("that is replaced while it is read is left to whoever saw that (F29)", async () => {
    const world = await unread();
    const { site } = slowPrimary(world);
    const bucket = Object.assign(Object.create(site.bucket) as typeof site.bucket, {
      read: async (...asked: Parameters<typeof site.bucket.read>) => {
        world.primaryBucket.put(KEY, "short", { checksum: "crc64nvme" });
        await world.settle();
        return site.bucket.read(...asked);
      },
    });
    const stopAt = world.clock.now() + 6 * CHUNK_MS;
    const request = { ref: world.refOf(KEY), modelRecordId: "42", correlationId: "c", stopAt };
    expect(await recordPrimaryChecksum({ ...site, bucket }, request)).toEqual({ result: "left_to_others" });
  });

  test("that is deleted meanwhile takes its progress along", async () => {
    const world = await unread();
    await recordFor(world, 6);
    world.primaryBucket.deleteCurrent(KEY);
    await recordFor(world, 6);
    expect((await world.state(KEY))?.tombstone).toBe(true);
    expect(await world.state(KEY)).not.toHaveProperty("verification_progress");
  });
});

test("rows of small objects have no columns for what large ones save", async () => {
  const world = worldOf("sha256");
  world.primaryBucket.put(KEY, "small", { checksum: "none" });
  await world.settle();
  for (const row of [await world.row(KEY), await world.state(KEY)]) {
    expect(row).toMatchObject({ verification_state: "succeeded" });
    expect(row).not.toHaveProperty("verification_progress");
    expect(row).not.toHaveProperty("mismatch_excused");
  }
});

test("what is paused is told in the log of either site", async () => {
  const world = worldOf("sha256");
  world.primaryBucket.put(KEY, CONTENT);
  world.clock.set(world.clock.now() + 1);
  const { site: primary } = slowPrimary(world);
  const { site: secondary } = slowSecondary(world);
  const { recordChecksums } = await import("../../shared/services/record-checksums.ts");
  const { consumeVerifications } = await import("../../shared/services/consume.ts");
  await world.publish();
  const [message] = await world.queues.checksum.live.receive();
  if (message === undefined) throw new Error("nothing was announced");
  const parking = world.queues.checksum.deadLetters;
  const recording = { site: primary, replicables: world.replicables, primaryBucket: "primary-bucket", parking };
  await recordChecksums({ ...recording, stopAt: world.clock.now() + 6 * CHUNK_MS }, message);
  expect(world.telemetry.linesOf("checksum_paused")).toHaveLength(1);
  await recordChecksums({ ...recording, stopAt: Infinity }, message);
  await new Worker(world, KEY).finish();
  const [asked] = await world.queues.verification.live.receive();
  const due = asked ?? {
    id: "m",
    body: JSON.stringify({ version: 1, kind: "due", replicable_name: "cool_widget", keys: [KEY] }),
    receiveCount: 1,
  };
  const consuming = { site: secondary, replicables: world.replicables, parking };
  await consumeVerifications({ ...consuming, stopAt: world.clock.now() + 6 * CHUNK_MS }, due);
  expect(world.telemetry.linesOf("verification_paused")).toHaveLength(1);
});
