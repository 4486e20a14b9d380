import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SeededChance } from "../../shared/memory/chance.ts";
import { content, deleteOnPrimary, ownKey, STRONG, WEAK } from "../faults/changes.ts";
import { failed, settled, settledWithHints } from "../faults/convergence.ts";
import type { InForce } from "../faults/fault-proxy.ts";
import type { Fault, FaultRule, Which } from "../faults/fault-rule.ts";
import { type FaultyPair, faultyPair, ON_THE_WAY } from "../faults/faulty-pair.ts";
import { deadLetters } from "../faults/queue-patience.ts";
import { STORM } from "../faults/storm.ts";
import { cloud, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { sayAgain } from "./support/hints.ts";
import { putOnPrimary, registryRow, uniqueKey, versionsAt } from "./support/objects.ts";

const seed = Number(process.env["S3_GEO_SEED"] ?? Date.now() % 1_000_000);
let pair: FaultyPair;
let lettersBefore: Awaited<ReturnType<typeof deadLetters>>;

const inject = (id: string, fault: Fault, which: Which, often: Pick<FaultRule, "times" | "share"> = {}): InForce =>
  pair.proxy.inject({ fault, which: { mentions: id, ...which }, ...often });

/** A key of its own that is replicated already. */
const replicated = async () => {
  const own = ownKey();
  await putOnPrimary(own.key, content("first"), STRONG);
  await settled(own.key);
  return own;
};

describe.skipIf(cloud.name !== "ministack")(`faults on a real wire (seed ${seed})`, () => {
  beforeAll(async () => {
    console.log(`S3_GEO_SEED=${seed}`);
    lettersBefore = await deadLetters();
    pair = await faultyPair({
      seed,
      visibilitySeconds: 10,
      // What a row is held for when its holder could not write any more, as deployed six minutes.
      variables: { "event-consumer": { SYNC_TIMEOUT_SECONDS: "10" } },
    });
    const { key } = ownKey();
    await putOnPrimary(key, content("warm"), WEAK);
    await settled(key);
    // Whatever goes wrong from here on goes wrong between these and the cloud.
    const silent = ON_THE_WAY.filter((folder) => !pair.proxy.requestsBy().has(pair.functions[folder].name));
    if (silent.length > 0) throw new Error(`nothing that ${silent.join(" and ")} asks goes through the proxy`);
  });
  afterAll(() => pair?.restore());

  describe.concurrent("a copy", () => {
    test.each<Fault>([{ kind: "drop_answer" }, { kind: "cut_short" }])(
      "that is made without an answer ($kind) is found, verified and held in quarantine",
      async (fault) => {
        const { key, id } = ownKey();
        const rule = inject(id, fault, { operation: "CopyObject" });
        await putOnPrimary(key, content("first"), STRONG);
        const { row } = await settled(key);
        expect(rule.hits()).toBe(1);
        expect(row).toMatchObject({ taint_until: expect.any(Number), retry_count: 0 });
        expect(row?.due_at).toBe(row?.taint_until);
      },
    );

    test("that may have been made and was not fails, and the next event makes it", async () => {
      const { key, id } = ownKey();
      const rule = inject(id, { kind: "reset" }, { operation: "CopyObject" });
      await putOnPrimary(key, content("first"), STRONG);
      const { row, replica } = await failed(key);
      expect(rule.hits()).toBe(1);
      expect(replica).toBeUndefined();
      expect(row).toMatchObject({ retry_count: 1, taint_until: expect.any(Number) });
      expect(row?.due_at).toBeLessThanOrEqual(row?.retry_at ?? 0);
      await sayAgain(key);
      expect((await settled(key)).row?.taint_until).toBe(row?.taint_until);
    });

    test("that S3 is too busy for is no failure and leaves no suspicion, and the next event makes it", async () => {
      const { key, id } = ownKey();
      const rule = inject(id, { kind: "slow_down" }, { operation: "CopyObject" });
      await putOnPrimary(key, content("first"), STRONG);
      const { row } = await failed(key);
      expect(rule.hits()).toBe(1);
      expect(row?.retry_count).toBe(0);
      expect(row?.due_at).toBeLessThanOrEqual(row?.retry_at ?? 0);
      await sayAgain(key);
      expect((await settled(key)).row?.taint_until).toBeUndefined();
    });

    test.each<Fault>([{ kind: "send_twice" }, { kind: "delay", ms: 1_500 }])(
      "that is made twice or late ($kind) settles by itself",
      async (fault) => {
        const { key, id } = ownKey();
        await putOnPrimary(key, content("first"), STRONG);
        await settled(key);
        const rule = inject(id, fault, { operation: "CopyObject" });
        await putOnPrimary(key, content("second"), STRONG);
        const { row } = await settled(key);
        expect(rule.hits()).toBe(1);
        expect(row?.taint_until).toBeUndefined();
      },
    );
  });

  describe.concurrent("a removal", () => {
    test("that is made without an answer leaves a tombstone in quarantine", async () => {
      const { key, id } = await replicated();
      const rule = inject(id, { kind: "drop_answer" }, { operation: "DeleteObject" });
      await deleteOnPrimary(key);
      const { row } = await settled(key);
      expect(rule.hits()).toBe(1);
      expect(row).toMatchObject({ state: "absent", taint_until: expect.any(Number), due_at: row?.taint_until });
    });

    test("that may have been made and was not fails, and the next event makes it", async () => {
      const { key, id } = await replicated();
      const rule = inject(id, { kind: "reset" }, { operation: "DeleteObject" });
      await deleteOnPrimary(key);
      const { row, replica } = await failed(key);
      expect(rule.hits()).toBe(1);
      expect(replica).toBeDefined();
      expect(row).toMatchObject({ retry_count: 1, taint_until: expect.any(Number) });
      expect(row?.due_at).toBeLessThanOrEqual(row?.retry_at ?? 0);
      await sayAgain(key);
      expect((await settled(key)).row).toMatchObject({ state: "absent", taint_until: row?.taint_until });
    });

    test("that S3 is too busy for leaves no suspicion, and the next event makes it", async () => {
      const { key, id } = await replicated();
      const rule = inject(id, { kind: "slow_down" }, { operation: "DeleteObject" });
      await deleteOnPrimary(key);
      expect((await failed(key)).row?.retry_count).toBe(0);
      expect(rule.hits()).toBe(1);
      await sayAgain(key);
      expect((await settled(key)).row?.taint_until).toBeUndefined();
    });

    test("that is made twice leaves nothing behind", async () => {
      const { key, id } = await replicated();
      const rule = inject(id, { kind: "send_twice" }, { operation: "DeleteObject" });
      await deleteOnPrimary(key);
      await settled(key);
      expect(rule.hits()).toBe(1);
    });
  });

  describe.concurrent("what is only asked", () => {
    test.each<{ fault: Fault; operation: string }>([
      { fault: { kind: "reset" }, operation: "HeadObject" },
      { fault: { kind: "slow_down" }, operation: "HeadObject" },
      { fault: { kind: "drop_answer" }, operation: "HeadObject" },
      { fault: { kind: "reset" }, operation: "GetObject" },
    ])("is asked again at once after $fault.kind of $operation", async ({ fault, operation }) => {
      const { key, id } = ownKey();
      const rule = inject(id, fault, { operation, attempt: 1 }, { times: 10 });
      await putOnPrimary(key, content("first"), STRONG);
      const { row } = await settled(key);
      expect(rule.hits()).toBeGreaterThan(0);
      expect(row).toMatchObject({ retry_count: 0 });
      expect(row?.taint_until).toBeUndefined();
    });

    test("fails the attempt when it is never answered, and the next event makes up for it", async () => {
      const { key, id } = ownKey();
      const rule = inject(id, { kind: "reset" }, { operation: "HeadObject", caller: "event-consumer" }, { times: 3 });
      await putOnPrimary(key, content("first"), STRONG);
      const { row } = await failed(key);
      expect(rule.hits()).toBe(3);
      expect(row?.retry_count).toBe(1);
      expect(row?.due_at).toBeLessThanOrEqual(row?.retry_at ?? 0);
      expect(row?.taint_until).toBeUndefined();
      await sayAgain(key);
      await settled(key);
    });

    test("is read by the verification function when it breaks off in the hands of the consumer", async () => {
      const { key, id } = ownKey();
      const rule = inject(id, { kind: "cut_short" }, { operation: "GetObject", caller: "event-consumer" });
      await putOnPrimary(key, content("first"), STRONG);
      await settled(key);
      expect(rule.hits()).toBe(1);
    });

    test.each(["checksum", "verification"] as const)(
      "is never taken for the whole when it breaks off in the hands of %s, and is read again after the next event",
      async (caller) => {
        const { key, id } = ownKey();
        const rule = inject(id, { kind: "cut_short" }, { operation: "GetObject", caller });
        await putOnPrimary(key, content("first"), WEAK);
        await settledWithHints([key], 60_000);
        expect(rule.hits()).toBe(1);
        // Half a body has a digest as well. Were it taken for the whole's, the replica would be copied again, and again.
        expect(await versionsAt(secondary, key)).toEqual({ versions: 1, markers: [] });
      },
    );
  });

  describe.concurrent("a write of a row", () => {
    test.each<Fault>([
      { kind: "drop_answer" },
      { kind: "reset" },
      { kind: "cut_short" },
      { kind: "slow_down" },
      { kind: "send_twice" },
      { kind: "delay", ms: 300 },
    ])("that goes wrong each first time ($kind) is made good by its repetition", async (fault) => {
      const { key, id } = ownKey();
      const rule = inject(id, fault, { operation: "UpdateItem", attempt: 1 }, { times: 40 });
      await putOnPrimary(key, content("first"), WEAK);
      await settled(key);
      await putOnPrimary(key, content("second"), STRONG);
      await settled(key);
      await deleteOnPrimary(key);
      const { row } = await settled(key);
      expect(rule.hits()).toBeGreaterThan(4);
      expect(row?.taint_until).toBeUndefined();
    });

    test.each<Fault>([{ kind: "drop_answer" }, { kind: "reset" }, { kind: "send_twice" }])(
      "that takes a row away and goes wrong ($kind) takes it away",
      async (fault) => {
        const { key, id } = await replicated();
        const rule = inject(id, fault, { operation: "DeleteItem", caller: "event-consumer" });
        await deleteOnPrimary(key);
        await eventually(
          "the row is gone",
          () => registryRow(key),
          (row) => row === undefined,
        );
        expect(rule.hits()).toBe(1);
      },
    );

    test("that is never answered has its message delivered again", async () => {
      const { key, id } = ownKey();
      const moreThanTheSdkTries = { times: 6 };
      const which = { operation: "UpdateItem", caller: "event-consumer" };
      const rule = inject(id, { kind: "reset" }, which, moreThanTheSdkTries);
      await putOnPrimary(key, content("first"), STRONG);
      await settled(key, 40_000); // before anything else might name the key again
      expect(rule.hits()).toBe(6);
    });
  });

  test("whatever goes wrong while objects are put, overwritten and deleted, both sites are the same afterwards", async () => {
    const chance = new SeededChance(seed);
    const mark = `storm${seed}`;
    const keys = Array.from({ length: 16 }, () => uniqueKey(`${mark}.bin`));
    const rules = STORM.map(({ fault, which }) => ({
      name: `${fault.kind} of ${which.operation} by ${which.caller ?? "anybody"}`,
      rule: inject(mark, fault, which, { times: 60, share: 0.08 }),
    }));
    for (let edition = 0; edition < 4; edition += 1) {
      const since = Date.now();
      await Promise.all(
        keys.map((key, index) => {
          // In the end a third of them is deleted.
          const deletes = edition === 3 ? index % 3 === 0 : edition > 0 && chance.random() < 0.2;
          const how = chance.random() < 0.4 ? WEAK : STRONG;
          return deletes ? deleteOnPrimary(key) : putOnPrimary(key, content(`${key} ${edition}`), how);
        }),
      );
      await eventually(
        "the consumer is at it",
        () => Promise.all(keys.map(registryRow)),
        (rows) => rows.filter((row) => (row?.attempt_started_at ?? 0) >= since).length > keys.length / 2,
      );
    }
    await eventually(
      "every fault has come about",
      async () => rules.filter(({ rule }) => rule.hits() === 0).map(({ name }) => name),
      (missing) => missing.length === 0,
    );
    for (const { rule } of rules) rule.lift();

    // L2: whatever is not settled says when it will be looked at.
    const forgotten = (await Promise.all(keys.map(registryRow))).filter(
      (row) =>
        row !== undefined &&
        row.due_at === undefined &&
        !(row.state === "synced" && row.verification_state === "succeeded" && row.gen === row.done_gen),
    );
    expect(forgotten).toEqual([]);
    await settledWithHints(keys, 60_000);
  });

  describe.concurrent("a message", () => {
    test.each<{ fault: Fault; operation: string; caller: string }>([
      { fault: { kind: "drop_answer" }, operation: "SendMessageBatch", caller: "event-publisher" },
      { fault: { kind: "reset" }, operation: "SendMessageBatch", caller: "event-publisher" },
      { fault: { kind: "slow_down" }, operation: "SendMessageBatch", caller: "event-publisher" },
      { fault: { kind: "drop_answer" }, operation: "SendMessageBatch", caller: "event-consumer" },
      { fault: { kind: "send_twice" }, operation: "SendMessageBatch", caller: "event-consumer" },
      { fault: { kind: "drop_answer" }, operation: "PublishBatch", caller: "checksum" },
      { fault: { kind: "slow_down" }, operation: "PublishBatch", caller: "checksum" },
    ])("of $caller arrives once or twice after $fault.kind of $operation", async ({ fault, ...which }) => {
      const { key, id } = ownKey();
      const rule = inject(id, fault, which);
      await putOnPrimary(key, content("first"), WEAK);
      await settled(key);
      expect(rule.hits()).toBe(1);
    });
  });

  test("and nothing of it lies in a dead-letter queue", async () => {
    expect(await deadLetters()).toEqual(lettersBefore);
  });
});
