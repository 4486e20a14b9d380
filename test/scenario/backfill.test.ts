import { describe, expect, test, vi } from "vitest";
import { COUNT_METRICS } from "../../shared/geo/metrics.ts";
import { consumeBatch } from "../support/consume-batch.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";

const keyOf = (id: number): string => `cool_widgets/${id}/widget.bin`;
const ids = (count: number, from = 1): readonly number[] => Array.from({ length: count }, (_, index) => from + index);

/** Carries what a walk handed over to its end. */
const takeUp = async (world: TwoSites, { backfill }: ReturnType<typeof walkingSecondary>): Promise<void> => {
  while (await consumeBatch(world, backfill));
  await world.settle();
};

describe("a pass over thousands of objects (F40, F44, F104)", () => {
  test("finds every lost event, creations, changes, copies onto themselves and deletions alike, for a few requests", async () => {
    const world = twoSites();
    for (const id of ids(1_950)) world.primaryBucket.put(keyOf(id), `object ${id}`);
    await world.settle();
    world.clock.advance(60_000);

    const [overwritten, relabelled, deleted] = [ids(15), ids(5, 101), ids(10, 201)];
    for (const id of ids(20, 1_951)) world.primaryBucket.put(keyOf(id), `object ${id}`);
    for (const id of overwritten) world.primaryBucket.put(keyOf(id), `OBJECT ${id}`);
    for (const id of relabelled) world.primaryBucket.put(keyOf(id), `object ${id}`, { metadata: { owner: "new" } });
    for (const id of deleted) world.primaryBucket.deleteCurrent(keyOf(id));
    await world.loseMessages();

    const walking = walkingSecondary(world);
    expect((await walking.walk()).findings).toMatchObject({
      listed: 1_970,
      missing: 20,
      stale: 20,
      orphan: 10,
      enqueued: 50,
    });
    // Two pages of each side and one look at each of the other types, a hundred rows in a request, and the finds of a page in one
    // message, those that have a replica apart.
    const otherTypes = world.replicables.length - 1;
    const { lists } = walking.requests;
    expect(lists.primary).toBeLessThanOrEqual(3 + otherTypes);
    expect(lists.replica).toBeLessThanOrEqual(3 + otherTypes);
    expect(walking.requests).toMatchObject({ rowKeys: 1_970, messages: 3 });
    expect(walking.requests.rowBatches).toBeLessThanOrEqual(21);

    await takeUp(world, walking);
    expect(world.replicaBucket.keys()).toEqual(world.primaryBucket.keys());
    for (const key of world.primaryBucket.keys()) {
      const [source, replica] = [world.primaryBucket.current(key), world.replicaBucket.current(key)];
      if (source?.kind !== "object" || replica?.kind !== "object") throw new Error(`${key} is not an object here`);
      expect(replica).toMatchObject({ etag: source.etag, metadata: source.metadata });
    }
    const next = await walking.walk({ everyMs: 0 });
    expect(next.findings).toMatchObject({ listed: 1_960, missing: 0, stale: 0, orphan: 0, enqueued: 0 });
  });

  test("adopts replicas that hold the same already: every row synced and verified, and nothing copied", async () => {
    const world = twoSites();
    for (const id of ids(300)) {
      world.primaryBucket.put(keyOf(id), `object ${id}`, { metadata: { owner: "same" } });
      world.replicaBucket.put(keyOf(id), `object ${id}`, { metadata: { owner: "same" } });
    }
    await world.loseMessages();
    const copies = vi.spyOn(world.secondary.replica, "copyFromPrimary");
    const removals = vi.spyOn(world.secondary.replica, "remove");
    const walking = walkingSecondary(world);
    await walking.walk();
    await takeUp(world, walking);
    expect(world.registry.items()).toHaveLength(300);
    for (const id of ids(300)) {
      expect(await world.row(keyOf(id))).toMatchObject({ state: "synced", verification_state: "succeeded" });
    }
    // The walk has seen that something is there, so that not even a copy is sent that S3 would refuse.
    expect(copies).not.toHaveBeenCalled();
    for (const id of ids(300)) expect(world.replicaBucket.versions(keyOf(id))).toHaveLength(1);
    expect(removals).not.toHaveBeenCalled();
    expect(world.telemetry.total(COUNT_METRICS.bytesCopied)).toBe(0);
  });
});
