import { describe, expect, test } from "vitest";
import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { STANDING_KEPT_MS } from "../../shared/geo/limits.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { keepForLater } from "../../shared/services/keep-for-later.ts";
import { listRemovalGuards } from "../../shared/tables/site/list-removal-guards.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { askForResync } from "../support/ask-for-resync.ts";
import { bulkUpdating } from "../support/bulk-updating.ts";
import { SMALL_PARTS } from "../support/small-parts.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";
import { Worker } from "../support/workers.ts";

/** F98: a paused secondary starts no work, loses nothing, and goes on. */

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const keyOf = (id: number): string => `cool_widgets/${String(id)}/widget.bin`;
const KEY = keyOf(42);

/** What an operator says, and nobody has heard of yet. */
const say = async (world: TwoSites, enabled: boolean): Promise<void> => {
  await world.siteTable.update(changeSettings({ enabled }, world.clock.now()));
};

/** Pauses the secondary, or has it go on, and waits for as long as its functions go by what they knew. */
const enable = async (world: TwoSites, enabled: boolean): Promise<void> => {
  await say(world, enabled);
  world.clock.advance(STANDING_KEPT_MS);
};

const settledWorld = async (keys: readonly string[] = [KEY]): Promise<TwoSites> => {
  const world = twoSites();
  for (const key of keys) world.primaryBucket.put(key, `one of ${key}`);
  await world.settle();
  return world;
};

/** Writes to the replica's bucket from now on. */
const writesTo = (world: TwoSites): readonly string[] => {
  const seen: string[] = [];
  world.replicaBucket.onEvent((body) => void seen.push(body));
  return seen;
};

const deadLetters = ({ queues }: TwoSites): number =>
  Object.values(queues).reduce((sum, { deadLetters: dead }) => sum + dead.size, 0);

const waiting = ({ queues }: TwoSites): number => Object.values(queues).reduce((sum, { live }) => sum + live.size, 0);

