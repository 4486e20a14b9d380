import { expect, test } from "vitest";
import { leaseMs } from "../../shared/geo/limits.ts";
import { askForResync } from "../support/ask-for-resync.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";

const replicaVersions = (world: TwoSites): number => world.replicaBucket.versions(KEY).length;

const syncedWorld = async (): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  expect(replicaVersions(world)).toBe(1);
  return world;
};

test("a resync copies again what is synced and verified, and reads it back again (F18)", async () => {
  const world = await syncedWorld();
  const before = await world.row(KEY);
  world.clock.advance(60_000);
  await askForResync(world, KEY);
  await world.settle();
  expect(replicaVersions(world)).toBe(2);
  const row = await world.row(KEY);
  expect(row).toMatchObject({ state: "synced", verification_state: "succeeded", gen: 2, done_gen: 2 });
  expect(row?.rep_version_id).not.toBe(before?.rep_version_id);
  expect(row?.verified_at).toBeGreaterThan(before?.verified_at ?? 0);
  expect(row).not.toHaveProperty("resync_requested");
});

test("an ordinary hint copies nothing that is there already", async () => {
  const world = await syncedWorld();
  await new Worker(world, KEY).finish();
  expect(replicaVersions(world)).toBe(1);
});

test("a resync that fails is remembered until a copy was made", async () => {
  const world = await syncedWorld();
  world.primaryFaults.failNext("head", "unavailable");
  await askForResync(world, KEY);
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "failed", resync_requested: true });
  await world.live(5 * 60_000);
  expect(replicaVersions(world)).toBe(2);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
});

test("a resync that comes while somebody copies is done after them", async () => {
  const world = await syncedWorld();
  world.primaryBucket.put(KEY, "two");
  await world.loseMessages();
  const worker = await new Worker(world, KEY).until("commit_synced");
  await askForResync(world, KEY);
  await world.settle();
  await worker.finish();
  // One copy by the worker's first pass, one because of the request.
  expect(replicaVersions(world)).toBe(3);
  expect(world.replicaText(KEY)).toBe("two");
  expect(await world.row(KEY)).not.toHaveProperty("resync_requested");
});

test("a resync that finds a dead worker's row takes it over", async () => {
  const world = await syncedWorld();
  await new Worker(world, KEY).until("observe_source");
  world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1_000);
  await askForResync(world, KEY);
  await world.settle();
  expect(replicaVersions(world)).toBe(2);
});

test("a resync of a key that the primary does not hold forgets it, and the request with it", async () => {
  const world = twoSites();
  await askForResync(world, KEY);
  await world.settle();
  expect(await world.row(KEY)).toBeUndefined();
  expect(replicaVersions(world)).toBe(0);
});

test("the operator's correlation id is in the consumer's log (F43)", async () => {
  const world = await syncedWorld();
  await askForResync(world, KEY);
  await world.settle();
  const lines = world.telemetry.lines.filter(({ fields }) => fields["correlation_id"] === "an-operator");
  expect(lines.map(({ event }) => event)).toEqual(["synced"]);
});

test("the id of the S3 request that made a change is in the consumer's log (F43)", async () => {
  const world = twoSites();
  const requests: unknown[] = [];
  world.primaryBucket.onEvent((body) => {
    const { Records } = JSON.parse(body) as { Records: { responseElements: Record<string, string> }[] };
    requests.push(Records[0]?.responseElements["x-amz-request-id"]);
  });
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  expect(requests).toHaveLength(1);
  expect(world.telemetry.linesOf("synced").map(({ fields }) => fields["correlation_id"])).toEqual(requests);
});
