import { describe, expect, test } from "vitest";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { leaseMs, quarantineMs } from "../../shared/geo/limits.ts";
import { notificationBody } from "../../shared/memory/bucket-event.ts";
import { type Drift, driftStep, noticeDrift } from "../../shared/services/notice-drift.ts";
import type { ParkedMessage } from "../../shared/services/park.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEY = "cool_widgets/42/widget.bin";
const MINUTE_MS = 60_000;
/** The delay of the drift queue and a sweep: what is noticed is right by then. */
const NOTICED_WITHIN_MS = 2 * MINUTE_MS;
/** How long a message that was given back stays hidden in these worlds. */
const GIVEN_BACK_MS = 6 * MINUTE_MS;

const drifts = (world: TwoSites): number => world.telemetry.total("DriftFound");

/** A message of S3's about the replica's bucket, as it would be sent again. */
const report = (world: TwoSites, name: Parameters<typeof notificationBody>[0]["name"], versionId: string): string =>
  notificationBody({
    name,
    bucket: world.replicaBucket.name,
    region: "eu-west-1",
    time: world.clock.now(),
    key: KEY,
    versionId,
    requestId: "made-by-a-test",
  });

/** A world with one replicated object, whose own reports have been read. */
const withReplica = async (text = "ours", tags: Readonly<Record<string, string>> = {}): Promise<TwoSites> => {
  const world = twoSites();
  world.primaryBucket.put(KEY, text, { tags });
  await world.live(NOTICED_WITHIN_MS);
  expect(world.replicaText(KEY)).toBe(text);
  expect(drifts(world)).toBe(0);
  return world;
};

/** The replica is the primary's again, and nothing waits any more. */
const expectRight = async (world: TwoSites, text: string): Promise<void> => {
  expect(world.replicaText(KEY)).toBe(text);
  const row = await world.row(KEY);
  expect(row).toMatchObject({ state: "synced", verification_state: "succeeded" });
  expect(row?.rep_version_id).toBe(world.replicaBucket.current(KEY)?.versionId);
  expect(row?.done_gen).toBe(row?.gen);
  expect(row).not.toHaveProperty("due_at");
};

const hold = (world: TwoSites, until: number) =>
  world.registry.update({
    key: { pk: rowPartition(world), sk: KEY },
    update: "SET attempt_token = :token, lease_until = :until",
    values: { ":token": "somebody", ":until": until },
  });

const letGo = (world: TwoSites) =>
  world.registry.update({ key: { pk: rowPartition(world), sk: KEY }, update: "REMOVE attempt_token, lease_until" });

const rowPartition = (world: TwoSites): string => {
  const item = world.registry.items().find(({ sk }) => sk === KEY);
  if (item === undefined) throw new Error("there is no row to hold");
  return item.pk;
};

