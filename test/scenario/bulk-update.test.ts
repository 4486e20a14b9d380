import { describe, expect, test } from "vitest";
import { BULK_KEPT_MS, BULK_SAME_MS } from "../../shared/geo/bulk-progress.ts";
import { bulkIdOf } from "../../shared/geo/bulk-request.ts";
import { cancelBulkUpdate } from "../../shared/services/bulk-update/ask-for-bulk-update.ts";
import type { BulkSite } from "../../shared/services/bulk-update/bulk-site.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { accepted, bulkUpdating } from "../support/bulk-updating.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const KEYS = Array.from({ length: 12 }, (_, id) => `cool_widgets/${id}/widget.bin`);
const [FIRST = "", SECOND = "", THIRD = ""] = KEYS;
const OTHER = "lfs_objects/42/4c/8e/31f2";
const TYPE = { replicable_name: "cool_widget" } as const;

/** A world in which everything is copied and verified, a while ago. */
const syncedWorld = async (keys: readonly string[] = KEYS): Promise<TwoSites> => {
  const world = twoSites();
  for (const key of keys) world.primaryBucket.put(key, `text of ${key}`);
  await world.settle();
  world.clock.advance(60_000);
  return world;
};

const versions = (world: TwoSites, key: string): number => world.replicaBucket.versions(key).length;

const everyVersion = (world: TwoSites, keys: readonly string[]): readonly number[] =>
  keys.map((key) => versions(world, key));

