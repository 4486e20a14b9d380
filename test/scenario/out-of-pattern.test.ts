import { describe, expect, test } from "vitest";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { defineReplicable } from "../../shared/geo/replicable.ts";
import { metadataScope } from "../../shared/geo/replicable-scope.ts";
import { type ObjectRef, rowKey } from "../../shared/geo/registry-row.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const REF: ObjectRef = { replicableName: "cool_widget", key: KEY };
const DAY_MS = 24 * 60 * 60_000;
const SOME_SWEEPS_MS = 10 * 60_000;

/** The types of the product, one of which keeps its objects somewhere else since. */
const moved = (world: TwoSites): readonly Replicable[] =>
  world.replicables.map((replicable) =>
    replicable.name === "cool_widget"
      ? defineReplicable({
          name: "cool_widget",
          model: "CoolWidget",
          table: "cool_widgets",
          shardingKey: "none",
          keyPattern: "widgets-v2/{id}/{filename+}",
          uploader: "CoolWidgetUploader",
          strategy: "blob",
          scope: metadataScope,
          milestone: "13.10",
          enabledByDefault: false,
        })
      : replicable,
  );

interface Side {
  /** Leaves a row that is due. */
  readonly dueRow: (world: TwoSites) => Promise<void>;
  readonly table: (world: TwoSites) => MemoryTable;
  readonly queue: keyof TwoSites["queues"];
  /** Works on what the queue holds, with the types as they are now; how many messages there were. */
  readonly work: (world: TwoSites, replicables: readonly Replicable[]) => Promise<number>;
}

const working = (
  queue: keyof TwoSites["queues"],
  work: typeof consumeEvents | typeof consumeVerifications | typeof recordChecksums,
): Side["work"] => {
  // Each of them takes its own site, and what else they are given is no concern of theirs.
  const handle = work as (recording: object, message: object) => Promise<{ readonly done: boolean }>;
  return async (world, replicables) => {
    const { live, deadLetters } = world.queues[queue];
    const messages = await live.receive();
    for (const message of messages) {
      const site = queue === "checksum" ? world.primary : world.secondary;
      const primaryBucket = world.primaryBucket.name;
      const stopAt = world.clock.now() + 50_000;
      expect(await handle({ site, replicables, parking: deadLetters, primaryBucket, stopAt }, message)).toEqual({
        done: true,
      });
    }
    await live.acknowledge(messages.map(({ id }) => id));
    return messages.length;
  };
};

const SIDES: readonly (readonly [string, Side])[] = [
  [
    "a secondary",
    {
      dueRow: async (world) => {
        world.primaryBucket.put(KEY, "content");
        await world.loseMessages();
        const worker = await new Worker(world, KEY).until("copy");
        world.clock.advance(world.secondary.functionTimeoutMs);
        await worker.finish();
      },
      table: ({ registry }) => registry,
      queue: "events",
      work: working("events", consumeEvents),
    },
  ],
  [
    "a secondary whose worker died with the row",
    {
      dueRow: async (world) => {
        world.primaryBucket.put(KEY, "content");
        await world.loseMessages();
        await new Worker(world, KEY).until("copy");
        world.clock.advance(10 * 60_000);
      },
      table: ({ registry }) => registry,
      queue: "events",
      work: working("events", consumeEvents),
    },
  ],
  [
    "a primary",
    {
      dueRow: async (world) => {
        world.primaryBucket.put(KEY, "content", { checksum: "none" });
        world.primaryFaults.failNext("read", "unavailable");
        await world.settle();
        await world.loseMessages();
        world.clock.advance(2 * 60 * 60_000);
      },
      table: ({ verificationState }) => verificationState,
      queue: "checksum",
      work: working("checksum", recordChecksums),
    },
  ],
];

describe.each(SIDES)("a due row whose key its type does not claim any more, at %s", (_name, side) => {
  test("is put off by a day, counted, and not parked", async () => {
    const world = twoSites();
    await side.dueRow(world);
    const before = await side.table(world).get(rowKey(REF));
    expect(before).toHaveProperty("due_at");
    const types = moved(world);
    await world.sweep();
    expect(await side.work(world, types)).toBe(1);
    expect(await side.table(world).get(rowKey(REF))).toEqual({
      ...before,
      due_at: world.clock.now() + DAY_MS,
      rev: Number(before?.["rev"]) + 1,
    });
    expect(world.queues[side.queue].deadLetters.size).toBe(0);
    expect(world.telemetry.total("OutOfPattern")).toBe(1);
    expect(world.telemetry.linesOf("out_of_pattern")).toHaveLength(1);
  });

  test("comes back once a day and not with each sweep, and is worked on once its type claims it again", async () => {
    const world = twoSites();
    await side.dueRow(world);
    const types = moved(world);
    for (let passed = 0; passed < DAY_MS + 2 * SOME_SWEEPS_MS; passed += SOME_SWEEPS_MS) {
      await world.sweep();
      await side.work(world, types);
      world.clock.advance(SOME_SWEEPS_MS);
    }
    expect(world.telemetry.total("OutOfPattern")).toBe(2);
    world.clock.advance(DAY_MS);
    await world.live(10 * 60_000);
    expect(world.telemetry.total("OutOfPattern")).toBe(2);
    expect(await side.table(world).get(rowKey(REF))).toMatchObject({ verification_state: 2 });
  });

  test("is left as it is when it is not due, or does not exist: a forged message changes nothing", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "content");
    await world.settle();
    const before = await side.table(world).get(rowKey(REF));
    const keys = [KEY, "cool_widgets/1/never-was"];
    const body = JSON.stringify({ version: 1, kind: "due", replicable_name: "cool_widget", keys });
    await world.queues[side.queue].live.send([{ body }]);
    await side.work(world, moved(world));
    expect(await side.table(world).get(rowKey(REF))).toEqual(before);
    expect(side.table(world).items()).toHaveLength(1);
    expect(world.telemetry.total("OutOfPattern")).toBe(0);
  });
});

test("a verification that is due of a key that its type does not claim any more is put off likewise", async () => {
  const world = twoSites({ fusedVerificationBytesMax: 0 });
  world.primaryBucket.put(KEY, "content");
  await world.loseMessages();
  await new Worker(world, KEY).finish();
  world.clock.advance(60 * 60_000);
  await working("verification", consumeVerifications)(world, moved(world));
  expect(await world.registry.get(rowKey(REF))).toMatchObject({ due_at: world.clock.now() + DAY_MS });
  expect(world.queues.verification.deadLetters.size).toBe(0);
});
