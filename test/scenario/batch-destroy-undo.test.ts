import { describe, expect, test } from "vitest";
import type { DestroyingSite } from "../../shared/ports/destroy.ts";
import { destroyingWorld, type DestroyingWorld, uploadsOf, withBucket } from "../support/destroying.ts";

const KEYS = uploadsOf(7, 3);
const GROUP = { kind: "namespace", id: "7" } as const;

/** A destroy of three objects that was confirmed. */
const confirmed = async (): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const world = destroyingWorld();
  await world.putAll(KEYS);
  const { id } = await world.plan(GROUP);
  await world.confirm(id, KEYS.length);
  return { world, id };
};

const ALL = { from: 1, to: 1 };

/** The undo's step at the only slice, once. */
const undoOnce = (world: DestroyingWorld, id: string): Promise<unknown> =>
  world.step({ step: "work_on_group", destroy_id: id, work: "undo", group: ALL });

/** A site of which the table does something before a slice is written for the first time. */
const beforeFirstSlice = (site: DestroyingSite, then: () => Promise<unknown>): DestroyingSite => {
  const { siteTable } = site;
  let isFirst = true;
  const put: typeof siteTable.put = async (item, condition) => {
    if (isFirst && item.pk.startsWith("destroy_slice#")) {
      isFirst = false;
      await then();
    }
    return siteTable.put(item, condition);
  };
  return {
    ...site,
    siteTable: {
      name: siteTable.name,
      get: siteTable.get.bind(siteTable),
      update: siteTable.update.bind(siteTable),
      put,
      delete: siteTable.delete.bind(siteTable),
      query: siteTable.query.bind(siteTable),
    },
  };
};

/** A site whose worker dies behind a hiding. */
const dying = ({ site }: DestroyingWorld): DestroyingSite =>
  withBucket(site, {
    hide: async (entries) => {
      await site.bucket.hide(entries);
      throw new Error("died");
    },
  });

describe("F82: an undo while somebody still hides", () => {
  test("waits until nobody can any more, and brings back all that he hid", async () => {
    const { world, id } = await confirmed();
    let left: unknown;
    const slow = withBucket(world.site, {
      hide: async (entries) => {
        await world.cancel(id);
        await world.undo(id);
        left = await undoOnce(world, id);
        return world.site.bucket.hide(entries);
      },
    });
    await world.destroy(id, slow);
    const seconds = (world.site.functionTimeoutMs + 60_000) / 1_000;
    expect(left).toEqual({ ...ALL, more: true, wait_seconds: seconds });
    await world.bringBack(id);
    expect(world.primaryBucket.keys()).toEqual(KEYS);
    expect(await world.progress(id)).toMatchObject({ state: "undone", destroyed_count: 3, restored_count: 3 });
  });

  test("waits also for one whose execution was stopped, and whose slice the next run has finished", async () => {
    const { world, id } = await confirmed();
    const slow = withBucket(world.site, {
      hide: async (entries) => {
        world.workflow.end(`${id}-destroy-1`, { status: "aborted", failure: "stopped" });
        await world.confirm(id, KEYS.length);
        // Its first worker dies, so that the run has also gone on with what it began itself.
        await expect(world.destroy(id, dying(world))).rejects.toThrow("died");
        await world.destroy(id);
        await world.undo(id);
        expect(await undoOnce(world, id)).toMatchObject({ more: true });
        return world.site.bucket.hide(entries);
      },
    });
    await world.destroy(id, slow);
    await world.bringBack(id);
    expect(world.primaryBucket.keys()).toEqual(KEYS);
  });

  test("does not wait for one who has ended, nor for one whom the machine has called again", async () => {
    const { world, id } = await confirmed();
    await expect(world.destroy(id, dying(world))).rejects.toThrow("died");
    await world.destroy(id);
    await world.undo(id);
    expect(await undoOnce(world, id)).toMatchObject({ more: false, wait_seconds: 0 });
  });

  test("keeps one who has not begun from beginning", async () => {
    const { world, id } = await confirmed();
    const late = beforeFirstSlice(world.site, async () => {
      await world.cancel(id);
      await world.undo(id);
      await world.bringBack(id);
    });
    await world.destroy(id, late);
    expect(world.primaryBucket.keys()).toEqual(KEYS);
    expect(world.bucket.requests.hide).toBe(0);
  });

  test("keeps one who was asked long ago from beginning, whatever the record says by then", async () => {
    const { world, id } = await confirmed();
    await world.cancel(id);
    await world.undo(id);
    await world.bringBack(id);
    await world.primarySiteTable.update({
      key: { pk: "destroy", sk: id },
      update: "SET destroy_state = :destroying",
      values: { ":destroying": "destroying" },
    });
    await world.destroy(id);
    expect(world.primaryBucket.keys()).toEqual(KEYS);
  });
});