describe("what we do ourselves", () => {
  test("is reported, read and left alone: nobody looks again because of it", async () => {
    const world = twoSites();
    const keys = ["cool_widgets/1/a", "cool_widgets/2/b", "cool_widgets/3/c"];
    /** Has what was reported read, while whoever asked S3 about a replica or wrote to a row would fail. */
    const read = async (reports: number) => {
      await world.settle();
      expect(world.queues.drift.live.size).toBe(reports);
      const before = world.registry.items();
      world.replicaFaults.failNext("head", "unavailable");
      world.registry.interference = {
        before: ({ kind }) => {
          if (kind !== "get") throw new Error("a row was written to");
        },
      };
      world.clock.advance(MINUTE_MS);
      await world.settle();
      world.registry.interference = undefined;
      expect(world.replicaFaults.head()?.kind).toBe("unavailable"); // nobody has met it
      expect(world.queues.drift.live.size).toBe(0);
      expect(world.queues.drift.deadLetters.size).toBe(0);
      expect(world.registry.items()).toEqual(before);
    };
    for (const key of keys) world.primaryBucket.put(key, "first", { tags: { colour: "red" } });
    await read(3);
    world.primaryBucket.put("cool_widgets/1/a", "second");
    world.primaryBucket.putTags("cool_widgets/2/b", { colour: "blue" });
    world.primaryBucket.deleteCurrent("cool_widgets/3/c");
    await read(3); // two copies and a delete marker
    expect(drifts(world)).toBe(0);
  });

  test("is asked about once, and left alone, when the row has gone on to a later version by then", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    await world.settle();
    const [first] = world.queues.drift.live.bodies;
    world.primaryBucket.put(KEY, "two");
    await world.live(NOTICED_WITHIN_MS);
    expect(drifts(world)).toBe(0);
    const before = await world.row(KEY);
    await world.queues.drift.live.send([{ body: first ?? "" }]);
    world.replicaFaults.failNext("head", "unavailable");
    await world.settle();
    expect(world.replicaFaults.head()).toBeUndefined(); // S3 was asked
    world.clock.advance(GIVEN_BACK_MS);
    await world.settle();
    expect(world.queues.drift.live.size).toBe(0);
    expect(await world.row(KEY)).toEqual(before);
    expect(drifts(world)).toBe(0);
  });

  test("waits while its row is held, and is then recognised", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "one");
    const worker = await new Worker(world, KEY).until("commit_synced");
    await world.loseMessages(); // of the primary's
    await world.queues.drift.live.send([
      { body: report(world, "ObjectCreated:Copy", world.replicaBucket.current(KEY)?.versionId ?? "") },
    ]);
    await world.settle();
    expect(world.queues.drift.live.size).toBe(1);
    expect(await world.row(KEY)).toMatchObject({ gen: 1 });
    await worker.finish();
    const settled = await world.row(KEY);
    world.clock.advance(GIVEN_BACK_MS);
    await world.settle();
    expect(world.queues.drift.live.size).toBe(0);
    expect(await world.row(KEY)).toEqual(settled);
    expect(drifts(world)).toBe(0);
  });
});

describe("a write of ours that lands late is put right within minutes, before its quarantine ends", () => {
  test("R11: a copy that lands after a delete was committed is hidden again", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "ghost");
    world.replicaFaults.loseNextAnswer("copy", "later");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed", kind: "unknown_outcome" });
    world.primaryBucket.deleteCurrent(KEY);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "absent" });
    await world.loseMessages(); // what the primary has reported was worked on by hand
    world.replicaFaults.carryOutLate();
    expect(world.replicaText(KEY)).toBe("ghost");
    await world.live(NOTICED_WITHIN_MS);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(drifts(world)).toBe(1);
    // Another one may still land: the recheck has its say as before.
    expect((await world.row(KEY))?.taint_until).toBeGreaterThan(world.clock.now());
    await world.live(quarantineMs(world.secondary.functionTimeoutMs) + NOTICED_WITHIN_MS);
    expect(await world.row(KEY)).toBeUndefined();
  });

  test("R12: a copy of a frozen worker, which never says that it has woken up", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "old");
    const frozen = await new Worker(world, KEY).until("copy");
    world.clock.advance(leaseMs(world.secondary.functionTimeoutMs) + 1);
    world.primaryBucket.deleteCurrent(KEY);
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "absent" });
    await world.loseMessages();
    world.clock.advance(-2 * leaseMs(world.secondary.functionTimeoutMs));
    await frozen.step(); // and then it is ended
    world.clock.advance(2 * leaseMs(world.secondary.functionTimeoutMs));
    expect(world.replicaText(KEY)).toBe("old");
    await world.live(NOTICED_WITHIN_MS);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(drifts(world)).toBe(1);
    expect((await world.row(KEY))?.taint_until).toBeGreaterThan(world.clock.now());
  });

  test("R13: an old copy over the same ETag come back is told by its version", async () => {
    const world = await withReplica("A");
    world.primaryBucket.put(KEY, "B");
    world.replicaFaults.loseNextAnswer("copy", "later");
    expect(await new Worker(world, KEY).finish()).toMatchObject({ result: "failed" });
    world.primaryBucket.put(KEY, "A");
    await new Worker(world, KEY).finish();
    await world.loseMessages();
    world.replicaFaults.carryOutLate();
    expect(world.replicaText(KEY)).toBe("B");
    await world.live(NOTICED_WITHIN_MS);
    expect(world.replicaText(KEY)).toBe("A");
    expect(drifts(world)).toBe(1);
    expect((await world.row(KEY))?.taint_until).toBeGreaterThan(world.clock.now());
  });

  test("and by the recheck when S3's report of it is lost", async () => {
    const world = twoSites();
    world.primaryBucket.put(KEY, "ghost");
    world.replicaFaults.loseNextAnswer("copy", "later");
    await new Worker(world, KEY).finish();
    world.primaryBucket.deleteCurrent(KEY);
    await new Worker(world, KEY).finish();
    world.replicaFaults.carryOutLate();
    await world.loseMessages();
    await world.live(NOTICED_WITHIN_MS);
    expect(world.replicaText(KEY)).toBe("ghost");
    await world.live(quarantineMs(world.secondary.functionTimeoutMs));
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(drifts(world)).toBe(0);
    expect(world.telemetry.total("RecheckRepaired")).toBe(1);
  });
});

