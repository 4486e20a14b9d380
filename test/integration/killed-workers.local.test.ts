import process from "node:process";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SeededChance } from "../../shared/memory/chance.ts";
import { content, deleteOnPrimary, ownKey, STRONG, WEAK } from "../faults/changes.ts";
import { cloudProcess, killWorkers } from "../faults/cloud-processes.ts";
import { settled, settledWithHints } from "../faults/convergence.ts";
import { readItsQueues } from "../faults/event-source-mappings.ts";
import type { InForce } from "../faults/fault-proxy.ts";
import type { FaultRule } from "../faults/fault-rule.ts";
import { type FaultyPair, faultyPair, ON_THE_WAY, type OnTheWay } from "../faults/faulty-pair.ts";
import { deadLetters } from "../faults/queue-patience.ts";
import { cloud, missing, names, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { attributesOf } from "./support/messages.ts";
import { objectAt, putOnPrimary, registryRow, versionsAt } from "./support/objects.ts";

/**
 * What is killed here are the processes in which the local cloud runs functions. The cloud itself can not be: it keeps the
 * versions of objects, the rows and the messages in memory, and writes what it can only when it is asked to end, so that
 * `kill -9` would end the world and not a poller. Its pollers are one thread of that process. Instead the whole process is
 * stopped for longer than leases and messages wait, pollers and all, and Lambda is told to stop reading a queue in the
 * middle of a copy.
 */
const cloudItself = await cloudProcess();

const seed = Number(process.env["S3_GEO_SEED"] ?? Date.now() % 1_000_000);

/** How long a dead holder's row is kept, and a message that it took. As deployed these are six minutes and half an hour. */
const LEASE_SECONDS = 2;
const VISIBILITY_SECONDS = 3;

/** Longer than both, and than the functions wait for an answer before they ask again. */
const FROZEN_MS = 6_000;

/**
 * What lands late goes through a connection whose other end is dead, and may take another request with it: that attempt
 * fails, waits for about a minute, and is made again by the sweep of the next.
 */
const WITH_A_RETRY_MS = 180_000;

let pair: FaultyPair;
let lettersBefore: Awaited<ReturnType<typeof deadLetters>>;

const kill = (folder: OnTheWay): Promise<number> => killWorkers(pair.functions[folder].name);

/** Waits until a request of a function is held, and kills the function there. What was held stays so. */
const killedAt = async (folder: OnTheWay, rule: FaultRule, change: () => Promise<void>): Promise<InForce> => {
  const inForce = pair.proxy.inject(rule);
  await change();
  await eventually(
    "the request is held",
    async () => inForce.hits(),
    (hits) => hits === 1,
  );
  expect(await kill(folder)).toBe(1);
  return inForce;
};

describe.skipIf(cloudItself === undefined)(`functions that are killed (seed ${seed})`, () => {
  beforeAll(async () => {
    console.log(`S3_GEO_SEED=${seed}`);
    lettersBefore = await deadLetters();
    pair = await faultyPair({
      seed,
      visibilitySeconds: VISIBILITY_SECONDS,
      variables: { "event-consumer": { SYNC_TIMEOUT_SECONDS: String(LEASE_SECONDS) } },
    });
    const { key } = ownKey();
    await putOnPrimary(key, content("warm"), WEAK);
    await settled(key);
  });
  afterEach(() => pair.proxy.lift());
  afterAll(() => pair?.restore());

  test("R9: one that dies before its copy is taken over, and its key is under suspicion", async () => {
    const { key, id } = ownKey();
    const look: FaultRule = {
      fault: { kind: "hold_request" },
      which: { operation: "HeadObject", caller: "event-consumer", mentions: id },
    };
    await killedAt("event-consumer", look, () => putOnPrimary(key, content("first"), STRONG));
    const { row } = await settled(key);
    expect(row?.due_at).toBe(row?.taint_until);
    expect(row?.taint_until).toEqual(expect.any(Number));
  });

  test("R10: one that dies between its copy and its commit is taken over, and its copy is adopted", async () => {
    const { key, id } = ownKey();
    const copy: FaultRule = { fault: { kind: "hold_answer" }, which: { operation: "CopyObject", mentions: id } };
    await killedAt("event-consumer", copy, () => putOnPrimary(key, content("first"), STRONG));
    const { row } = await settled(key);
    expect(row?.taint_until).toEqual(expect.any(Number));
    expect(await versionsAt(secondary, key)).toEqual({ versions: 1, markers: [] });
  });

  test("R11: a copy that lands over a newer one after its sender has died is undone", async (context) => {
    if (missing("copy-destination-conditions") === undefined) context.skip(`${cloud.name} refuses such a copy`);
    const { key, id } = ownKey();
    const copy: FaultRule = { fault: { kind: "hold_request" }, which: { operation: "CopyObject", mentions: id } };
    const late = await killedAt("event-consumer", copy, () => putOnPrimary(key, content("first"), STRONG));
    await putOnPrimary(key, content("second"), STRONG);
    const { row } = await settled(key);
    await eventually(
      "the message that it died over has come back and is done with, so that it can not make up for what follows",
      () => attributesOf(secondary, names.secondary.eventsQueue),
      (queue) =>
        Number(queue["ApproximateNumberOfMessages"]) + Number(queue["ApproximateNumberOfMessagesNotVisible"]) === 0,
    );
    late.letGo();
    await eventually(
      "it has landed, and the newer one was copied again",
      () => registryRow(key),
      (seen) => seen?.rep_version_id !== row?.rep_version_id && seen?.gen === seen?.done_gen,
      WITH_A_RETRY_MS,
    );
    await settled(key);
    expect(await objectAt(secondary, key)).toMatchObject({ text: content("second") });
  }, 300_000);

  test("one that dies between its removal and its commit is taken over, and leaves a tombstone", async () => {
    const { key, id } = ownKey();
    await putOnPrimary(key, content("first"), STRONG);
    await settled(key);
    const removal: FaultRule = { fault: { kind: "hold_answer" }, which: { operation: "DeleteObject", mentions: id } };
    await killedAt("event-consumer", removal, () => deleteOnPrimary(key));
    expect((await settled(key)).row).toMatchObject({ state: "absent", taint_until: expect.any(Number) });
    expect(await versionsAt(secondary, key)).toMatchObject({ versions: 1, markers: [expect.any(String)] });
  });

  test.each(["checksum", "verification"] as const)(
    "%s that dies while it reads an object does not keep the next version waiting",
    async (folder) => {
      const { key, id } = ownKey();
      const read: FaultRule = {
        fault: { kind: "hold_answer" },
        which: { operation: "GetObject", caller: folder, mentions: id },
      };
      await killedAt(folder, read, () => putOnPrimary(key, content("first"), WEAK));
      await putOnPrimary(key, content("second"), WEAK);
      await settled(key);
      expect(await objectAt(secondary, key)).toMatchObject({ text: content("second") });
    },
  );

  test("whoever is killed while objects are put, overwritten and deleted, both sites are the same afterwards", async () => {
    const chance = new SeededChance(seed);
    const keys = Array.from({ length: 12 }, () => ownKey().key);
    let kills = 0;
    for (let edition = 0; edition < 8; edition += 1) {
      await Promise.all(
        keys.map((key) =>
          edition > 0 && chance.random() < 0.25
            ? deleteOnPrimary(key)
            : putOnPrimary(key, content(`${key} ${edition}`), STRONG),
        ),
      );
      const victim = ON_THE_WAY[Math.floor(chance.random() * ON_THE_WAY.length)] ?? "event-consumer";
      kills += await kill(victim);
      await new Promise((pause) => setTimeout(pause, 500 * chance.random()));
    }
    expect(kills).toBeGreaterThan(0);
    await settledWithHints(keys, 60_000);
  });

  test("a cloud that stands still for longer than leases and messages wait finds both sites the same afterwards", async () => {
    const keys = Array.from({ length: 12 }, () => ownKey());
    const copies = keys.map(({ id }) =>
      pair.proxy.inject({ fault: { kind: "delay", ms: 300 }, which: { operation: "CopyObject", mentions: id } }),
    );
    await Promise.all(keys.map(({ key }) => putOnPrimary(key, content(key), STRONG)));
    await eventually(
      "copies are under way",
      async () => copies.filter((copy) => copy.hits() > 0).length,
      (begun) => begun > 0,
    );
    const { pid } = cloudItself ?? { pid: Number.NaN };
    process.kill(pid, "SIGSTOP");
    try {
      const asked = fetch(new URL("/_ministack/health", cloud.endpoint), { signal: AbortSignal.timeout(FROZEN_MS) });
      await expect(asked).rejects.toThrow(/timeout/);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    await settledWithHints(
      keys.map(({ key }) => key),
      60_000,
    );
  });

  test("a queue that nobody reads any more from the middle of a copy on is read to its end later", async () => {
    const [held, waiting] = [ownKey(), ownKey()];
    const consumer = pair.functions["event-consumer"];
    const copy = pair.proxy.inject({
      fault: { kind: "hold_request" },
      which: { operation: "CopyObject", mentions: held.id },
    });
    await putOnPrimary(held.key, content("held"), STRONG);
    await eventually(
      "the copy is held",
      async () => copy.hits(),
      (hits) => hits === 1,
    );
    await readItsQueues(consumer, false);
    try {
      await putOnPrimary(waiting.key, content("waiting"), STRONG);
      copy.letGo();
      await settled(held.key);
      await eventually(
        "the other's event waits in the queue",
        () => attributesOf(secondary, names.secondary.eventsQueue),
        ({ ApproximateNumberOfMessages: visible }) => Number(visible) > 0,
      );
      expect(await registryRow(waiting.key)).toBeUndefined();
    } finally {
      await readItsQueues(consumer, true);
    }
    await settled(waiting.key);
  });

  test("and nothing of it lies in a dead-letter queue", async () => {
    expect(await deadLetters()).toEqual(lettersBefore);
  });
});