describe("a bulk reconciliation", () => {
  test("puts right what a registry that was restored from a backup says, and copies nothing that is right (R38)", async () => {
    const world = await syncedWorld();
    const backup = world.registry.items();
    // After the backup one object is deleted, one is overwritten, and one is new.
    world.primaryBucket.deleteCurrent(FIRST);
    world.primaryBucket.put(SECOND, "new text");
    await world.settle();
    await world.live(2 * 60 * 60_000);
    expect(await world.row(FIRST)).toBeUndefined();
    for (const item of world.registry.items()) await world.registry.delete({ key: { pk: item.pk, sk: item.sk } });
    for (const item of backup) await world.registry.put(item);
    // Neither bucket lists it any more, so that no walk names it.
    expect(await world.row(FIRST)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    const bulk = bulkUpdating(world);
    const { answer } = accepted(await bulk.ask({ action: "reconcile", ...TYPE }));
    await bulk.run();
    await world.settle();
    await world.live(2 * 60 * 60_000);
    expect(await bulk.update(answer.id)).toMatchObject({ counts: { lookedAt: 12, changed: 12, skipped: 0 } });
    expect(await world.row(FIRST)).toBeUndefined();
    expect(await world.row(SECOND)).toMatchObject({
      state: "synced",
      verification_state: "succeeded",
      rep_version_id: world.replicaBucket.current(SECOND)?.versionId,
    });
    expect(world.replicaText(SECOND)).toBe("new text");
    expect(everyVersion(world, KEYS.slice(2))).toEqual(KEYS.slice(2).map(() => 1));
  });

  test("leaves rows alone that wait for their copy anyway, and asks for them by the due index where that has them", async () => {
    const world = await syncedWorld([FIRST, SECOND]);
    world.primaryBucket.put(FIRST, "new text");
    world.replicaFaults.failNext("copy", "unavailable");
    await world.settle();
    const bulk = bulkUpdating(world);
    const failed = accepted(await bulk.ask({ action: "reconcile", ...TYPE, replication_state: "failed" }));
    await bulk.run();
    expect((await bulk.update(failed.answer.id)).counts).toEqual({ lookedAt: 1, changed: 1, skipped: 0 });
    await world.settle();
    expect(world.replicaText(FIRST)).toBe("new text");
  });
});

describe("a bulk resync", () => {
  test("copies every row of a type again, whatever its replica holds, and nothing else (F77, F18)", async () => {
    const world = await syncedWorld([...KEYS, OTHER]);
    const bulk = bulkUpdating(world);
    const { asked, answer } = accepted(await bulk.ask({ action: "resync", ...TYPE }));
    expect(asked).toBe("new");
    expect(answer).toMatchObject({
      state: "running",
      asked_by: "alice",
      share_done: 0,
      replicable_name: "cool_widget",
    });
    await bulk.run();
    expect(await bulk.update(answer.id)).toMatchObject({
      state: "succeeded",
      counts: { lookedAt: 12, changed: 12, skipped: 0 },
    });
    await world.settle();
    expect(everyVersion(world, KEYS)).toEqual(KEYS.map(() => 2));
    expect(versions(world, OTHER)).toBe(1);
    for (const key of KEYS) {
      const row = await world.row(key);
      expect(row).toMatchObject({ state: "synced", verification_state: "succeeded" });
      expect(row).not.toHaveProperty("resync_requested");
    }
  });

  test("of one key copies that one again (F76, F18)", async () => {
    const world = await syncedWorld();
    const bulk = bulkUpdating(world);
    const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE, keys: [SECOND] }));
    await bulk.run();
    await world.settle();
    expect(everyVersion(world, [FIRST, SECOND, THIRD])).toEqual([1, 2, 1]);
    expect((await bulk.update(answer.id)).counts).toEqual({ lookedAt: 1, changed: 1, skipped: 0 });
    const lines = world.telemetry.linesOf("synced").filter(({ fields }) => fields["correlation_id"] === answer.id);
    expect(lines).toHaveLength(1);
  });

  test("leaves rows alone that wait for their copy anyway (F77)", async () => {
    const world = await syncedWorld([FIRST, SECOND]);
    const bulk = bulkUpdating(world);
    await bulk.ask({ action: "resync", ...TYPE, keys: [FIRST] });
    await bulk.run();
    // The copy is asked for and fails, so the row remembers that one is wanted.
    world.replicaFaults.failNext("copy", "unavailable");
    await world.settle();
    expect(await world.row(FIRST)).toMatchObject({ state: "failed", resync_requested: true });
    const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE }));
    await bulk.run();
    expect((await bulk.update(answer.id)).counts).toEqual({ lookedAt: 2, changed: 1, skipped: 1 });
    await world.live(10 * 60_000);
    expect(everyVersion(world, [FIRST, SECOND])).toEqual([2, 2]);
  });

  test("of failed rows finds them in the due index, and asks for no others (F77)", async () => {
    const world = await syncedWorld();
    world.replicaFaults.failNext("copy", "unavailable");
    world.primaryBucket.put(THIRD, "new text");
    await world.settle();
    expect(await world.row(THIRD)).toMatchObject({ state: "failed" });
    const bulk = bulkUpdating(world);
    const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE, replication_state: "failed" }));
    await bulk.run();
    expect(await bulk.update(answer.id)).toMatchObject({ counts: { lookedAt: 1, changed: 1, skipped: 0 } });
    expect(bulk.mortal.calls.get("rows.query")).toBe(16);
    await world.settle();
    expect(world.replicaText(THIRD)).toBe("new text");
    expect(everyVersion(world, [FIRST, SECOND])).toEqual([1, 1]);
  });

  test("of every type goes through all that are switched on, and steps over the others (F84)", async () => {
    const world = await syncedWorld([FIRST, OTHER]);
    const lfs = world.replicables.find(({ name }) => name === "lfs_object");
    await world.primarySiteTable.update(setFlag(lfs?.names.flags.replication ?? "", false, world.clock.now()));
    world.clock.advance(60_000);
    const bulk = bulkUpdating(world);
    const { answer } = accepted(await bulk.ask({ action: "resync" }));
    expect(answer.replicable_name).toBeNull();
    await bulk.run();
    await world.settle();
    expect(everyVersion(world, [FIRST, OTHER])).toEqual([2, 1]);
    expect(await bulk.update(answer.id)).toMatchObject({
      state: "succeeded",
      counts: { lookedAt: 1, changed: 1 },
      switchedOff: expect.arrayContaining(["lfs_object"]) as string[],
    });
  });

  test("of one type that is switched off half way has failed, and asks every row when it is made again (F84)", async () => {
    const world = await syncedWorld();
    const bulk = bulkUpdating(world, { sliceMs: 12, callMs: 1 });
    const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE }));
    const input = bulk.workflow.executions[0]?.input;
    const changed = async (): Promise<number> => (await bulk.update(answer.id)).counts.changed;
    for (let slices = 0; slices < 4_096 && (await changed()) === 0; slices += 1) await bulk.step("slice", input);
    const asked = await changed();
    expect(asked).toBeGreaterThan(0);
    expect(asked).toBeLessThan(KEYS.length);

    const switched = async (on: boolean): Promise<void> => {
      await world.primarySiteTable.update(setFlag("geo_cool_widget_replication", on, world.clock.now()));
      world.clock.advance(60_000);
    };
    await switched(false);
    await world.settle(); // what was under way is dropped
    expect(everyVersion(world, KEYS)).toEqual(KEYS.map(() => 1));
    expect(await bulk.step("slice", input)).toEqual({ status: "ended" });
    expect(await bulk.update(answer.id)).toMatchObject({
      state: "failed",
      failure: expect.stringContaining("cool_widget was switched off meanwhile") as string,
    });
    expect(await bulk.ask({ action: "resync", ...TYPE })).toMatchObject({ asked: "off" });

    await switched(true);
    expect(accepted(await bulk.ask({ action: "resync", ...TYPE })).asked).toBe("going_on");
    await bulk.run();
    await world.settle();
    expect(await bulk.update(answer.id)).toMatchObject({
      state: "succeeded",
      counts: { changed: asked + KEYS.length },
    });
    expect(everyVersion(world, KEYS)).toEqual(KEYS.map(() => 2));
  });
});

