import { describe, expect, test } from "vitest";
import { WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import {
  cancelDestroy,
  confirmDestroy,
  type DestroyAsking,
  requestDestroy,
  undoDestroy,
} from "../../shared/services/batch-destroy/ask-for-destroy.ts";
import { listDestroys } from "../../shared/services/batch-destroy/describe-destroy.ts";
import { listReleases, releaseDestroy, releasedIds } from "../../shared/tables/site/destroy-release.ts";
import { destroyingWorld, type DestroyingWorld, uploadsOf } from "../support/destroying.ts";

const GROUP = { kind: "namespace", id: "7" } as const;
const COUNT = 2;

/** A world in which a destroy of two objects is planned. */
const planned = async (): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const world = destroyingWorld();
  await world.putAll(uploadsOf(7, COUNT));
  const { id } = await world.plan(GROUP);
  return { world, id };
};

/** The same, and its first run has left it incomplete. */
const incomplete = async (): Promise<{ readonly world: DestroyingWorld; readonly id: string }> => {
  const { world, id } = await planned();
  await world.confirm(id, COUNT);
  await world.conclude(id, "destroy");
  expect(await world.progress(id)).toMatchObject({ state: "incomplete" });
  return { world, id };
};

/** A port that does something else first, the first time that it is asked for this. */
const first = <Port extends object>(port: Port, method: keyof Port & string, then: () => Promise<unknown>): Port => {
  let isFirst = true;
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        if (name === method && isFirst) {
          isFirst = false;
          await then();
        }
        return Reflect.apply(value, target, args);
      };
    },
  });
};

/** An operator whose first write of this kind is overtaken by another one. */
const overtaken = (
  { asking }: DestroyingWorld,
  method: "update" | "put" | "delete",
  then: () => Promise<unknown>,
): DestroyAsking => ({ ...asking, siteTable: first(asking.siteTable, method, then) });

const released = async ({ site, clock }: DestroyingWorld): Promise<readonly string[]> =>
  releasedIds((await site.siteTable.query(listReleases)).items, clock.now());

const names = ({ workflow }: DestroyingWorld): readonly string[] => workflow.executions.map(({ name }) => name);

describe("F82: a confirmation that somebody cancels under way", () => {
  test.each(["update", "put"] as const)("before its first %s leaves parent and guards as they were", async (method) => {
    const { world, id } = await planned();
    const other = await world.plan(GROUP);
    const asking = overtaken(world, method, () => world.cancel(id));
    expect(await confirmDestroy(asking, id, COUNT, "one")).toMatchObject({ outcome: "conflict" });
    expect(await released(world)).toEqual([]);
    expect(await world.cancel(id)).toMatchObject({ outcome: "conflict" });
    expect(await world.confirm(other.id, COUNT)).toMatchObject({ outcome: "done" });
  });

  test("of a destroy that has hidden some goes on to be let through", async () => {
    const { world, id } = await incomplete();
    const asking = overtaken(world, "put", () => world.cancel(id));
    expect(await confirmDestroy(asking, id, COUNT, "one")).toMatchObject({ outcome: "conflict" });
    expect(await released(world)).toEqual([id]);
  });

  test("whose operator then dies leaves a lock that the next destroy takes away", async () => {
    const { world, id } = await planned();
    const other = await world.plan(GROUP);
    const dying = overtaken(world, "put", async () => {
      await world.cancel(id);
      throw new Error("died");
    });
    // Cancelled before it was locked, so that nobody unlocks it.
    const asking = { ...dying, siteTable: first(dying.siteTable, "update", () => world.cancel(id)) };
    await expect(confirmDestroy(asking, id, COUNT, "one")).rejects.toThrow("died");
    expect(await world.confirm(other.id, COUNT)).toMatchObject({ outcome: "done" });
  });
});

test("F82: a confirmation against another one of the same destroy: one of them begins it, and both leave it locked and released", async () => {
  const { world, id } = await planned();
  const other = await world.plan(GROUP);
  const asking = overtaken(world, "put", () => world.confirm(id, COUNT));
  expect(await confirmDestroy(asking, id, COUNT, "one")).toMatchObject({ outcome: "conflict" });
  expect(names(world).filter((name) => name.includes("destroy"))).toEqual([`${id}-destroy-1`]);
  expect(await released(world)).toEqual([id]);
  expect(await world.confirm(other.id, COUNT)).toMatchObject({ outcome: "conflict" });
});

