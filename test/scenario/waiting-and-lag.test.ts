import { describe, expect, test } from "vitest";
import type { BacklogAge, TypeSummary } from "../../shared/geo/type-summary.ts";
import { rollUp } from "../../shared/services/roll-up.ts";
import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { askForResync } from "../support/ask-for-resync.ts";
import { countingRows } from "../support/removals.ts";
import { type TwoSites, twoSites, type TwoSitesOptions } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

/** Since when rows wait and how long versions take, from what the protocol writes into rows anyway. */

const KEY = "cool_widgets/42/widget.bin";
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** Two sites whose registry is counted, and what the counters come to whenever one asks. */
const countedSites = (options: TwoSitesOptions = {}) => {
  const world = twoSites(options);
  const count = countingRows(world);
  const summary = async (): Promise<TypeSummary> => {
    await count();
    const { siteTable, clock } = world;
    const { types } = await rollUp({
      siteTable,
      replicables: [{ name: "cool_widget" }],
      role: "secondary",
      now: clock.now(),
    });
    const found = types.get("cool_widget");
    if (found === undefined) throw new Error("expected a summary of every type that is asked for");
    return found;
  };
  return { world, summary };
};

const put = (world: TwoSites, text: string, checksum: "crc64nvme" | "none" = "crc64nvme"): void => {
  world.primaryBucket.put(KEY, text, { checksum });
};

const verified = async ({ summary }: ReturnType<typeof countedSites>): Promise<number> =>
  (await summary()).lagHistogram.total.count;

/** The bytes of the replica that the row names become others. */
const rot = async ({ replicaBucket, row }: TwoSites): Promise<void> => {
  replicaBucket.corrupt(KEY, (await row(KEY))?.rep_version_id ?? "", new TextEncoder().encode("rot"));
};

const waitingIn = (ages: readonly BacklogAge[]): number => ages.reduce((sum, { rows }) => sum + rows, 0);

describe("a row that can not be synced (F56)", () => {
  test("waits since it was first heard of, whatever hints come meanwhile, until it is synced", async () => {
    const { world, summary } = countedSites();
    const heard = world.clock.now();
    put(world, "one");
    world.primaryBucket.archive(KEY);
    await world.settle();
    await world.live(10 * MINUTE_MS);
    world.primaryBucket.putTags(KEY, { still: "archived" });
    await world.settle();
    expect((await world.row(KEY))?.last_event_at).toBe(heard + 10 * MINUTE_MS);
    expect(await world.row(KEY)).toMatchObject({ state: "failed", waiting_since: heard });
    const late = await summary();
    expect(late.oldestUnsyncedTime).toBe(Math.floor(heard / MINUTE_MS) * 60);
    expect(late.backlogAges.find(({ upToSeconds }) => upToSeconds === 900)?.rows).toBe(1);
    expect(waitingIn(late.backlogAges)).toBe(1);
    put(world, "two");
    await world.settle();
    expect(world.replicaText(KEY)).toBe("two");
    expect(await world.row(KEY)).not.toHaveProperty("waiting_since");
    const done = await summary();
    expect(done.oldestUnsyncedTime).toBeUndefined();
    expect(waitingIn(done.backlogAges)).toBe(0);
  });

  test("waits since its replica was found to differ, when it had been synced", async () => {
    const { world, summary } = countedSites();
    put(world, "sound");
    await world.settle();
    world.clock.advance(3 * DAY_MS);
    const row = await world.row(KEY);
    world.replicaBucket.corrupt(KEY, row?.rep_version_id ?? "", new TextEncoder().encode("rottn"));
    await verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", Infinity);
    expect(await world.row(KEY)).toMatchObject({ state: "failed", waiting_since: world.clock.now() });
    expect((await summary()).oldestUnsyncedTime).toBe(Math.floor(world.clock.now() / MINUTE_MS) * 60);
  });

  test("waits for nothing once its object is gone", async () => {
    const { world, summary } = countedSites();
    put(world, "one");
    await world.settle();
    world.primaryBucket.deleteCurrent(KEY);
    await world.settle();
    await world.live(3 * 60 * MINUTE_MS);
    expect(waitingIn((await summary()).backlogAges)).toBe(0);
  });
});

