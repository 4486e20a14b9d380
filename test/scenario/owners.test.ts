import { describe, expect, test } from "vitest";
import { twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const UPLOAD = "achievement_uploads/7/42/avatar.png";
const OWNER = "achievements/42.json";
const NAMES_OWNER = { metadata: { "geo-owner": OWNER } };
const TEXT = `Skipping transfer due to validation error: the record that owns this upload is missing: "${OWNER}"`;

describe("an upload that names its owner (F91)", () => {
  test("is copied while the owner is there", async () => {
    const world = twoSites();
    world.primaryBucket.put(OWNER, "{}");
    world.primaryBucket.put(UPLOAD, "one", NAMES_OWNER);
    await world.settle();
    expect(world.replicaText(UPLOAD)).toBe("one");
    expect(await world.row(UPLOAD)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test("fails with the reason when the owner is gone, is tried again at growing waits, and is copied when it is back", async () => {
    const world = twoSites();
    world.primaryBucket.put(UPLOAD, "one", NAMES_OWNER);
    await world.settle();
    expect(world.replicaText(UPLOAD)).toBeUndefined();
    expect(await world.row(UPLOAD)).toMatchObject({ state: "failed", retry_count: 1, last_sync_failure: TEXT });
    await world.live(3_600_000);
    expect((await world.row(UPLOAD))?.retry_count).toBeGreaterThan(3);
    world.primaryBucket.put(OWNER, "{}");
    await world.live(5 * 3_600_000);
    expect(world.replicaText(UPLOAD)).toBe("one");
  });

  test("keeps the replica that it has, and goes with its own deletion", async () => {
    const world = twoSites();
    world.primaryBucket.put(OWNER, "{}");
    world.primaryBucket.put(UPLOAD, "one", NAMES_OWNER);
    await world.settle();
    world.primaryBucket.deleteCurrent(OWNER);
    world.primaryBucket.put(UPLOAD, "two", NAMES_OWNER);
    await world.settle();
    expect(world.replicaText(UPLOAD)).toBe("one");
    expect(await world.row(UPLOAD)).toMatchObject({ state: "failed", last_sync_failure: TEXT });
    world.primaryBucket.deleteCurrent(UPLOAD);
    await world.live(3_600_000);
    expect(world.replicaText(UPLOAD)).toBeUndefined();
  });

  test("waits when the owner can not be asked for: that is no proof of its absence (R28)", async () => {
    const world = twoSites();
    world.primaryBucket.put(OWNER, "{}");
    world.primaryBucket.put(UPLOAD, "one", NAMES_OWNER);
    const worker = await new Worker(world, UPLOAD).until("ask_owner");
    world.primaryFaults.failNext("head", "forbidden");
    expect(await worker.finish()).toMatchObject({ result: "failed", kind: "forbidden" });
    const row = await world.row(UPLOAD);
    expect(row?.state).toBe("failed");
    expect(row?.last_sync_failure).toContain("Access to the object was denied");
    await world.live(3_600_000);
    expect(world.replicaText(UPLOAD)).toBe("one");
  });
});

test("an object that is no upload names no owner, whatever its metadata says", async () => {
  const world = twoSites();
  const widget = "cool_widgets/42/widget.bin";
  world.primaryBucket.put(widget, "one", NAMES_OWNER);
  await world.settle();
  expect(world.replicaText(widget)).toBe("one");
});
