import { describe, expect, test } from "vitest";
import { WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import { LARGE_COPY_LOOK_MS } from "../../shared/geo/large-copy.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import { askForResync } from "../support/ask-for-resync.ts";
import { Killed, Mortal } from "../support/bulk-updating.ts";
import { largeCopying, type LargeCopying } from "../support/large-copying.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
/** Seven parts. */
const LARGE = "a very large object, really";
const PARTS = [1, 2, 3, 4, 5, 6, 7];

const handedOver = async (options: Parameters<typeof largeCopying>[0] = {}): Promise<LargeCopying> => {
  const world = largeCopying(options);
  world.primaryBucket.put(KEY, LARGE);
  await world.settle();
  return world;
};

const inputOf = ({ workflow }: LargeCopying, execution = 0): unknown => workflow.executions[execution]?.input;

const expectSettled = async (world: LargeCopying, text: string): Promise<void> => {
  const isDue = async (): Promise<boolean> => (await world.row(KEY))?.due_at !== undefined;
  await world.settle();
  for (let tries = 0; tries < 3 * 60 && (await isDue()); tries += 1) await world.live(60_000);
  expect(world.replicaText(KEY)).toBe(text);
  expect(world.openUploads()).toEqual([]);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  expect(await world.row(KEY)).not.toHaveProperty("upload_id");
};

describe("one of the largest objects", () => {
  test("is left to an execution of its own, and to one only, however often it is asked for", async () => {
    const world = await handedOver();
    expect(world.workflow.executions).toHaveLength(1);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", due_at: world.clock.now() + LARGE_COPY_LOOK_MS });
    expect(await new Worker(world, KEY).finish()).toEqual({ result: "handed_over" });
    await world.live(LARGE_COPY_LOOK_MS + 60_000);
    expect(world.workflow.executions).toHaveLength(1);
    expect(world.parts).toEqual([]);
  });

  test("is copied by its batches, completed by who holds the row, and verified like any other", async () => {
    const world = await handedOver();
    expect(await world.execute(inputOf(world))).toEqual(["copy", "ended"]);
    expect(world.parts).toEqual(PARTS);
    await expectSettled(world, LARGE);
    // An execution that comes too late finds nothing to do.
    expect(await world.take({ step: "advance", ...(inputOf(world) as object) })).toMatchObject({ status: "wait" });
  });

  test("is not copied any further from when its type is switched off, and is copied when it is on again", async () => {
    const world = await handedOver();
    const switched = async (on: boolean): Promise<void> => {
      await world.primarySiteTable.update(setFlag("geo_cool_widget_replication", on, world.clock.now()));
      world.clock.advance(60_000);
    };
    const first = await world.take({ step: "advance", ...(inputOf(world) as object) });
    expect(first).toMatchObject({ status: "copy" });
    await switched(false);
    const [batch] = "batches" in first ? first.batches : [];
    expect(await world.take(batch)).toEqual({ status: "copied", parts: 0 });
    expect(await world.execute(inputOf(world))).toEqual(["ended"]);
    expect(world.parts).toEqual([]);
    expect(world.replicaText(KEY)).toBeUndefined();
    await switched(true);
    expect(await world.execute(inputOf(world))).toEqual(["copy", "ended"]);
    await expectSettled(world, LARGE);
  });

  test("F98: whose execution a pause has ended is copied by another one when the site goes on", async () => {
    const world = await handedOver();
    const enable = (enabled: boolean) => world.siteTable.update(changeSettings({ enabled }, world.clock.now()));
    await enable(false);
    await world.live(60 * 60_000);
    expect(await world.execute(inputOf(world))).toEqual(["ended"]);
    world.workflow.end(world.workflow.executions.at(-1)?.name ?? "", { status: "succeeded", output: {} });
    await world.live(6 * 60 * 60_000);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", retry_count: 0 });
    await enable(true);
    await world.live(5 * 60_000);
    expect(world.workflow.executions).toHaveLength(2);
    expect(await world.execute(inputOf(world, 1))).toEqual(["copy", "ended"]);
    await expectSettled(world, LARGE);
  });

  test("is copied by another execution when the same version is asked for once more, and fails at no name that was used", async () => {
    const world = await handedOver();
    for (const round of [1, 2, 3]) {
      await world.execute(inputOf(world, round - 1));
      world.workflow.end(world.workflow.executions.at(-1)?.name ?? "", { status: "succeeded", output: {} });
      await expectSettled(world, LARGE);
      expect(world.workflow.executions).toHaveLength(round);
      await askForResync(world, KEY);
      await world.settle();
      expect(await world.row(KEY)).toMatchObject({ state: "pending", retry_count: 0 });
      expect(world.workflow.executions).toHaveLength(round + 1);
    }
  });

  test("below that size is copied by whoever holds the row", async () => {
    const world = largeCopying();
    world.primaryBucket.put(KEY, "twelve bytes");
    await world.settle();
    expect(world.workflow.executions).toEqual([]);
    await expectSettled(world, "twelve bytes");
  });

  test("waits while somebody else has its row", async () => {
    const world = await handedOver();
    const other = await new Worker(world, KEY).until("hand_over");
    expect(await world.take({ step: "advance", ...(inputOf(world) as object) })).toMatchObject({ status: "wait" });
    await other.finish();
    expect(await world.execute(inputOf(world))).toEqual(["copy", "ended"]);
    await expectSettled(world, LARGE);
  });

  test("that is touched while its parts are handed out is looked at again at once", async () => {
    const world = await handedOver();
    const { secondary } = world;
    const advancing = await new Worker(
      { ...world, secondary: { ...secondary, handsOutPartsOf: world.primaryBucket.current(KEY)?.versionId ?? "" } },
      KEY,
    ).until("observe_source");
    delete (secondary as { largeCopies?: unknown }).largeCopies;
    expect(advancing.at).toBe("observe_source");
    expect(await new Worker(world, KEY).finish()).toEqual({ result: "joined" });
    await advancing.finish();
    expect((await world.row(KEY))?.due_at).toBeLessThanOrEqual(world.clock.now() + LARGE_COPY_LOOK_MS);
    await expectSettled(world, LARGE);
  });

  test("that changes while it is copied ends the execution of the old version, and starts one of the new", async () => {
    const world = await handedOver();
    const first = await world.take({ step: "advance", ...(inputOf(world) as object) });
    expect(first).toMatchObject({ status: "copy" });
    world.primaryBucket.put(KEY, `${LARGE}, and another`);
    // The parts of the old version can still be copied; whoever advances sees that nobody wants them.
    expect(await world.execute(inputOf(world))).toEqual(["ended"]);
    await world.settle();
    expect(world.workflow.executions).toHaveLength(2);
    expect(await world.execute(inputOf(world, 1))).toEqual(["copy", "ended"]);
    await expectSettled(world, `${LARGE}, and another`);
  });

  test("whose source is destroyed while it is copied comes to what is there then", async () => {
    const world = await handedOver();
    const first = await world.take({ step: "advance", ...(inputOf(world) as object) });
    const old = world.primaryBucket.current(KEY)?.versionId ?? "";
    world.primaryBucket.put(KEY, "small");
    world.primaryBucket.deleteVersion(KEY, old);
    if (first.status !== "copy") throw new Error("nothing was handed out");
    for (const batch of first.batches) expect(await world.take(batch)).toEqual({ status: "copied", parts: 0 });
    await expectSettled(world, "small");
  });

  test("whose execution ends before its end is failed by the next look, and goes on in another", async () => {
    const world = await handedOver();
    const first = await world.take({ step: "advance", ...(inputOf(world) as object) });
    if (first.status !== "copy") throw new Error("nothing was handed out");
    const [batch] = first.batches;
    await world.take({ ...batch, numbers: [1, 2, 3] });
    world.workflow.end(world.workflow.executions[0]?.name ?? "", { status: "failed", failure: "for a test" });
    await world.live(LARGE_COPY_LOOK_MS + 2 * 60_000);
    expect(world.workflow.executions).toHaveLength(2);
    expect(await world.execute(inputOf(world, 1))).toEqual(["copy", "ended"]);
    expect(world.parts).toEqual(PARTS);
    await expectSettled(world, LARGE);
  });

  test("can not be left to a workflow that does not answer: that is a failure like any other", async () => {
    const world = largeCopying();
    const { largeCopies } = world.secondary;
    const silent = { start: () => Promise.reject(new WorkflowUnavailableError("no machine")) };
    Object.assign(world.secondary, { largeCopies: { ...largeCopies, workflow: silent } });
    world.primaryBucket.put(KEY, LARGE);
    await world.loseMessages();
    const result = await new Worker(world, KEY).finish();
    expect(result).toMatchObject({ result: "failed", kind: "unavailable" });
    Object.assign(world.secondary, { largeCopies });
    await world.live(5 * 60_000);
    expect(await world.execute(inputOf(world))).toEqual(["copy", "ended"]);
    await expectSettled(world, LARGE);
  });
});

const batchOf = async (world: LargeCopying) => {
  const first = await world.take({ step: "advance", ...(inputOf(world) as object) });
  if (first.status !== "copy") throw new Error("nothing was handed out");
  const [batch] = first.batches;
  if (batch === undefined) throw new Error("nothing was handed out");
  return batch;
};

describe("a batch", () => {
  test("that is done again copies nothing again, and one of an upload that is over nothing at all", async () => {
    const world = await handedOver();
    const batch = await batchOf(world);
    expect(await world.take(batch)).toEqual({ status: "copied", parts: 7 });
    expect(await world.take(batch)).toEqual({ status: "copied", parts: 0 });
    await world.execute(inputOf(world));
    expect(await world.take(batch)).toEqual({ status: "copied", parts: 0 });
    expect(world.parts).toEqual(PARTS);
  });

  test("begins no part that it may not see the end of", async () => {
    const world = await handedOver();
    const batch = await batchOf(world);
    expect(await world.take(batch, world.secondary, world.clock.now())).toEqual({ status: "copied", parts: 0 });
  });

  test("R27: copies nothing once the site has become something else, and neither does an advance", async () => {
    const world = await handedOver();
    const batch = await batchOf(world);
    const promoted: SecondarySite = {
      ...world.secondary,
      standing: { read: () => Promise.resolve({ role: "primary", epoch: 1 }) },
    };
    expect(await world.take(batch, promoted)).toEqual({ status: "copied", parts: 0 });
    expect(await world.execute(inputOf(world), promoted)).toEqual(["ended"]);
  });

  test("F98: copies nothing once the site is paused, and neither does an advance, nor is an upload swept", async () => {
    const world = await handedOver();
    const batch = await batchOf(world);
    const paused: SecondarySite = {
      ...world.secondary,
      standing: { read: () => Promise.resolve({ role: "secondary", epoch: 0, paused: true }) },
    };
    world.secondary.replica.listUploads = () => Promise.reject(new Error("a paused site sweeps nothing"));
    expect(await world.take(batch, paused)).toEqual({ status: "copied", parts: 0 });
    expect(await world.take({ step: "sweep_uploads" }, paused)).toEqual({ status: "swept", seen: 0, aborted: 0 });
    const before = await world.row(KEY);
    expect(await world.execute(inputOf(world), paused)).toEqual(["ended"]);
    // Due as it was: whoever comes back to it when the site goes on starts another execution.
    expect(await world.row(KEY)).toEqual(before);
    expect(before?.due_at).toBeTypeOf("number");
  });

  test("F98: begins no further part of a batch once it hears of a pause", async () => {
    const world = await handedOver();
    const batch = await batchOf(world);
    const paused: SecondarySite = {
      ...world.secondary,
      standing: {
        read: () =>
          Promise.resolve({ role: "secondary", epoch: 0, ...(world.parts.length > 0 && ({ paused: true } as const)) }),
      },
    };
    expect(await world.take(batch, paused)).toEqual({ status: "copied", parts: 1 });
    expect(world.parts).toHaveLength(1);
  });

  test.each(["listParts", "copyPart"] as const)(
    "fails when S3 does not answer (%s), and is tried again",
    async (call) => {
      const world = await handedOver();
      const batch = await batchOf(world);
      world.replicaFaults.failNext(call, "throttled");
      await expect(world.take(batch)).rejects.toMatchObject({ code: "GEO_STORE_UNAVAILABLE" });
      await world.take(batch);
      expect(new Set(world.parts).size).toBe(7);
    },
  );
});

test("the sweep of uploads is a step of the same function", async () => {
  const world = largeCopying();
  expect(await world.take({ step: "sweep_uploads" })).toEqual({ status: "swept", seen: 0, aborted: 0 });
});

describe("an execution whose functions are killed in any of their calls", () => {
  test.each(["lost", "done"] as const)(
    "goes on, and no function copies more than one part again: the call is %s",
    { timeout: 120_000 },
    async (effect) => {
      let deaths = 0;
      for (let call = 1; ; call += 1) {
        const world = await handedOver();
        const mortal = new Mortal();
        const { secondary } = world;
        const site: SecondarySite = {
          ...secondary,
          primary: mortal.port("primary", secondary.primary),
          replica: mortal.port("replica", secondary.replica),
          registry: mortal.port("registry", secondary.registry),
          standing: mortal.port("standing", secondary.standing),
        };
        mortal.killAt(call, effect);
        const died = await world.execute(inputOf(world), site).then(
          () => false,
          (error: unknown) => error instanceof Killed,
        );
        if (!died) break;
        deaths += 1;
        // The machine tries the step again, once the lease of the dead is over.
        world.clock.advance(5 * 60_000);
        await world.sweep();
        await world.settle();
        world.clock.advance(5 * 60_000);
        for (const { name } of world.workflow.executions) {
          world.workflow.end(name, { status: "failed", failure: "for a test" });
        }
        for (let executions = 0; executions < 5 && world.replicaText(KEY) === undefined; executions += 1) {
          await world.live(LARGE_COPY_LOOK_MS + 2 * 60_000);
          const { executions: all } = world.workflow;
          await world.execute(inputOf(world, all.length - 1));
        }
        await world.live(60_000);
        expect(world.replicaText(KEY)).toBe(LARGE);
        expect(new Set(world.parts).size).toBe(7);
        expect(world.parts.length).toBeLessThanOrEqual(8);
      }
      expect(deaths).toBeGreaterThan(20);
    },
  );
});
