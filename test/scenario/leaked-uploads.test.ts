import { describe, expect, test } from "vitest";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { sweepUploads } from "../../shared/services/sweep-uploads.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const DAY_MS = 24 * 60 * 60 * 1_000;

const world = (): TwoSites => twoSites({ copyLimits: SMALL_PARTS });

const begin = async ({ secondary }: TwoSites, key = KEY): Promise<void> => {
  await secondary.replica.beginUpload({ key, storageClass: "STANDARD", headers: {}, metadata: {}, tags: {} });
};

const sweep = (
  { secondary, clock, telemetry, replicables }: TwoSites,
  { stopAt = Infinity, from }: { readonly stopAt?: number; readonly from?: { key: string; uploadId: string } } = {},
) => sweepUploads({ ...secondary, clock, telemetry, replicables, stopAt }, from);

describe("the sweep of uploads", () => {
  test("R25: aborts what nobody wrote down, once it is a day old, and counts it", async () => {
    const sites = world();
    await begin(sites);
    sites.clock.advance(DAY_MS - 2_000);
    expect(await sweep(sites)).toEqual({ seen: 1, aborted: 0 });
    sites.clock.advance(2_000);
    expect(await sweep(sites)).toEqual({ seen: 1, aborted: 1 });
    expect(sites.openUploads()).toEqual([]);
    expect(sites.telemetry.total("UploadLeaked")).toBe(1);
  });

  test("leaves alone what a row names, however old it is, and what was begun beside it is nobody's", async () => {
    const sites = world();
    sites.primaryBucket.put(KEY, "a large object");
    await sites.loseMessages();
    await new Worker(sites, KEY).until("copy_parts");
    const [named] = sites.openUploads();
    await begin(sites);
    sites.clock.advance(2 * DAY_MS);
    expect(await sweep(sites)).toEqual({ seen: 2, aborted: 1 });
    expect(sites.openUploads()).toEqual([named]);
  });

  test("leaves alone keys that no type claims: they are not ours", async () => {
    const sites = world();
    await begin(sites, "somebody/elses/key");
    sites.clock.advance(DAY_MS);
    expect(await sweep(sites)).toEqual({ seen: 1, aborted: 0 });
    expect(sites.openUploads()).toHaveLength(1);
  });

  test("goes through every page, and on where the last one ran out of time", async () => {
    const sites = world();
    for (let number = 0; number < 1_001; number += 1) await begin(sites, `cool_widgets/${number}/widget.bin`);
    sites.clock.advance(DAY_MS);
    const { replica } = sites.secondary;
    const abort = replica.abortUpload.bind(replica);
    replica.abortUpload = (key, uploadId) => {
      sites.clock.advance(1_000);
      return abort(key, uploadId);
    };
    const first = await sweep(sites, { stopAt: sites.clock.now() + 1_000_000 });
    expect(first).toMatchObject({ seen: 1_000, aborted: 1_000, next: { uploadId: expect.any(String) as string } });
    expect(await sweep(sites, first.next === undefined ? {} : { from: first.next })).toEqual({ seen: 1, aborted: 1 });
    expect(sites.openUploads()).toEqual([]);
  });

  test("has no time at all: begins where it was told to", async () => {
    const sites = world();
    await begin(sites);
    expect(await sweep(sites, { stopAt: 0 })).toEqual({ seen: 0, aborted: 0 });
  });

  test("leaves what can not be aborted to the next one", async () => {
    const sites = world();
    await begin(sites);
    sites.clock.advance(DAY_MS);
    sites.replicaFaults.failNext("abortUpload", "unavailable");
    expect(await sweep(sites)).toEqual({ seen: 1, aborted: 0 });
    expect(await sweep(sites)).toEqual({ seen: 1, aborted: 1 });
  });

  test("keeps an upload whose row can not be read, and goes on to the next", async () => {
    const sites = world();
    await begin(sites);
    await begin(sites, "cool_widgets/43/widget.bin");
    sites.clock.advance(2 * DAY_MS);
    await sites.registry.put({ ...rowKey(sites.refOf(KEY)), state: "no number" });
    expect(await sweep(sites)).toEqual({ seen: 2, aborted: 1 });
    expect(sites.openUploads()).toHaveLength(1);
  });

  test("says so when the bucket does not answer", async () => {
    const sites = world();
    sites.replicaFaults.failNext("list", "unavailable");
    await expect(sweep(sites)).rejects.toMatchObject({ code: "GEO_STORE_UNAVAILABLE" });
  });
});