describe("a bulk reverify", () => {
  test("reads every synced replica again, and finds what has rotted meanwhile (F77)", async () => {
    const world = await syncedWorld();
    world.replicaFaults.failNext("copy", "unavailable");
    world.primaryBucket.put(THIRD, "new text");
    await world.settle();
    const failed = await world.row(THIRD);
    expect(failed).toMatchObject({ state: "failed" });
    const before = world.clock.now();
    const bulk = bulkUpdating(world);
    const { answer } = accepted(await bulk.ask({ action: "reverify", ...TYPE }));
    await bulk.run();
    await world.settle();
    for (const key of KEYS.filter((one) => one !== THIRD)) {
      expect(await world.row(key)).toMatchObject({ state: "synced", verification_state: "succeeded" });
      expect((await world.row(key))?.verified_at).toBeGreaterThanOrEqual(before);
    }
    expect(await world.row(THIRD)).toEqual(failed);
    expect((await bulk.update(answer.id)).counts).toEqual({ lookedAt: 12, changed: 11, skipped: 0 });
    expect(everyVersion(world, [FIRST, SECOND])).toEqual([1, 1]);
  });

  test("asks nobody twice for what was verified since it was made", async () => {
    const world = await syncedWorld();
    const bulk = bulkUpdating(world);
    const first = accepted(await bulk.ask({ action: "reverify", ...TYPE }));
    await bulk.run();
    await world.settle();
    // Another execution goes through the same rows from the beginning, as after a kill before the first page was saved.
    const { execution } = await bulk.update(first.answer.id);
    const again = accepted(await bulk.ask({ action: "reverify", ...TYPE, force: true }));
    expect(again.asked).toBe("new");
    expect((await bulk.update(again.answer.id)).execution).toBe(execution + 1);
    for (const key of KEYS) world.primaryBucket.put(key, `new text of ${key}`);
    world.clock.advance(1_001);
    await world.settle();
    await bulk.run();
    expect((await bulk.update(again.answer.id)).counts).toEqual({ lookedAt: 12, changed: 0, skipped: 12 });
  });

  test("of a type that is not verified now is refused, and says why (F87)", async () => {
    const world = await syncedWorld([FIRST]);
    await world.primarySiteTable.update(setFlag("geo_object_storage_verification", false, world.clock.now()));
    expect(await bulkUpdating(world).ask({ action: "reverify", ...TYPE })).toEqual({
      asked: "off",
      problem: "cool_widget is switched off, so nothing of it is done; see the features of this site",
    });
  });
});

