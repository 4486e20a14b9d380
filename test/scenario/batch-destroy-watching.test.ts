import { describe, expect, test } from "vitest";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import type { DestroyingSite, WatchedSecondary } from "../../shared/ports/destroy.ts";
import { readSlice } from "../../shared/services/batch-destroy/stored-destroy.ts";
import { listReleases, releasedIds } from "../../shared/tables/site/destroy-release.ts";
import { destroyingWorld, type DestroyingWorld, uploadsOf, withBucket } from "../support/destroying.ts";

const GROUP = { kind: "namespace", id: "7" } as const;

/** A destroy that was confirmed. */
const confirmed = async (objects: number): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const world = destroyingWorld();
  await world.putAll(uploadsOf(7, objects));
  const { id } = await world.plan(GROUP);
  await world.confirm(id, objects);
  return { world, id };
};

/** The same, and no secondary has copied any object but the first of them: of most there is no row. */
const uncopied = async (objects: number): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const world = destroyingWorld();
  const [first = "", ...others] = uploadsOf(7, objects).toSorted();
  await world.putAll([first]);
  for (const key of others) world.primaryBucket.put(key, "");
  const { id } = await world.plan(GROUP);
  await world.confirm(id, objects);
  return { world, id };
};

/** What removal guards let through now. */
const released = async ({ site, clock }: DestroyingWorld): Promise<readonly string[]> =>
  releasedIds((await site.siteTable.query(listReleases)).items, clock.now());

/** A site whose secondaries answer otherwise. */
const withSecondaries = (
  site: DestroyingSite,
  otherwise: (one: WatchedSecondary) => WatchedSecondary,
): DestroyingSite => ({ ...site, secondaries: async () => (await site.secondaries()).map(otherwise) });

/** A site whose secondaries have no row of anything any more. */
const gone = ({ site }: DestroyingWorld): DestroyingSite =>
  withSecondaries(site, (one) => ({ ...one, registry: { getMany: () => Promise.resolve([]) } }));

/** A site whose bucket does not hide one key. */
const refusing = ({ site }: DestroyingWorld, key: string): DestroyingSite =>
  withBucket(site, {
    hide: async (entries) => {
      const others = entries.filter((entry) => entry.key !== key);
      const hidden = others.length === 0 ? [] : await site.bucket.hide(others);
      const failed = { key, outcome: "failed", detail: "500" } as const;
      return others.length === entries.length ? hidden : [...hidden, failed];
    },
  });

const firstGroup = { from: 1, to: 1 };

describe("F82: a run of a destroy that left slices behind", () => {
  test("does not take away the release of the run that hides them", async () => {
    const { world, id } = await uncopied(1_001);
    await world.step({ step: "work_on_group", destroy_id: id, work: "destroy", group: firstGroup });
    await world.conclude(id, "destroy");
    expect(await world.progress(id)).toMatchObject({ state: "incomplete", slices_done_count: 1 });
    const first = { step: "look_at_secondaries", destroy_id: id, run: 1 };
    expect(await world.step({ ...first, looks: 0 })).toMatchObject({ done: false });
    await world.confirm(id, 1_001);
    // The first run ends: the second looks itself.
    expect(await world.step({ ...first, looks: 1 })).toMatchObject({ done: true });
    expect(await released(world)).toEqual([id]);
    await world.destroy(id);
    expect(await world.look(id, 0, gone(world))).toMatchObject({ done: true });
    expect(await released(world)).toEqual([]);
  });

  test("keeps its release although all that it hid has been followed", async () => {
    const { world, id } = await uncopied(1_001);
    await world.step({ step: "work_on_group", destroy_id: id, work: "destroy", group: firstGroup });
    await world.conclude(id, "destroy");
    expect(await world.look(id, 0, gone(world))).toMatchObject({ done: true });
    expect(await released(world)).toEqual([id]);
  });

  test("has the objects waited for that the next run hides in a slice that was followed", async () => {
    const { world, id } = await confirmed(3);
    const [key = ""] = uploadsOf(7, 3);
    await world.destroy(id, refusing(world, key));
    expect(await world.progress(id)).toMatchObject({ state: "incomplete", failed_count: 1 });
    await world.follow();
    expect(await world.look(id)).toMatchObject({ done: true });
    await world.confirm(id, 3);
    await world.destroy(id);
    expect(await world.progress(id)).toMatchObject({ state: "destroyed", destroyed_count: 3 });
    expect(world.shownBy(0)).toEqual([key]);
    expect(await world.look(id)).toMatchObject({ done: false });
    await world.follow();
    expect(await world.look(id)).toMatchObject({ done: true });
  });
});

describe("F82: a secondary that does not answer", () => {
  test("is behind, and all others are watched", async () => {
    const { world, id } = await confirmed(1);
    await world.destroy(id);
    await world.follow();
    const silent = withSecondaries(world.site, (one) =>
      one.name === "dublin"
        ? {
            ...one,
            registry: { getMany: () => Promise.reject(new TableUnavailableError("ResourceNotFoundException")) },
          }
        : one,
    );
    expect(await world.look(id, 0, silent)).toMatchObject({ done: false });
    expect(await readSlice(world.site.siteTable, id, 1)).toMatchObject({ slice: { followed_by: ["oslo"] } });
    expect(await released(world)).toEqual([id]);
    expect(await world.look(id)).toMatchObject({ done: true });
  });
});

test("F82: rows that do not follow in the first slices do not hide that others have followed", async () => {
  const { world, id } = await uncopied(3_001);
  await world.destroy(id);
  const keys = uploadsOf(7, 3_001).toSorted();
  const row = await world.followers[0].registry.get(rowKey(world.refOf(keys[0] ?? "")));
  const stuck = new Set([keys[0], keys[1_000], keys[2_000]]);
  // All rows are gone but one in each of the first three slices.
  const behind = withSecondaries(world.site, (one) => ({
    ...one,
    registry: {
      getMany: async (asked) => asked.filter(({ sk }) => stuck.has(sk)).map(({ pk, sk }) => ({ ...row, pk, sk })),
    },
  }));
  expect(await world.look(id, 0, behind)).toMatchObject({ done: false });
  expect((await world.progress(id)).secondaries).toMatchObject({ dublin: { slices_followed_count: 0 } });
  for (let looks = 1; looks < 6; looks += 1) await world.look(id, looks, behind);
  expect((await world.progress(id)).secondaries).toEqual({
    dublin: { slices_followed_count: 1 },
    oslo: { slices_followed_count: 1 },
  });
});