describe("what somebody else does to the replica's bucket is undone", () => {
  test("a replica that a person overwrites is copied again, and what they wrote stays as a version", async () => {
    const world = await withReplica();
    const theirs = world.replicaBucket.put(KEY, "theirs");
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect(world.replicaBucket.version(KEY, theirs.versionId)).toMatchObject({ versionId: theirs.versionId });
    expect(drifts(world)).toBe(1);
  });

  test("a replica that a person overwrites with the very same object is taken for what it is", async () => {
    const world = await withReplica();
    const theirs = world.replicaBucket.put(KEY, "ours");
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect(world.replicaBucket.current(KEY)?.versionId).toBe(theirs.versionId);
  });

  test("a replica that a person deletes comes back", async () => {
    const world = await withReplica();
    world.replicaBucket.deleteCurrent(KEY);
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect(world.replicaBucket.versions(KEY).map(({ kind }) => kind)).toEqual(["object", "delete_marker", "object"]);
  });

  test("a replica whose current version a person destroys comes back", async () => {
    const world = await withReplica("old");
    world.primaryBucket.put(KEY, "new");
    await world.live(NOTICED_WITHIN_MS);
    world.replicaBucket.deleteVersion(KEY, world.replicaBucket.current(KEY)?.versionId ?? "");
    expect(world.replicaText(KEY)).toBe("old");
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "new");
  });

  test("a noncurrent version that is destroyed concerns nobody", async () => {
    const world = await withReplica("old");
    world.primaryBucket.put(KEY, "new");
    await world.live(NOTICED_WITHIN_MS);
    const before = await world.row(KEY);
    world.replicaBucket.deleteVersion(KEY, world.replicaBucket.versions(KEY)[0]?.versionId ?? "");
    await world.live(NOTICED_WITHIN_MS);
    expect(await world.row(KEY)).toEqual(before);
    expect(drifts(world)).toBe(0);
  });

  test("a deleted object that a person brings back by removing our delete marker is hidden again", async () => {
    const world = await withReplica();
    world.primaryBucket.deleteCurrent(KEY);
    await world.live(NOTICED_WITHIN_MS);
    expect(await world.row(KEY)).toBeUndefined();
    world.replicaBucket.deleteVersion(KEY, world.replicaBucket.current(KEY)?.versionId ?? "");
    expect(world.replicaText(KEY)).toBe("ours");
    await world.live(NOTICED_WITHIN_MS);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(await world.row(KEY)).toBeUndefined();
    expect(world.queues.drift.live.size).toBe(0);
  });

  test("R23: an object that the primary never had is hidden behind a delete marker, and its version stays", async () => {
    const world = twoSites();
    const foreign = world.replicaBucket.put(KEY, "foreign");
    await world.live(NOTICED_WITHIN_MS);
    expect(world.replicaText(KEY)).toBeUndefined();
    expect(world.replicaBucket.version(KEY, foreign.versionId)).toMatchObject({ versionId: foreign.versionId });
    expect(await world.row(KEY)).toBeUndefined();
    expect(drifts(world)).toBe(1);
  });

  test("tags that a person sets, changes or takes away are the primary's again", async () => {
    const world = await withReplica("ours", { colour: "red" });
    for (const tags of [{ colour: "green" }, {}, { colour: "red", seen: "yes" }]) {
      world.replicaBucket.putTags(KEY, tags);
      await world.live(NOTICED_WITHIN_MS);
      expect(world.replicaBucket.current(KEY)).toMatchObject({ tags: { colour: "red" } });
      await expectRight(world, "ours");
    }
    expect(drifts(world)).toBe(3);
  });

  test("though the message to the consumer is lost: the row is due, and the sweep finds it", async () => {
    const world = await withReplica();
    world.replicaBucket.put(KEY, "theirs");
    await world.settle();
    world.clock.advance(MINUTE_MS);
    world.queues.events.live.interference = {
      before: ({ kind }) => {
        if (kind === "send") throw new Error("the queue takes nothing");
      },
    };
    await world.settle();
    world.queues.events.live.interference = undefined;
    expect(drifts(world)).toBe(1);
    expect(world.replicaText(KEY)).toBe("theirs");
    await world.live(MINUTE_MS);
    await expectRight(world, "ours");
  });
});