describe("a bulk retry", () => {
  test("tries failed rows at once and not at the end of their wait", async () => {
    const world = await syncedWorld();
    world.replicaFaults.failNext("copy", "forbidden");
    world.primaryBucket.put(THIRD, "new text");
    await world.settle();
    const failed = await world.row(THIRD);
    expect(failed?.retry_at).toBeGreaterThan(world.clock.now());
    const bulk = bulkUpdating(world);
    const other = accepted(await bulk.ask({ action: "retry_now", ...TYPE, failure: "kms" }));
    await bulk.run();
    await world.settle();
    expect(await world.row(THIRD)).toEqual(failed);
    expect((await bulk.update(other.answer.id)).counts).toEqual({ lookedAt: 1, changed: 0, skipped: 0 });
    await bulk.ask({ action: "retry_now", ...TYPE, failure: "forbidden" });
    await bulk.run();
    await world.settle();
    expect(await world.row(THIRD)).toMatchObject({ state: "synced" });
    expect(world.replicaText(THIRD)).toBe("new text");
  });

  test("keeps the count of failures, so that what fails again waits longer (F27)", async () => {
    const world = await syncedWorld([FIRST]);
    world.replicaFaults.failNext("copy", "forbidden");
    world.replicaFaults.failNext("copy", "forbidden");
    world.primaryBucket.put(FIRST, "new text");
    await world.settle();
    expect(await world.row(FIRST)).toMatchObject({ state: "failed", retry_count: 1 });
    const bulk = bulkUpdating(world);
    await bulk.ask({ action: "retry_now" });
    await bulk.run();
    await world.settle();
    expect(await world.row(FIRST)).toMatchObject({ state: "failed", retry_count: 2 });
  });

  test("makes failed verifications of synced rows again", async () => {
    const world = await syncedWorld([FIRST]);
    const bulk = bulkUpdating(world);
    world.replicaFaults.failNext("read", "unavailable");
    await bulk.ask({ action: "reverify", ...TYPE });
    await bulk.run();
    await world.settle();
    expect(await world.row(FIRST)).toMatchObject({ state: "synced", verification_state: "failed" });
    world.clock.advance(1_000);
    await bulk.ask({ action: "retry_now", ...TYPE });
    await bulk.run();
    await world.settle();
    expect(await world.row(FIRST)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });
});

describe("at the primary", () => {
  test("a bulk checksum has every object read again, and the secondaries after it (F77, F28)", async () => {
    const world = await syncedWorld();
    const asked = world.clock.now();
    const bulk = bulkUpdating(world, { role: "primary" });
    const { answer } = accepted(await bulk.ask({ action: "checksum", ...TYPE }));
    await bulk.run();
    expect(await world.state(FIRST)).toMatchObject({ verification_state: "pending" });
    await world.settle();
    for (const key of KEYS) {
      expect((await world.state(key))?.verified_at).toBeGreaterThanOrEqual(asked);
      expect(await world.state(key)).toMatchObject({ verification_state: "succeeded" });
      expect((await world.row(key))?.verified_at).toBeGreaterThanOrEqual(asked);
    }
    expect((await bulk.update(answer.id)).counts).toEqual({ lookedAt: 12, changed: 12, skipped: 0 });
  });

  test("what was marked and never named is found by the sweep (L2)", async () => {
    const world = await syncedWorld();
    const asked = world.clock.now();
    const bulk = bulkUpdating(world, { role: "primary" });
    await bulk.ask({ action: "checksum", ...TYPE });
    await bulk.run();
    await world.loseMessages();
    await world.live(10 * 60_000);
    for (const key of KEYS) {
      expect(await world.state(key)).toMatchObject({ verification_state: "succeeded" });
      expect((await world.state(key))?.verified_at).toBeGreaterThan(asked);
    }
  });

  test("a bulk retry reads what could not be read", async () => {
    const world = await syncedWorld([FIRST]);
    world.primaryFaults.failNext("head", "forbidden");
    const bulk = bulkUpdating(world, { role: "primary" });
    await bulk.ask({ action: "checksum", ...TYPE });
    await bulk.run();
    await world.settle();
    expect(await world.state(FIRST)).toMatchObject({ verification_state: "failed" });
    world.clock.advance(1_000);
    await bulk.ask({ action: "retry_now" });
    await bulk.run();
    await world.settle();
    expect(await world.state(FIRST)).toMatchObject({ verification_state: "succeeded" });
  });

  test("a record that changes while it is being marked is left to whoever changed it", async () => {
    const world = await syncedWorld([FIRST]);
    const { verificationState: rows } = world;
    const touched: BulkSite["rows"] = {
      query: (request) => rows.query(request),
      getMany: (keys) => rows.getMany(keys),
      update: async (request) => {
        world.primaryBucket.put(FIRST, "new text");
        await world.settle();
        return rows.update(request);
      },
    };
    const bulk = bulkUpdating(world, { role: "primary", site: { rows: touched } });
    const { answer } = accepted(await bulk.ask({ action: "checksum", ...TYPE, keys: [FIRST] }));
    await bulk.run();
    expect((await bulk.update(answer.id)).counts).toEqual({ lookedAt: 1, changed: 0, skipped: 1 });
    expect(await world.state(FIRST)).toMatchObject({ verification_state: "succeeded" });
  });
});

describe("the same request", () => {
  test("is not begun again while it is under way, nor within an hour, unless somebody insists (F77)", async () => {
    const world = await syncedWorld([FIRST]);
    const bulk = bulkUpdating(world);
    const resync = { action: "resync", ...TYPE } as const;
    expect((await bulk.ask(resync)).asked).toBe("new");
    expect((await bulk.ask(resync)).asked).toBe("same");
    expect((await bulk.ask({ ...resync, force: true })).asked).toBe("same");
    expect(bulk.workflow.executions).toHaveLength(1);
    await bulk.run();
    await world.settle();
    expect((await bulk.ask(resync)).asked).toBe("same");
    expect((await bulk.ask({ action: "reverify", ...TYPE })).asked).toBe("new");
    expect((await bulk.ask({ ...resync, force: true })).asked).toBe("new");
    await bulk.run();
    world.clock.advance(BULK_SAME_MS);
    expect((await bulk.ask(resync)).asked).toBe("new");
    await bulk.run();
    await world.settle();
    expect(versions(world, FIRST)).toBe(4);
  });

  test("is begun anew after it was cancelled", async () => {
    const world = await syncedWorld([FIRST]);
    const bulk = bulkUpdating(world);
    const resync = { action: "resync", ...TYPE } as const;
    await bulk.ask(resync);
    await cancelBulkUpdate(bulk.asking, bulkIdOf({ action: "resync", replicableNames: ["cool_widget"] }));
    await bulk.run();
    await world.settle();
    expect(versions(world, FIRST)).toBe(1);
    expect((await bulk.ask(resync)).asked).toBe("new");
    await bulk.run();
    await world.settle();
    expect(versions(world, FIRST)).toBe(2);
  });

  test("is forgotten long after its end, and its executions' names are not given away twice", async () => {
    const world = await syncedWorld([FIRST]);
    const bulk = bulkUpdating(world);
    const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE }));
    await bulk.run();
    world.clock.advance(BULK_KEPT_MS + 1);
    await bulk.ask({ action: "reverify", ...TYPE });
    await expect(bulk.update(answer.id)).rejects.toThrow(`there is no bulk update ${answer.id}`);
    expect(BULK_KEPT_MS).toBeGreaterThan(90 * 24 * 60 * 60 * 1_000);
  });
});