describe("a version's lag", () => {
  test("is counted once it is verified, with what took how long", async () => {
    const sites = countedSites();
    put(sites.world, "one");
    sites.world.clock.advance(2_000);
    await sites.world.settle();
    const { lagHistogram, lag } = await sites.summary();
    expect(lagHistogram.total).toMatchObject({ count: 1, sumSeconds: 2 });
    expect(lagHistogram.notify.sumSeconds).toBe(2);
    expect(lag.total?.maxMs).toBe(2_000);
    expect(lag.copy?.count).toBe(1);
  });

  test("is counted once where a later pass verifies: what S3 has no digest of, and what is large", async () => {
    for (const [checksum, options] of [
      ["none", {}],
      ["crc64nvme", { fusedVerificationBytesMax: 0 }],
    ] as const) {
      const sites = countedSites(options);
      put(sites.world, "one", checksum);
      await sites.world.settle();
      await sites.world.live(5 * MINUTE_MS);
      expect(await sites.world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
      expect(await sites.world.row(KEY)).not.toHaveProperty("unproven");
      expect(await verified(sites)).toBe(1);
    }
  });

  test("is counted of each version, and neither of a repeated hint, nor of a resync, nor of a read that is repeated", async () => {
    const sites = countedSites({ fusedVerificationBytesMax: 0 });
    const { world } = sites;
    put(world, "one");
    await world.settle();
    put(world, "two");
    await world.settle();
    expect(await verified(sites)).toBe(2);
    await verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", Infinity);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await verified(sites)).toBe(2);
    world.clock.advance(2 * DAY_MS);
    await askForResync(world, KEY);
    await world.settle();
    await world.live(5 * MINUTE_MS);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await verified(sites)).toBe(2);
  });

  test("is not counted of what was old when the site heard of it", async () => {
    const sites = countedSites();
    put(sites.world, "history");
    sites.world.clock.advance(2 * DAY_MS);
    await sites.world.settle();
    expect(await sites.world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(await verified(sites)).toBe(0);
  });

  test("is counted of what failed its first verification, when that succeeds in the end", async () => {
    const sites = countedSites({ fusedVerificationBytesMax: 0 });
    const { world } = sites;
    put(world, "one");
    world.replicaFaults.failNext("read", "unavailable");
    await world.settle();
    await world.live(30 * MINUTE_MS);
    expect(await world.row(KEY)).toMatchObject({ verification_state: "succeeded" });
    expect(await verified(sites)).toBe(1);
  });

  test.each([
    ["large", "crc64nvme", { fusedVerificationBytesMax: 0 }],
    ["without a digest", "none", {}],
    ["small", "crc64nvme", {}],
  ] as const)(
    "is not counted again when a replica that rotted is made anew from the version that it was made from: %s",
    async (_, checksum, options) => {
      const sites = countedSites(options);
      const { world } = sites;
      put(world, "one", checksum);
      await world.settle();
      await world.live(5 * MINUTE_MS);
      expect(await verified(sites)).toBe(1);
      const before = await world.row(KEY);
      world.clock.advance(80 * DAY_MS);
      await rot(world);
      await verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", Infinity);
      expect(await world.row(KEY)).toMatchObject({ state: "failed", checksum_mismatch: true });
      await world.live(30 * MINUTE_MS);
      const healed = await world.row(KEY);
      expect(healed).toMatchObject({ verification_state: "succeeded", src_version_id: before?.src_version_id });
      expect(healed?.rep_version_id).not.toBe(before?.rep_version_id);
      expect(await verified(sites)).toBe(1);
      put(world, "two", checksum);
      await world.settle();
      await world.live(5 * MINUTE_MS);
      expect(await verified(sites)).toBe(2);
    },
  );

  test.each([
    [
      "touched meanwhile",
      "commit_synced",
      async (world: TwoSites, worker: Worker): Promise<void> => {
        await new Worker(world, KEY).finish(); // joins
        await worker.until("next_pass");
      },
    ],
    [
      "read back and found to differ again",
      "read_back",
      async (world: TwoSites, worker: Worker): Promise<void> => {
        const current = world.replicaBucket.current(KEY);
        world.replicaBucket.corrupt(KEY, current?.versionId ?? "", new TextEncoder().encode("rot"));
        await worker.until("commit_mismatched");
      },
    ],
  ] as const)("is not counted again of a copy of the same version that is %s", async (_, place, disturb) => {
    const sites = countedSites();
    const { world } = sites;
    put(world, "one");
    await world.settle();
    world.clock.advance(120 * MINUTE_MS); // below a day, since hints that come so late are not counted at all
    await rot(world);
    await verifyReplica(world.secondary, world.refOf(KEY), "checksum_succeeded", Infinity);
    const worker = await new Worker(world, KEY).until(place);
    await disturb(world, worker);
    await worker.finish();
    await world.live(30 * MINUTE_MS);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(await verified(sites)).toBe(1);
  });
});
