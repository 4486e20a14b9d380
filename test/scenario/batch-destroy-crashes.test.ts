import { describe, expect, test } from "vitest";
import type { DestroyingSite } from "../../shared/ports/destroy.ts";
import { destroyingWorld, type DestroyingWorld, withBucket } from "../support/destroying.ts";
import { Died, mortal, overtakenSite } from "../support/mortal-destroyer.ts";

const KEYS = ["1", "2", "3"].map((record) => `namespace_uploads/7/${record}/avatar.png`);
const GROUP = { kind: "namespace", id: "7" } as const;

/** A world with three objects, of which the second is overwritten after the dry run. */
const begin = async (): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const world = destroyingWorld();
  await world.putAll(KEYS);
  const { id } = await world.plan(GROUP);
  world.clock.advance(1_000);
  world.primaryBucket.put(KEYS[1] ?? "", "newer");
  await world.confirm(id, 3);
  return { world, id };
};

/** Everything that may be seen of a destroy from outside, however its workers died. */
const outcomeOf = async (world: DestroyingWorld, id: string) => {
  await world.follow();
  const { state, destroyed_count, kept_count, gone_count, failed_count, events_count } = await world.progress(id);
  return {
    state,
    counts: { destroyed_count, kept_count, gone_count, failed_count, events_count },
    told: [...new Set(world.announced.map((event) => event.payload.blob_path))].sort(),
    events: new Set(world.announced.map((event) => event.id)).size,
    markers: KEYS.map((key) => world.primaryBucket.versions(key).filter(({ kind }) => kind === "delete_marker").length),
    shown: world.shownBy(0),
  };
};

const DONE = {
  state: "destroyed",
  counts: { destroyed_count: 2, kept_count: 1, gone_count: 0, failed_count: 0, events_count: 2 },
  told: [KEYS[0], KEYS[2]],
  events: 2,
  markers: [1, 0, 1],
  shown: [KEYS[1]],
};

/** How many calls a run makes that nobody disturbs. */
const callsOf = async (run: (world: DestroyingWorld, id: string, site: DestroyingSite) => Promise<unknown>) => {
  const { world, id } = await begin();
  const whole = mortal(world.site, 0);
  await run(world, id, whole.site);
  return whole.calls();
};

/** A destroy that is undone, the undoing by the given site. */
const undone = async (world: DestroyingWorld, id: string, site: DestroyingSite) => {
  await world.destroy(id);
  await world.undo(id);
  await world.bringBack(id, site);
};

/** A dry run that goes on after its worker has died. */
const plan = async (world: DestroyingWorld, site: DestroyingSite) => {
  const { id } = await world.ask(GROUP);
  await world.step({ step: "build_manifest", destroy_id: id }, site).catch((error: unknown) => {
    if (!(error instanceof Died)) throw error;
  });
  await world.step({ step: "build_manifest", destroy_id: id });
  return world.progress(id);
};

/** A destroy whose worker dies behind a hiding that nobody wrote down; it was cancelled, and is to be undone. */
const hidesAndDies = async (world: DestroyingWorld, id: string) => {
  const dying = withBucket(world.site, {
    hide: async (entries) => {
      await world.site.bucket.hide(entries);
      throw new Died("after hide");
    },
  });
  await expect(world.destroy(id, dying)).rejects.toThrow(Died);
  await world.cancel(id);
  await world.undo(id);
};