describe("a report", () => {
  test("that comes twice costs one touch more and nothing else", async () => {
    const world = await withReplica("ours", { colour: "red" });
    const before = await world.row(KEY);
    world.replicaBucket.putTags(KEY, { colour: "green" });
    await world.settle();
    const [body = ""] = world.queues.drift.live.bodies;
    await world.queues.drift.live.send([{ body, delaySeconds: 60 }]);
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect((await world.row(KEY))?.gen).toBe((before?.gen ?? 0) + 2);
    expect(world.replicaBucket.versions(KEY)).toHaveLength(2);
    await world.queues.drift.live.send([{ body }]);
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect((await world.row(KEY))?.gen).toBe((before?.gen ?? 0) + 3);
    expect(world.replicaBucket.versions(KEY)).toHaveLength(2);
  });

  test("about a row that is held for a quarter of an hour waits for it, and is no dead letter", async () => {
    const world = await withReplica();
    await hold(world, Number.MAX_SAFE_INTEGER);
    world.replicaBucket.put(KEY, "theirs");
    await world.live(15 * MINUTE_MS);
    expect(world.replicaText(KEY)).toBe("theirs");
    expect(world.queues.drift.deadLetters.size).toBe(0);
    await letGo(world);
    await world.live(GIVEN_BACK_MS + NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect(drifts(world)).toBe(1);
  });

  test("about a row that is claimed while S3 is asked does not touch it: it waits for the claim", async () => {
    const world = await withReplica();
    world.replicaBucket.put(KEY, "theirs");
    const ref = world.refOf(KEY);
    const change = { eventName: "ObjectCreated:Put", versionId: world.replicaBucket.current(KEY)?.versionId ?? "" };
    let drift: Drift = { at: "read_row", ref, change };
    while (drift.at === "read_row" || drift.at === "look") drift = await driftStep(world.secondary, drift);
    expect(drift.at).toBe("touch");
    const worker = await new Worker(world, KEY).until("observe_source");
    const claimed = await world.row(KEY);
    if (drift.at === "touch") drift = await driftStep(world.secondary, drift);
    expect(drift).toEqual({ at: "ended", result: "later" });
    expect(await world.row(KEY)).toEqual(claimed);
    await worker.finish();
    await world.live(NOTICED_WITHIN_MS);
    await expectRight(world, "ours");
    expect(drifts(world)).toBe(0);
  });

  test.each(["forbidden", "throttled", "unavailable"] as const)(
    "that S3 does not answer for (%s) comes back, and nothing is concluded from it",
    async (failure) => {
      const world = twoSites();
      world.replicaBucket.put(KEY, "foreign");
      world.replicaFaults.failNext("head", failure);
      await world.live(MINUTE_MS);
      expect(world.queues.drift.live.size).toBe(1);
      expect(await world.row(KEY)).toBeUndefined();
      await world.live(GIVEN_BACK_MS + MINUTE_MS);
      expect(world.replicaText(KEY)).toBeUndefined();
      expect(world.queues.drift.live.size).toBe(0);
    },
  );

  test("whose time is up comes back untouched", async () => {
    const world = twoSites();
    world.replicaBucket.put(KEY, "foreign");
    const [message] = world.queues.drift.live.export();
    if (message === undefined) throw new Error("nothing was reported");
    const noticing = {
      site: world.secondary,
      replicables: world.replicables,
      events: world.queues.events.live,
      parking: world.queues.drift.deadLetters,
      stopAt: world.clock.now(),
    };
    expect(await noticeDrift(noticing, message)).toMatchObject({
      done: false,
      left: 1,
      reason: "the function's time is up",
    });
    expect(await world.row(KEY)).toBeUndefined();
  });

  test("about a row that can not be read is left alone, and logged", async () => {
    const world = await withReplica();
    await world.registry.update({
      key: { pk: rowPartition(world), sk: KEY },
      update: "SET #state = :nonsense",
      names: { "#state": "state" },
      values: { ":nonsense": "not a number" },
    });
    world.replicaBucket.put(KEY, "theirs");
    await world.settle();
    world.clock.advance(MINUTE_MS);
    await world.settle();
    expect(world.queues.drift.live.size).toBe(0);
    expect(world.telemetry.linesOf("a key was left alone: trying again can not help")).toHaveLength(1);
  });

  test("names key, event and request in the log, for whoever asks who it was", async () => {
    const world = await withReplica();
    world.replicaBucket.deleteCurrent(KEY);
    await world.live(NOTICED_WITHIN_MS);
    const found = world.telemetry.lines.filter(({ event }) => event.startsWith("the replica's bucket was changed"));
    expect(found).toEqual([
      {
        level: "warn",
        event: expect.stringContaining("by somebody else") as string,
        fields: {
          replicable: "cool_widget",
          key: encodeKey(KEY),
          event: "ObjectRemoved:DeleteMarkerCreated",
          correlation_id: expect.any(String) as string,
        },
      },
    ]);
  });

  test("about a key that no kind claims is counted and otherwise ignored", async () => {
    const world = twoSites();
    world.replicaBucket.put("reports/2026.pdf", "theirs");
    await world.live(NOTICED_WITHIN_MS);
    expect(world.telemetry.total("UnmatchedKey")).toBe(1);
    expect(world.registry.items()).toEqual([]);
    expect(new TextDecoder().decode(bodyOf(world, "reports/2026.pdf"))).toBe("theirs");
  });

  test("about another bucket is parked, naming both", async () => {
    const world = twoSites();
    const body = report(world, "ObjectCreated:Put", "v").replaceAll("replica-bucket", "somebody-elses");
    await world.queues.drift.live.send([{ body }]);
    await world.settle();
    const [parked] = world.queues.drift.deadLetters.bodies.map((one) => JSON.parse(one) as ParkedMessage);
    expect(parked).toMatchObject({ parked: true, body });
    expect(parked?.reason).toContain("somebody-elses");
    expect(parked?.reason).toContain("replica-bucket");
    expect(world.telemetry.total("ForeignBucketEvent")).toBe(1);
    expect(world.registry.items()).toEqual([]);
  });

  test("that can not be read is parked whole with its reason, and S3's test event is not", async () => {
    const world = twoSites();
    const testEvent = { Service: "Amazon S3", Event: "s3:TestEvent", Bucket: "replica-bucket" };
    await world.queues.drift.live.send([{ body: "hello" }, { body: JSON.stringify(testEvent) }]);
    await world.settle();
    const parked = world.queues.drift.deadLetters.bodies.map((one) => JSON.parse(one) as ParkedMessage);
    expect(parked).toHaveLength(1);
    expect(parked[0]).toMatchObject({ parked: true, body: "hello" });
    expect(parked[0]?.reason).toContain("not JSON");
    expect(world.queues.drift.live.size).toBe(0);
  });
});

const bodyOf = (world: TwoSites, key: string): Uint8Array => {
  const current = world.replicaBucket.current(key);
  if (current?.kind !== "object") throw new Error(`${key} shows nothing`);
  return current.body;
};
