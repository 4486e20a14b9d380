import { describe, expect, test } from "vitest";
import { askForBulkUpdate, cancelBulkUpdate } from "../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { advanceBulkUpdate } from "../../shared/tables/site/bulk-updates.ts";
import { accepted, bulkUpdating } from "../support/bulk-updating.ts";
import { twoSites } from "../support/two-sites.ts";

const KEYS = Array.from({ length: 4 }, (_, id) => `cool_widgets/${id}/widget.bin`);
const RESYNC = { action: "resync", replicable_name: "cool_widget" } as const;

/** A request over copied objects, in slices of half a second of a world in which each call takes a millisecond. */
const underWay = async () => {
  const world = twoSites();
  for (const key of KEYS) world.primaryBucket.put(key, "text");
  await world.settle();
  const bulk = bulkUpdating(world, { sliceMs: 500, callMs: 1 });
  const { answer } = accepted(await bulk.ask(RESYNC));
  return { world, bulk, id: answer.id, input: { bulk_id: answer.id, execution: 1, round: 1 } };
};

const copies = (world: ReturnType<typeof twoSites>): readonly number[] =>
  KEYS.map((key) => world.replicaBucket.versions(key).length);

describe("an execution that has made its rounds", () => {
  test("has another one go on from where it is, and works no more itself", async () => {
    const { world, bulk, id, input } = await underWay();
    expect(await bulk.step("slice", input)).toEqual({ status: "more" });
    const { cursor } = await bulk.update(id);
    expect(cursor.partition).toBeGreaterThan(0);
    // Twice: its first answer may have been lost.
    await bulk.step("go_on", input);
    await bulk.step("go_on", input);
    expect(bulk.workflow.executions.map(({ name }) => name)).toEqual([`${id}-1`, `${id}-2`]);
    expect(await bulk.update(id)).toMatchObject({ state: "running", execution: 2, cursor });
    expect(await bulk.step("slice", input)).toEqual({ status: "ended" });
    expect((await bulk.update(id)).cursor).toEqual(cursor);
    await bulk.run();
    await world.settle();
    expect(copies(world)).toEqual([2, 2, 2, 2]);
  });

  test("and has come no further fails, and says what to look at", async () => {
    const { bulk, id, input } = await underWay();
    await bulk.step("go_on", input);
    expect(await bulk.update(id)).toMatchObject({
      state: "failed",
      failure:
        "no page was taken in a whole execution: the queue that rows are named to is full, or takes nothing; see the runbook",
    });
    expect(bulk.workflow.executions).toHaveLength(1);
  });

  test("has nothing go on of what has ended", async () => {
    const { bulk, id, input, world } = await underWay();
    await bulk.step("slice", input);
    await cancelBulkUpdate(bulk.asking, id);
    await bulk.step("go_on", input);
    expect(bulk.workflow.executions).toHaveLength(1);
    expect(world.telemetry.linesOf("an operator cancelled a bulk update")).toHaveLength(1);
  });
});

describe("a request whose workflow gave up", () => {
  test("says why, and goes on from where it is when it is made again", async () => {
    const { world, bulk, id, input } = await underWay();
    await bulk.step("slice", input);
    const { pages } = await bulk.update(id);
    await bulk.step("note_failure", input, { Error: "Error", Cause: '{"errorMessage":"no table"}' });
    expect(await bulk.update(id)).toMatchObject({ state: "failed", failure: "Error: no table", pages });
    bulk.workflow.end(`${id}-1`, { status: "failed", failure: "no table" });
    expect(accepted(await bulk.ask(RESYNC))).toMatchObject({
      asked: "going_on",
      answer: { state: "running", error: null },
    });
    expect(await bulk.update(id)).toMatchObject({ execution: 2, pages });
    // What the first execution's function says now is about nobody.
    await bulk.step("note_failure", input, { Error: "Error", Cause: "late" });
    expect((await bulk.update(id)).state).toBe("running");
    await bulk.run();
    await world.settle();
    expect(copies(world)).toEqual([2, 2, 2, 2]);
  });

  test("or was stopped without a word goes on as well", async () => {
    const { world, bulk, id, input } = await underWay();
    await bulk.step("slice", input);
    await bulk.workflow.stop(`${id}-1`, "by hand");
    expect(accepted(await bulk.ask(RESYNC)).asked).toBe("going_on");
    expect(accepted(await bulk.ask(RESYNC)).asked).toBe("same");
    await bulk.run();
    await world.settle();
    expect(copies(world)).toEqual([2, 2, 2, 2]);
  });
});

describe("a request whose execution was stopped", () => {
  test("goes on although its function still notes how far it has come", async () => {
    const { bulk, id, input } = await underWay();
    await bulk.workflow.stop(`${id}-1`, "by hand");
    const { siteTable } = bulk.asking;
    let notes = 0;
    const update: typeof siteTable.update = async (request) => {
      if (notes < 8) {
        notes += 1;
        const seen = await bulk.update(id);
        const next = { ...seen.cursor, partition: seen.cursor.partition + 1 };
        await siteTable.update(advanceBulkUpdate(seen, next, { lookedAt: 0, changed: 0, skipped: 0 }, input.round));
      }
      return siteTable.update(request);
    };
    const asking = {
      ...bulk.asking,
      siteTable: Object.assign(Object.create(siteTable) as typeof siteTable, { update }),
    };
    const request = { selection: (await bulk.update(id)).selection, force: false };
    expect(accepted(await askForBulkUpdate(asking, request)).asked).toBe("going_on");
    expect(bulk.workflow.executions.map(({ name }) => name)).toEqual([`${id}-1`, `${id}-2`]);
  });
});

describe("a request that is cancelled", () => {
  test("asks no more rows, also when a slice is under way", async () => {
    const world = twoSites();
    for (const key of KEYS) world.primaryBucket.put(key, "text");
    await world.settle();
    let id = "";
    const { queue, asking } = (() => {
      const inner = bulkUpdating(world);
      return { queue: inner.site.lookQueue, asking: inner.asking };
    })();
    const bulk = bulkUpdating(world, {
      site: {
        lookQueue: {
          name: queue.name,
          backlog: () => queue.backlog(),
          send: async (messages) => {
            await cancelBulkUpdate(asking, id, "bob");
            return queue.send(messages);
          },
        },
      },
    });
    id = accepted(await bulk.ask(RESYNC)).answer.id;
    await bulk.run();
    expect(await bulk.update(id)).toMatchObject({ state: "cancelled", counts: { changed: 0 } });
    await world.settle();
    // The page that was being handed over when it was cancelled; nothing after it.
    const again = copies(world).filter((versions) => versions === 2).length;
    expect(again).toBeGreaterThan(0);
    expect(again).toBeLessThan(KEYS.length);
  });

  test("stays so: nothing ends it a second time", async () => {
    const { bulk, id, input } = await underWay();
    await cancelBulkUpdate(bulk.asking, id);
    expect(await bulk.step("slice", input)).toEqual({ status: "ended" });
    await bulk.step("note_failure", input, { Error: "Error", Cause: "late" });
    expect((await bulk.update(id)).state).toBe("cancelled");
    expect(await cancelBulkUpdate(bulk.asking, "0123456789abcdef")).toBeUndefined();
  });
});

test("an execution of a request that nobody made fails, and does nothing", async () => {
  const { bulk } = await underWay();
  for (const step of ["slice", "go_on", "note_failure"] as const) {
    await expect(bulk.step(step, { bulk_id: "0123456789abcdef", execution: 1 })).rejects.toThrow(
      "there is no bulk update 0123456789abcdef",
    );
  }
});