describe("F82: an undo", () => {
  test("that loses against a confirmation leaves the release of the one that goes on", async () => {
    const { world, id } = await incomplete();
    const asking = overtaken(world, "put", () => world.confirm(id, COUNT));
    expect(await undoDestroy(asking, id)).toMatchObject({ outcome: "conflict" });
    expect(await world.progress(id)).toMatchObject({ state: "destroying" });
    expect(await released(world)).toEqual([id]);
  });

  test("takes the release away when it can not be confirmed any more, and not before", async () => {
    const { world, id } = await incomplete();
    let confirmed: unknown;
    const asking = overtaken(world, "delete", async () => void (confirmed = await world.confirm(id, COUNT)));
    expect(await undoDestroy(asking, id)).toMatchObject({ outcome: "done" });
    expect(confirmed).toMatchObject({ outcome: "conflict", problem: expect.stringMatching(/it is undoing/) });
    expect(await released(world)).toEqual([]);
  });

  test("that wins against a confirmation leaves no release", async () => {
    const { world, id } = await incomplete();
    const asking = overtaken(world, "put", () => world.undo(id));
    expect(await confirmDestroy(asking, id, COUNT, "one")).toMatchObject({ outcome: "conflict" });
    expect(await world.progress(id)).toMatchObject({ state: "undoing" });
    expect(await released(world)).toEqual([]);
  });

  test("that is asked for twice is one, also before it was started", async () => {
    const { world, id } = await incomplete();
    const asking = { ...world.asking, destroys: first(world.workflow, "start", () => world.undo(id)) };
    expect(await undoDestroy(asking, id)).toMatchObject({ outcome: "done" });
    expect(names(world).filter((name) => name.includes("undo"))).toEqual([`${id}-undo-1`]);
  });
});

describe("F82: a run that ends while the next one begins", () => {
  test("leaves the parent locked", async () => {
    const { world, id } = await planned();
    const other = await world.plan(GROUP);
    await world.confirm(id, COUNT);
    const { siteTable } = world.site;
    // It has written that it is incomplete, and is about to unlock the parent.
    const late = { ...world.site, siteTable: first(siteTable, "delete", () => world.confirm(id, COUNT)) };
    await world.conclude(id, "destroy", late);
    expect(await world.progress(id)).toMatchObject({ state: "destroying" });
    expect(await world.confirm(other.id, COUNT)).toMatchObject({ outcome: "conflict" });
  });

  test("says nothing of the next one", async () => {
    const { world, id } = await incomplete();
    await world.confirm(id, COUNT);
    for (const step of ["conclude", "note_failure"]) {
      await world.step({ step, destroy_id: id, work: "destroy", run: 1 });
      expect(await world.progress(id)).toMatchObject({ state: "destroying", problem: null });
    }
  });
});

describe("F82: a second confirmation", () => {
  test("between the first one's write and its start starts the same run", async () => {
    const { world, id } = await planned();
    const asking = { ...world.asking, destroys: first(world.workflow, "start", () => world.confirm(id, COUNT)) };
    expect(await confirmDestroy(asking, id, COUNT, "one")).toMatchObject({ outcome: "done" });
    expect(names(world).filter((name) => name.includes("destroy"))).toEqual([`${id}-destroy-1`]);
  });

  test("starts a run that was written down and never started", async () => {
    const { world, id } = await planned();
    const down = first(world.workflow, "start", () => Promise.reject(new WorkflowUnavailableError("down")));
    await expect(confirmDestroy({ ...world.asking, destroys: down }, id, COUNT, "one")).rejects.toThrow("down");
    expect(await world.confirm(id, COUNT)).toMatchObject({ outcome: "done" });
    expect(names(world)).toContain(`${id}-destroy-1`);
  });
});