describe("F82: a worker that dies in any of its calls has no second effect", () => {
  test("while it hides: each object is hidden once, told by one event and counted once", async () => {
    const calls = await callsOf((world, id, site) => world.destroy(id, site));
    expect(calls).toBeGreaterThan(30);
    for (let diesAt = 1; diesAt <= calls; diesAt += 1) {
      const { world, id } = await begin();
      const { site } = mortal(world.site, diesAt);
      await expect(world.destroy(id, site)).rejects.toThrow(Died);
      await world.destroy(id);
      expect({ at: `${diesAt} of ${calls}`, ...(await outcomeOf(world, id)) }).toEqual({
        at: `${diesAt} of ${calls}`,
        ...DONE,
      });
    }
  });

  test("while it brings back: each object comes back once", async () => {
    const calls = await callsOf(undone);
    for (let diesAt = 1; diesAt <= calls; diesAt += 1) {
      const { world, id } = await begin();
      await expect(undone(world, id, mortal(world.site, diesAt).site)).rejects.toThrow(Died);
      await world.bringBack(id);
      expect({ at: `${diesAt} of ${calls}`, ...(await world.progress(id)) }).toMatchObject({
        at: `${diesAt} of ${calls}`,
        state: "undone",
        restored_count: 2,
        not_restored_count: 0,
        restore_failed_count: 0,
      });
      expect(KEYS.map((key) => world.primaryBucket.versions(key).length)).toEqual([3, 2, 3]);
    }
  });

  test("while it hides, and is cancelled and undone: everything is back, also what nobody wrote down", async () => {
    const calls = await callsOf((world, id, site) => world.destroy(id, site));
    for (let diesAt = 1; diesAt <= calls; diesAt += 1) {
      const { world, id } = await begin();
      await expect(world.destroy(id, mortal(world.site, diesAt).site)).rejects.toThrow(Died);
      await world.cancel(id);
      expect(await world.undo(id)).toMatchObject({ outcome: "done" });
      await world.bringBack(id);
      const { state, destroyed_count: hidden, restored_count: back, ...rest } = await world.progress(id);
      const at = `${diesAt} of ${calls}`;
      expect({ at, shown: world.primaryBucket.keys() }).toEqual({ at, shown: KEYS });
      expect({ at, state, missing: hidden - back, ...rest }).toMatchObject({
        at,
        state: "undone",
        missing: 0,
        not_restored_count: 0,
        restore_failed_count: 0,
      });
      await world.follow();
      expect({ at, shown: world.shownBy(0) }).toEqual({ at, shown: KEYS });
    }
  });

  test("while it brings back what another one hid and did not write down: each object comes back once", async () => {
    const { world: whole, id: first } = await begin();
    await hidesAndDies(whole, first);
    const counted = mortal(whole.site, 0);
    await whole.bringBack(first, counted.site);
    for (let diesAt = 1; diesAt <= counted.calls(); diesAt += 1) {
      const { world, id } = await begin();
      await hidesAndDies(world, id);
      await expect(world.bringBack(id, mortal(world.site, diesAt).site)).rejects.toThrow(Died);
      await world.bringBack(id);
      const at = `${diesAt} of ${counted.calls()}`;
      expect({ at, ...(await world.progress(id)) }).toMatchObject({ at, state: "undone", restored_count: 2 });
      expect({ at, versions: KEYS.map((key) => world.primaryBucket.versions(key).length) }).toEqual({
        at,
        versions: [3, 2, 3],
      });
    }
  });

  test("while it lists: the manifest names each object once", async () => {
    const { world: first } = await begin();
    const whole = mortal(first.site, 0);
    await plan(first, whole.site);
    for (let diesAt = 1; diesAt <= whole.calls(); diesAt += 1) {
      const { world } = await begin();
      const planned = await plan(world, mortal(world.site, diesAt).site);
      expect({ at: `${diesAt} of ${whole.calls()}`, ...planned }).toMatchObject({
        at: `${diesAt} of ${whole.calls()}`,
        state: "planned",
        object_count: 3,
        slices_count: 1,
      });
    }
  });
});

describe("F82: two workers at one slice", () => {
  test("hide each object once and count it once, however they overlap", async () => {
    const calls = await callsOf((world, id, site) => world.destroy(id, site));
    for (let overtakenAt = 1; overtakenAt <= calls; overtakenAt += 1) {
      const { world, id } = await begin();
      await world.destroy(
        id,
        overtakenSite(world.site, overtakenAt, () => world.destroy(id)),
      );
      expect({ at: `${overtakenAt} of ${calls}`, ...(await outcomeOf(world, id)) }).toEqual({
        at: `${overtakenAt} of ${calls}`,
        ...DONE,
      });
    }
  });

  test("bring each object back once and count it once, however they overlap", async () => {
    const calls = await callsOf(undone);
    for (let overtakenAt = 1; overtakenAt <= calls; overtakenAt += 1) {
      const { world, id } = await begin();
      await undone(
        world,
        id,
        overtakenSite(world.site, overtakenAt, () => world.bringBack(id)),
      );
      const at = `${overtakenAt} of ${calls}`;
      expect({ at, ...(await world.progress(id)) }).toMatchObject({
        at,
        state: "undone",
        restored_count: 2,
        not_restored_count: 0,
        restore_failed_count: 0,
      });
      expect({ at, versions: KEYS.map((key) => world.primaryBucket.versions(key).length) }).toEqual({
        at,
        versions: [3, 2, 3],
      });
    }
  });
});
