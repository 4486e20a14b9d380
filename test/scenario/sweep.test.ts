import { describe, expect, test } from "vitest";
import { SWEEP_ROWS_MAX } from "../../shared/geo/limits.ts";
import type { SweepCursor } from "../../shared/geo/sweep-steps.ts";
import { sweepDue } from "../../shared/services/sweep-due.ts";
import { countSuspicion } from "../../shared/tables/registry/recheck.ts";
import { twoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const HOUR_MS = 60 * 60_000;

test("a settled row that is touched without a message is looked at by the next sweep, not left to its verification", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one");
  await world.settle();
  const row = await world.row(KEY);
  if (row === undefined) throw new Error("no row");
  await world.registry.update(countSuspicion(world.refOf(KEY), row, world.clock.now()));
  await world.live(2 * 60_000);
  expect(await world.row(KEY)).toMatchObject({ state: "synced", gen: 2, done_gen: 2 });
  expect(await world.row(KEY)).not.toHaveProperty("due_at");
});

test("a failed row is tried again by itself, in its time and not before", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "one");
  world.replicaFaults.failNext("copy", "unavailable");
  await world.settle();
  const failed = await world.row(KEY);
  expect(failed).toMatchObject({ state: "failed", retry_count: 1 });
  world.clock.set((failed?.retry_at ?? 0) - 1);
  await world.sweep();
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "failed", retry_count: 1 });
  world.clock.set(failed?.retry_at ?? 0);
  await world.sweep();
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "synced", retry_count: 0 });
  expect(await world.row(KEY)).not.toHaveProperty("last_sync_failure");
});

describe("when every message is lost", () => {
  test("of a claimed row, the due index alone brings it to its end (L2)", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await new Worker(world, KEY).until("copy");
    await world.loseMessages();
    await world.live(4 * HOUR_MS);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
    expect(world.replicaText(KEY)).toBe("one");
  });

  test("of a primary's announcement, the secondary finds the checksum by itself (F16)", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "old-style", { checksum: "none" });
    world.queues.verification.live.interference = {
      before: ({ kind }) => {
        if (kind === "send") throw new Error("lost");
      },
    };
    await world.settle();
    world.queues.verification.live.interference = undefined;
    world.queues.ingest.live.import([]);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "disabled" });
    await world.live(10 * 60_000);
    expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
  });
});

test("an announcement that comes before the copy is settled costs seconds, not minutes", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "old-style", { checksum: "none" });
  await world.settle();
  world.primaryBucket.putTags(KEY, { changed: "yes" });
  await world.settle();
  world.clock.advance(20_000);
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "synced", verification_state: "succeeded" });
});

test("rounds of one sweep go on where the last one came to, and each due row is sent once", async () => {
  const world = twoSites();
  const rows = 3_000;
  const due = world.clock.now() - HOUR_MS;
  for (let i = 0; i < rows; i += 1) {
    await world.registry.update({
      key: { pk: "cool_widget#000", sk: `cool_widgets/${String(i)}/file` },
      update: "SET #state = :pending, due_pk = :partition, due_at = :due",
      names: { "#state": "state" },
      values: { ":pending": 0, ":partition": "cool_widget#0", ":due": due + i },
    });
  }
  const queue = world.queues.events.live;
  const replicableNames = world.replicables.map(({ name }) => name);
  let swept = 0;
  let rounds = 0;
  for (let cursor: SweepCursor | undefined; ; rounds += 1) {
    const round = await sweepDue(
      {
        table: world.registry,
        replicableNames,
        isOn: () => Promise.resolve(true),
        queue,
        clock: world.clock,
        telemetry: world.telemetry,
      },
      cursor,
    );
    swept += round.swept;
    if (!round.more) break;
    cursor = round.cursor;
  }
  const sent = queue.bodies.flatMap((body) => (JSON.parse(body) as { keys: string[] }).keys);
  expect(new Set(sent).size).toBe(rows);
  // A row on the edge of a page may be sent twice; never a whole page.
  expect(sent.length - rows).toBeLessThanOrEqual(rounds);
  expect(swept).toBe(sent.length);
  expect(rounds).toBeGreaterThan(0);
  expect(rounds).toBeLessThan(SWEEP_ROWS_MAX);
});

test("a backlog of verifications is handed over once, and again only when its message may be lost", async () => {
  const world = twoSites({ fusedVerificationBytesMax: 0 });
  world.primaryBucket.put(KEY, "large");
  world.queues.verification.live.interference = {
    before: ({ kind }) => {
      if (kind === "receive") throw new Error("nobody reads");
    },
  };
  await world.settle().catch(() => undefined);
  world.queues.verification.live.interference = undefined;
  const waiting = world.queues.verification.live.export();
  world.queues.verification.live.import([]);
  const handedOver = async (minutes: number) => {
    for (let minute = 0; minute < minutes; minute += 1) {
      world.clock.advance(60_000);
      await world.sweep();
      for (const message of await world.queues.events.live.receive()) {
        const { consumeEvents } = await import("../../shared/services/consume.ts");
        const consuming = {
          site: world.secondary,
          replicables: world.replicables,
          parking: world.queues.events.deadLetters,
        };
        await consumeEvents({ ...consuming, stopAt: Infinity }, message);
        await world.queues.events.live.acknowledge([message.id]);
      }
    }
    return world.queues.verification.live.size;
  };
  expect(waiting.length).toBeLessThanOrEqual(1);
  expect(await handedOver(16)).toBe(3);
});

test("a row that can not be read is left alone, and does not bring its neighbours back with it", async () => {
  const world = twoSites();
  world.primaryBucket.put(KEY, "beside");
  world.primaryBucket.put("cool_widgets/13/broken", "x");
  const { rowKey } = await import("../../shared/geo/registry-row.ts");
  await world.registry.update({
    key: rowKey(world.refOf("cool_widgets/13/broken")),
    update: "SET #state = :nonsense",
    names: { "#state": "state" },
    values: { ":nonsense": "not a number" },
  });
  await world.registry.update({
    key: rowKey(world.refOf("cool_widgets/13/broken")),
    update: "SET attempt_token = :held, lease_until = :never",
    values: { ":held": "somebody", ":never": Number.MAX_SAFE_INTEGER },
  });
  await world.settle();
  expect(await world.row(KEY)).toMatchObject({ state: "synced" });
  expect(world.queues.events.live.size).toBe(0);
  expect(world.telemetry.linesOf("a key was left alone: trying again can not help").length).toBeGreaterThan(0);
});