describe("F82: a workflow that gives up", () => {
  const failure = { Error: "Error", Cause: '{"errorMessage":"no table"}' };
  const problem = "its workflow failed: Error: no table";

  test("while it plans: the dry run is refused, and says why", async () => {
    const world = destroyingWorld();
    await world.putAll(uploadsOf(7, COUNT));
    const { id } = await world.ask(GROUP);
    await world.step({ step: "note_failure", destroy_id: id, work: "plan", run: 1, failure });
    expect(await world.progress(id)).toMatchObject({ state: "refused", problem });
    expect(await world.confirm(id, COUNT)).toMatchObject({ outcome: "conflict" });
  });

  test("while it hides: the destroy is incomplete, its parent is free, and it can be gone on with", async () => {
    const { world, id } = await planned();
    const other = await world.plan(GROUP);
    await world.confirm(id, COUNT);
    await world.step({ step: "note_failure", destroy_id: id, work: "destroy", run: 1, failure });
    expect(await world.progress(id)).toMatchObject({ state: "incomplete", problem });
    expect(await world.confirm(other.id, COUNT)).toMatchObject({ outcome: "done" });
    await world.cancel(other.id);
    await world.confirm(id, COUNT);
    await world.destroy(id);
    expect(await world.progress(id)).toMatchObject({ state: "destroyed", problem: null, destroyed_count: COUNT });
  });

  test("while it brings back: what is not back counts as failed, and is brought back by the next undo", async () => {
    const { world, id } = await planned();
    await world.confirm(id, COUNT);
    await world.destroy(id);
    await world.undo(id);
    await world.step({ step: "note_failure", destroy_id: id, work: "undo", run: 1, failure });
    expect(await world.progress(id)).toMatchObject({ state: "undone", problem, restore_failed_count: COUNT });
    await world.undo(id);
    await world.bringBack(id);
    expect(await world.progress(id)).toMatchObject({
      state: "undone",
      problem: null,
      restored_count: COUNT,
      restore_failed_count: 0,
    });
  });

  test("behind the end of the work changes nothing", async () => {
    const { world, id } = await planned();
    await world.confirm(id, COUNT);
    await world.destroy(id);
    await world.step({ step: "note_failure", destroy_id: id, work: "destroy", run: 1, failure });
    expect(await world.progress(id)).toMatchObject({ state: "destroyed", problem: null });
  });

  test("of which a group of an undo is left out: what is hidden, or may be, counts as not brought back", async () => {
    const world = destroyingWorld();
    for (const key of uploadsOf(7, 1_002)) world.primaryBucket.put(key, "");
    const { id } = await world.plan(GROUP);
    await world.confirm(id, 1_002);
    await world.destroy(id);
    await world.undo(id);
    await world.step({ step: "work_on_group", destroy_id: id, work: "undo", group: { from: 1, to: 1 } });
    expect(await world.progress(id)).toMatchObject({ state: "undoing", restore_failed_count: 0 });
    await world.conclude(id, "undo");
    expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 1_000, restore_failed_count: 2 });
  });
});

test("F82: a dry run whose workflow does not start is refused, and nobody waits for it", async () => {
  const world = destroyingWorld();
  await world.putAll(uploadsOf(7, COUNT));
  const down = first(world.workflow, "start", () => Promise.reject(new WorkflowUnavailableError("down")));
  const request = { replicableName: undefined, parent: GROUP };
  await expect(requestDestroy({ ...world.asking, destroys: down }, request, "one")).rejects.toThrow("down");
  expect(await listDestroys(world.asking.siteTable)).toMatchObject([
    { state: "refused", problem: expect.stringMatching(/could not be started, ask again: down/) },
  ]);
});

/** Whether removal guards let the version through that a key had first. */
const letThrough = ({ followers, primaryBucket }: DestroyingWorld, key: string) =>
  followers[0].site.destroyed?.names(
    { replicableName: "group_upload", key },
    primaryBucket.versions(key)[0]?.versionId ?? "",
  );

describe("F82: releases that nobody took away", () => {
  test("do not hide the newest one, however many there are", async () => {
    const { world, id } = await planned();
    await world.confirm(id, COUNT);
    await world.destroy(id);
    for (let number = 0; number < 150; number += 1) {
      const old = `!${String(number).padStart(11, "0")}`;
      await world.site.siteTable.update(releaseDestroy(old, world.clock.now() - 1));
    }
    expect(await letThrough(world, uploadsOf(7, 1)[0] ?? "")).toBe(true);
  });

  test("are forgotten when their time is over, by the next confirmation, and no others", async () => {
    const { world, id } = await planned();
    const now = world.clock.now();
    await world.site.siteTable.update(releaseDestroy("expired", now));
    await world.site.siteTable.update(releaseDestroy("holds", now + 60_000));
    await world.confirm(id, COUNT);
    const { items } = await world.site.siteTable.query(listReleases);
    expect(new Set(items.map(({ sk }) => sk))).toEqual(new Set([id, "holds"]));
  });
});

test("F82: a destroy that was cancelled is unlocked for all others", async () => {
  const { world, id } = await planned();
  await world.confirm(id, COUNT);
  const other = await world.plan(GROUP);
  expect(await cancelDestroy(world.asking, id)).toMatchObject({ outcome: "done" });
  expect(await world.confirm(other.id, COUNT)).toMatchObject({ outcome: "done" });
});