test("F82: an undo brings back an object that S3 hid and said it had failed to", async () => {
  const { world, id } = await confirmed();
  const [key = ""] = KEYS;
  let tries = 0;
  const failing = withBucket(world.site, {
    hide: async (entries) => {
      tries += 1;
      const others = entries.filter((entry) => entry.key !== key);
      const hidden = others.length === 0 ? [] : await world.site.bucket.hide(others);
      // The last try is carried out.
      if (tries === 3) await world.site.bucket.hide(entries.filter((entry) => entry.key === key));
      return [...hidden, { key, outcome: "failed", detail: "InternalError" }];
    },
  });
  await world.destroy(id, failing);
  expect(await world.progress(id)).toMatchObject({ state: "incomplete", destroyed_count: 2, failed_count: 1 });
  await world.undo(id);
  await world.bringBack(id);
  expect(world.primaryBucket.keys()).toEqual(KEYS);
  expect(await world.progress(id)).toMatchObject({ state: "undone", destroyed_count: 3, restored_count: 3 });
});

test("F82: an undo that is asked for again leaves alone what somebody has deleted since", async () => {
  const { world, id } = await confirmed();
  const [key = "", other = ""] = KEYS;
  const failing = withBucket(world.site, {
    hide: async (entries) => {
      const others = entries.filter((entry) => entry.key !== key);
      const hidden = others.length === 0 ? [] : await world.site.bucket.hide(others);
      return [...hidden, { key, outcome: "failed", detail: "AccessDenied" }];
    },
  });
  await world.destroy(id, failing);
  await world.undo(id);
  const refusing = withBucket(world.site, {
    bringBack: (request) =>
      request.key === other
        ? Promise.resolve({ outcome: "failed", failure: { kind: "throttled", detail: "503" } })
        : world.site.bucket.bringBack(request),
  });
  await world.bringBack(id, refusing);
  world.primaryBucket.deleteCurrent(key);
  await world.undo(id);
  await world.bringBack(id);
  expect(world.primaryBucket.keys()).toEqual(KEYS.slice(1));
  expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 2, restore_failed_count: 0 });
});

test("F82: copies whose end a step may not see are left to the next one, and nothing of it is called failed", async () => {
  const { world, id } = await confirmed();
  await world.destroy(id);
  await world.undo(id);
  let copies = 0;
  const slow = withBucket(world.site, {
    bringBack: (request) => {
      copies += 1;
      world.clock.advance(150_000); // of the four minutes that a step has
      return world.site.bucket.bringBack(request);
    },
  });
  await world.bringBack(id, slow);
  expect(copies).toBe(KEYS.length);
  expect(world.primaryBucket.keys()).toEqual(KEYS);
  expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 3, restore_failed_count: 0 });
});

test.each([
  ["that is throttled once", { outcome: "failed", failure: { kind: "throttled", detail: "503" } }],
  ["whose answer is lost", { outcome: "unknown", detail: "no answer" }],
] as const)("F82: a copy %s is tried again at once", async (_, outcome) => {
  const { world, id } = await confirmed();
  await world.destroy(id);
  await world.undo(id);
  let copies = 0;
  const flaky = withBucket(world.site, {
    bringBack: async (request) => {
      copies += 1;
      if (copies === 1 && outcome.outcome === "failed") return outcome;
      const copied = await world.site.bucket.bringBack(request);
      return copies === 1 ? outcome : copied;
    },
  });
  await world.bringBack(id, flaky);
  expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 3, restore_failed_count: 0 });
  expect(KEYS.map((key) => world.primaryBucket.versions(key).length)).toEqual([3, 3, 3]);
});

test("F82: an undo whose slice the watching of secondaries writes at the same time is done all the same", async () => {
  const { world, id } = await confirmed();
  await world.destroy(id);
  await world.follow();
  await world.undo(id);
  // The barrier has read the destroy before it was undone.
  const key = { pk: `destroy_slice#${id}`, sk: "00000001" };
  const overtaken = beforeFirstSlice(world.site, () =>
    world.primarySiteTable.update({ key, update: "SET rev = rev + :one", values: { ":one": 1 } }),
  );
  await world.bringBack(id, overtaken);
  expect(world.primaryBucket.keys()).toEqual(KEYS);
  expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 3, restore_failed_count: 0 });
});