test("keys of another type, or of none, are refused by name", async () => {
  const world = await syncedWorld([FIRST]);
  expect(await bulkUpdating(world).ask({ action: "resync", ...TYPE, keys: [FIRST, OTHER, "nobody's"] })).toEqual({
    asked: "invalid",
    problem: `keys: expected keys of cool_widget, got "${OTHER}", "nobody's"`,
  });
});

test("a key without a row is skipped: there is nothing to do again", async () => {
  const world = await syncedWorld([FIRST]);
  const bulk = bulkUpdating(world);
  const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE, keys: [SECOND] }));
  await bulk.run();
  expect(await bulk.update(answer.id)).toMatchObject({ state: "succeeded", counts: { lookedAt: 0, changed: 0 } });
});

test("a row that can not be read is left out and told of, and its neighbours are done", async () => {
  const world = await syncedWorld([FIRST, SECOND]);
  const [bad] = world.registry.items().filter(({ sk }) => sk === FIRST);
  if (bad === undefined) throw new Error("there is no such row");
  await world.registry.put({ ...bad, state: 77 });
  const bulk = bulkUpdating(world);
  const { answer } = accepted(await bulk.ask({ action: "resync", ...TYPE }));
  await bulk.run();
  expect((await bulk.update(answer.id)).counts).toEqual({ lookedAt: 2, changed: 1, skipped: 1 });
  expect(world.telemetry.linesOf("a row was left out of a bulk update: it can not be read")).toHaveLength(1);
});