describe("a secondary that is paused (F98)", () => {
  test("writes nothing within a minute of the pause, for an hour of changes, deletes and repetitions, and loses none", async () => {
    const keys = Array.from({ length: 20 }, (_, id) => keyOf(id));
    const world = await settledWorld(keys);
    await say(world, false);
    await world.live(60_000);
    const written = writesTo(world);
    for (let minute = 0; minute < 60; minute += 1) {
      const key = keyOf(minute % 25);
      if (minute % 7 === 3) world.primaryBucket.deleteCurrent(key);
      else world.primaryBucket.put(key, `minute ${String(minute)}`);
      await world.publish();
      for (const body of world.queues.events.live.bodies) await world.queues.events.live.send([{ body }]);
      await world.live(60_000);
    }
    expect(written).toEqual([]);
    expect(waiting(world)).toBe(0);
    expect(deadLetters(world)).toBe(0);
    for (const key of keys) expect((await world.row(key))?.state).toBe("pending");

    await enable(world, true);
    await world.live(10 * 60_000);
    for (let id = 0; id < 25; id += 1) {
      const source = world.primaryBucket.current(keyOf(id));
      const expected = source?.kind === "object" ? new TextDecoder().decode(source.body) : undefined;
      expect(world.replicaText(keyOf(id))).toBe(expected);
      const row = await world.row(keyOf(id));
      expect(row === undefined || row.state === "absent" ? "gone" : row.verification_state).toBe(
        expected === undefined ? "gone" : "succeeded",
      );
    }
  });

  test("keeps hints as rows that are due, without a message, however much longer the pause is than a queue keeps any", async () => {
    const world = await settledWorld();
    await enable(world, false);
    let asked = 0;
    const { primary } = world.secondary;
    const head = primary.head.bind(primary);
    primary.head = (key) => {
      asked += 1;
      return head(key);
    };
    world.primaryBucket.put(KEY, "two");
    world.primaryBucket.put(keyOf(7), "new");
    await world.settle();
    expect(asked).toBe(0); // nor is the primary asked anything
    expect(await world.row(KEY)).toMatchObject({ state: "pending", gen: 2, done_gen: 1, due_at: world.clock.now() });
    expect(await world.row(keyOf(7))).toMatchObject({ state: "pending", gen: 1, done_gen: 0 });
    world.clock.advance(30 * DAY_MS);
    await world.loseMessages();
    await world.live(10 * 60_000);
    expect(world.replicaText(KEY)).toBe(`one of ${KEY}`);
    await enable(world, true);
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBe("two");
    expect(world.replicaText(keyOf(7))).toBe("new");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test("removes nothing, and follows the deletion when it goes on", async () => {
    const world = await settledWorld();
    await enable(world, false);
    world.primaryBucket.deleteCurrent(KEY);
    await world.live(HOUR_MS);
    expect(world.replicaText(KEY)).toBe(`one of ${KEY}`);
    await enable(world, true);
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBeUndefined();
  });

  test("spends no permission to remove on a removal that the pause lets go of, since a release counts them one by one", async () => {
    const world = await settledWorld();
    world.primaryBucket.deleteCurrent(KEY);
    await world.loseMessages();
    const removing = await new Worker(world, KEY).until("ask_removal_guard");
    await enable(world, false);
    expect(await removing.finish()).toEqual({ result: "left_pending" });
    expect(await listRemovalGuards(world.siteTable)).toEqual([]);
    await enable(world, true);
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(await listRemovalGuards(world.siteTable)).toMatchObject([{ removals: 1 }]);
  });

  test("tries nothing again that has failed, and nothing fails because of a pause", async () => {
    const world = await settledWorld();
    world.primaryBucket.put(KEY, "two");
    world.replicaFaults.failNext("copy", "forbidden");
    await world.settle();
    const failed = await world.row(KEY);
    expect(failed).toMatchObject({ state: "failed", retry_count: 1 });
    await enable(world, false);
    const written = writesTo(world);
    const sent: unknown[] = [];
    const { live } = world.queues.events;
    const send = live.send.bind(live);
    live.send = (messages) => {
      sent.push(...messages);
      return send(messages);
    };
    await world.live(5 * HOUR_MS);
    expect(sent).toEqual([]); // what is due is not even named
    expect(written).toEqual([]);
    expect(await world.row(KEY)).toEqual(failed);
    await enable(world, true);
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBe("two");
  });

  test("lets go of what it had begun and not yet written, and brings to its end what it had", async () => {
    const world = await settledWorld();
    world.primaryBucket.put(KEY, "two");
    await world.loseMessages();
    const looking = await new Worker(world, KEY).until("copy");
    await enable(world, false);
    expect(await looking.finish()).toEqual({ result: "left_pending" });
    expect(await world.row(KEY)).toMatchObject({ state: "pending", due_at: world.clock.now() });
    expect(world.replicaText(KEY)).toBe(`one of ${KEY}`);

    await enable(world, true);
    const writing = await new Worker(world, KEY).until("copy");
    await writing.step();
    await enable(world, false);
    expect(await writing.finish()).toMatchObject({ result: "synced" });
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test("counts a hint into a row that somebody holds, who looks again", async () => {
    const world = await settledWorld();
    world.primaryBucket.put(KEY, "two");
    await world.loseMessages();
    const worker = await new Worker(world, KEY).until("copy");
    await worker.step();
    await enable(world, false);
    world.primaryBucket.put(KEY, "three");
    await world.settle();
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(await world.row(KEY)).toMatchObject({ state: "pending" });
    await enable(world, true);
    await world.live(5 * 60_000);
    expect(world.replicaText(KEY)).toBe("three");
  });

  test("whose worker was killed at the pause takes its row over when it goes on, and not before", async () => {
    const world = await settledWorld();
    world.primaryBucket.put(KEY, "two");
    await world.loseMessages();
    await new Worker(world, KEY).until("copy"); // and never again
    await enable(world, false);
    world.primaryBucket.put(KEY, "three");
    await world.live(2 * HOUR_MS);
    expect(await world.row(KEY)).toMatchObject({ state: "started" });
    expect(deadLetters(world)).toBe(0);
    await enable(world, true);
    await world.live(HOUR_MS);
    expect(world.replicaText(KEY)).toBe("three");
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test("that is paused and goes on again and again loses nothing", async () => {
    const world = await settledWorld();
    for (let turn = 0; turn < 30; turn += 1) {
      await say(world, turn % 2 === 1);
      world.primaryBucket.put(KEY, `turn ${String(turn)}`);
      world.primaryBucket.put(keyOf(turn), "x");
      if (turn % 5 === 4) world.primaryBucket.deleteCurrent(keyOf(turn));
      await world.live(7_000 * (turn % 4));
    }
    await enable(world, true);
    await world.live(10 * 60_000);
    expect(world.replicaText(KEY)).toBe("turn 29");
    for (let turn = 0; turn < 30; turn += 1) {
      expect(world.replicaText(keyOf(turn))).toBe(turn % 5 === 4 ? undefined : "x");
    }
    expect(deadLetters(world)).toBe(0);
  });

  test("reads no replica, also when the primary announces a digest, and reads it when it goes on (F28)", async () => {
    const world = await settledWorld();
    const before = await world.row(KEY);
    await enable(world, false);
    let reads = 0;
    const { replica } = world.secondary;
    const read = replica.read.bind(replica);
    replica.read = (...given) => {
      reads += 1;
      return read(...given);
    };
    const payload = { model_record_id: "42/widget", correlation_id: "a digest", blob_path: KEY };
    const event = { id: "1", replicable_name: "cool_widget", created_at: 1, payload } as const;
    const events = [{ ...event, event_name: "checksum_succeeded" as const }];
    const announced: GeoMessage = { version: 1, kind: "geo_events", events };
    const due: GeoMessage = { version: 1, kind: "due", replicable_name: "cool_widget", keys: [KEY] };
    const send = (message: GeoMessage) => world.queues.verification.live.send([{ body: JSON.stringify(message) }]);
    await send(due);
    await world.settle();
    expect(await world.row(KEY)).toEqual(before);
    await send(announced);
    await world.live(HOUR_MS);
    expect(reads).toBe(0);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "pending" });
    // Of a row that is not settled there is nothing to say: it will be read once it is.
    world.primaryBucket.put(KEY, "two");
    await world.settle();
    const unsettled = await world.row(KEY);
    await send(announced);
    await world.queues.events.live.send([{ body: JSON.stringify(announced) }]);
    await world.settle();
    expect(await world.row(KEY)).toEqual(unsettled);
    await enable(world, true);
    await world.live(30 * 60_000);
    expect(reads).toBeGreaterThan(0);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });

  test.each([
    ["after a hint", ["updated", "checksum_succeeded"]],
    ["before a hint", ["checksum_succeeded", "updated"]],
  ] as const)(
    "reads a replica whose digest was announced %s, although nothing else has changed (F28)",
    async (_when, names) => {
      const world = await settledWorld();
      const before = await world.row(KEY);
      await enable(world, false);
      for (const event_name of names) {
        const payload = { model_record_id: "42/widget", correlation_id: "a digest", blob_path: KEY };
        const events = [{ id: "1", replicable_name: "cool_widget", created_at: 1, event_name, payload }];
        const queue = event_name === "updated" ? world.queues.events : world.queues.verification;
        await queue.live.send([{ body: JSON.stringify({ version: 1, kind: "geo_events", events }) }]);
        await world.settle();
      }
      await enable(world, true);
      await world.live(30 * 60_000);
      const after = await world.row(KEY);
      expect(after).toMatchObject({ state: "synced", verification_state: "succeeded" });
      expect(after?.verified_at).toBeGreaterThan(before?.verified_at ?? Infinity);
      expect(after).not.toHaveProperty("due_at");
    },
  );

  test("begins no further part of a copy that it hears of in the middle of one", async () => {
    const world = twoSites({ copyLimits: SMALL_PARTS, replicaDrift: false });
    const parts: number[] = [];
    const { replica } = world.secondary;
    const copyPart = replica.copyPart.bind(replica);
    replica.copyPart = async (request) => {
      parts.push(request.number);
      if (parts.length === 2) await enable(world, false);
      return copyPart(request);
    };
    world.primaryBucket.put(KEY, "a large object");
    await world.settle();
    expect(parts).toEqual([1, 2]);
    await enable(world, true);
    await world.live(5 * 60_000);
    expect(parts).toEqual([1, 2, 3, 4]);
    expect(world.replicaText(KEY)).toBe("a large object");
  });

  test("remembers that a fresh copy is wanted (F18)", async () => {
    const world = await settledWorld();
    const first = (await world.row(KEY))?.rep_version_id;
    await enable(world, false);
    await askForResync(world, KEY);
    await world.live(HOUR_MS);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", resync_requested: true, rep_version_id: first });
    await enable(world, true);
    await world.live(5 * 60_000);
    const row = await world.row(KEY);
    expect(row?.state).toBe("synced");
    expect(row?.rep_version_id).not.toBe(first);
  });

  test("puts nothing right that people do to its replicas before it goes on, and then all of it", async () => {
    const world = await settledWorld([KEY, keyOf(7)]);
    await enable(world, false);
    world.replicaBucket.put(KEY, "theirs");
    await new Worker(world, keyOf(7)).until("observe_source"); // and never again
    world.replicaBucket.put(keyOf(7), "theirs");
    await world.live(8 * HOUR_MS);
    expect(world.replicaText(KEY)).toBe("theirs");
    // Nobody ends the attempt of a worker that is gone, so what is reported of its row is counted into it at last.
    expect(deadLetters(world)).toBe(0);
    expect(world.queues.drift.live.size).toBe(0);
    await enable(world, true);
    await world.live(2 * HOUR_MS);
    expect(world.replicaText(KEY)).toBe(`one of ${KEY}`);
    expect(world.replicaText(keyOf(7))).toBe(`one of ${keyOf(7)}`);
  });

  test("walks through nothing", async () => {
    const world = await settledWorld();
    await enable(world, false);
    const { walk, requests } = walkingSecondary(world);
    expect(await walk()).toMatchObject({ stopped: "paused", findings: { listed: 0 } });
    expect(requests.lists).toEqual({ primary: 0, replica: 0 });
    await enable(world, true);
    expect(await walk()).toMatchObject({ findings: { listed: 1 } });
  });

  test("asks no rows for a bulk update, whose executions wait for longer than one lasts", async () => {
    const world = await settledWorld();
    await enable(world, false);
    const bulk = bulkUpdating(world);
    await bulk.ask({ action: "resync" });
    const [first] = bulk.workflow.executions;
    expect(await bulk.step("slice", first?.input)).toEqual({ status: "wait", wait_seconds: 30 });
    await bulk.step("go_on", first?.input);
    const [, second] = bulk.workflow.executions;
    expect(await bulk.step("slice", second?.input)).toEqual({ status: "wait", wait_seconds: 30 });
    await enable(world, true);
    expect(await bulk.step("slice", second?.input)).toEqual({ status: "ended" });
    await world.settle();
    expect((await world.row(KEY))?.gen).toBe(2);
  });
});

describe("a hint that is kept", () => {
  test("finds a row held and gone by turns only so often, and then comes again", async () => {
    const world = twoSites();
    const refused = { outcome: "refused", item: undefined } as const;
    world.registry.update = () => Promise.resolve(refused);
    await expect(keepForLater(world.secondary, world.refOf(KEY), false)).rejects.toMatchObject({
      code: "GEO_TABLE_UNAVAILABLE",
    });
  });

  test("makes a tombstone a row again", async () => {
    const world = await settledWorld();
    await world.registry.put({ ...rowKey(world.refOf(KEY)), state: 5, gen: 3, done_gen: 3, rev: 1 });
    await keepForLater(world.secondary, world.refOf(KEY), false);
    expect(await world.row(KEY)).toMatchObject({ state: "pending", gen: 4, done_gen: 3 });
  });
});
