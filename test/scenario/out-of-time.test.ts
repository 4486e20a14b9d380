import type { SQSEvent, SQSRecord } from "aws-lambda";
import { describe, expect, test } from "vitest";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { SINGLE_COPY_BYTES_MAX, STOP_BEFORE_TIMEOUT_MS, writeBudgetMs } from "../../shared/geo/limits.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { sqsHandler } from "../../shared/lambda/sqs-handler.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import { consumeEvents } from "../../shared/services/consume.ts";
import { twoSites, type TwoSites } from "../support/two-sites.ts";
import { Worker } from "../support/workers.ts";

const KEYS = 60;
/** Of such a length, a function has time for some of the keys, and not for all. */
const SLOW_MS = 2_500;

const keyOf = (number: number): string => `cool_widgets/${number}/widget.bin`;

/** A secondary that looks at some keys and copies others slowly. */
const slow = (
  world: TwoSites,
  takes: {
    readonly look?: (key: string) => number;
    readonly copy?: (key: string) => number;
    readonly part?: (key: string) => number;
  },
): SecondarySite => {
  const { primary, replica } = world.secondary;
  return {
    ...world.secondary,
    primary: {
      bucket: primary.bucket,
      head: (key) => {
        world.clock.advance(takes.look?.(key) ?? 0);
        return primary.head(key);
      },
      headVersion: (key, versionId) => primary.headVersion(key, versionId),
      tags: (key, versionId) => primary.tags(key, versionId),
      read: (key, versionId) => primary.read(key, versionId),
      list: (options) => primary.list(options),
    },
    replica: {
      bucket: replica.bucket,
      head: (key) => replica.head(key),
      headVersion: (key, versionId) => replica.headVersion(key, versionId),
      tags: (key, versionId) => replica.tags(key, versionId),
      read: (key, versionId) => replica.read(key, versionId),
      list: (options) => replica.list(options),
      copyFromPrimary: (request) => {
        world.clock.advance(takes.copy?.(request.key) ?? 0);
        return replica.copyFromPrimary(request);
      },
      beginUpload: (request) => replica.beginUpload(request),
      copyPart: (request) => {
        world.clock.advance(takes.part?.(request.key) ?? 0);
        return replica.copyPart(request);
      },
      listParts: (key, uploadId) => replica.listParts(key, uploadId),
      completeUpload: (request) => replica.completeUpload(request),
      abortUpload: (key, uploadId) => replica.abortUpload(key, uploadId),
      listUploads: (after) => replica.listUploads(after),
      remove: (key, etag) => replica.remove(key, etag),
    },
  };
};

/** Hands what the queue of events has to the function as it is deployed; true when there was anything. */
const invoke = async (world: TwoSites, site: SecondarySite): Promise<boolean> => {
  const { live, deadLetters } = world.queues.events;
  const telemetry = Object.assign(world.telemetry, { flush: () => undefined });
  const source = { giveBack: (_queue: string, receipts: readonly string[]) => Promise.resolve(live.release(receipts)) };
  const handler = sqsHandler(
    { timeoutMs: site.functionTimeoutMs, now: () => world.clock.now(), source },
    eachMessage(telemetry, (message, { stopAt }) =>
      consumeEvents({ site, replicables: world.replicables, parking: deadLetters, stopAt }, message),
    ),
  );
  const messages = await live.receive();
  const event: SQSEvent = {
    Records: messages.map(
      ({ id, body, receiveCount }) =>
        // As much of a record as the handler looks at.
        ({
          messageId: id,
          receiptHandle: id,
          body,
          eventSourceARN: "arn:aws:sqs:eu-west-1:123456789012:geo-events",
          attributes: { ApproximateReceiveCount: String(receiveCount) },
        }) as SQSRecord,
    ),
  };
  const { batchItemFailures } = await handler(event);
  const failed = new Set(batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
  await live.acknowledge(messages.map(({ id }) => id).filter((id) => !failed.has(id)));
  return messages.length > 0;
};

const names = (keys: readonly string[]): string =>
  JSON.stringify({
    version: 1,
    kind: "geo_events",
    events: keys.map((key) => ({
      id: key,
      replicable_name: "cool_widget",
      event_name: "created",
      created_at: 0,
      payload: { model_record_id: "1", correlation_id: "c", blob_path: encodeKey(key) },
    })),
  });

const withObjects = async (): Promise<{ readonly world: TwoSites; readonly missing: () => readonly string[] }> => {
  const world = twoSites();
  const keys = Array.from({ length: KEYS }, (_, number) => keyOf(number));
  for (const key of keys) world.primaryBucket.put(key, "content");
  await world.loseMessages();
  await world.queues.events.live.send([{ body: names(keys) }]);
  return { world, missing: () => keys.filter((key) => world.replicaText(key) !== "content") };
};

test("keys that a function has no time for come back at once, and not when the message's visibility ends", async () => {
  const { world, missing } = await withObjects();
  const site = slow(world, { copy: () => SLOW_MS });
  await invoke(world, site);
  expect(missing().length).toBeGreaterThan(0);
  expect(missing().length).toBeLessThan(KEYS);
  expect(world.queues.events.live.visible).toBe(1);

  let invocations = 1;
  for (let sweeps = 0; sweeps < 5; sweeps += 1) {
    while (await invoke(world, site)) invocations += 1;
    // Those that were begun with too little time for their copy were let go of, and are due.
    await world.sweep();
  }
  expect(missing()).toEqual([]);
  expect(world.queues.events.live.size).toBe(0);
  expect(world.queues.events.deadLetters.size).toBe(0);
  expect(invocations).toBeLessThan(8);
});

test("keys that take all the time, whenever they are looked at, do not keep those behind them from their turn", async () => {
  const { world, missing } = await withObjects();
  const behind = new Set(Array.from({ length: 20 }, (_, number) => keyOf(KEYS - 1 - number)));
  const site = slow(world, { look: (key) => (behind.has(key) ? 0 : SLOW_MS) });
  await invoke(world, site);
  expect(missing().filter((key) => behind.has(key))).toHaveLength(behind.size);
  await invoke(world, site);
  expect(missing().filter((key) => behind.has(key))).toEqual([]);
});

test("a message whose keys could not be worked on waits for its visibility to end: at once it would fail again", async () => {
  const { world } = await withObjects();
  world.registry.interference = {
    before: () => {
      throw new Error("the table does not answer");
    },
  };
  await invoke(world, world.secondary);
  expect(world.queues.events.live.size).toBe(1);
  expect(world.queues.events.live.visible).toBe(0);
});

/** A worker that is about to copy or to remove, so many milliseconds before it has to stop. */
const withLeft = async (world: TwoSites, at: "copy" | "remove", leftMs: number): Promise<Worker> => {
  const worker = await new Worker(world, keyOf(1)).until(at);
  world.clock.advance(world.secondary.functionTimeoutMs - STOP_BEFORE_TIMEOUT_MS - leftMs);
  return worker;
};

describe("a write that there may be no time to see the end of", () => {
  test.each(["copy", "remove"] as const)("is not begun: %s", async (at) => {
    const world = twoSites();
    world.primaryBucket.put(keyOf(1), "content");
    if (at === "remove") {
      await world.settle();
      world.primaryBucket.deleteCurrent(keyOf(1));
      await world.loseMessages();
    }
    const before = world.replicaText(keyOf(1));
    const enough = writeBudgetMs(0, world.secondary.functionTimeoutMs);
    expect(enough).toBeGreaterThan(1_000);
    const worker = await withLeft(world, at, enough - 1);
    expect(await worker.finish()).toEqual({ result: "left_pending" });
    expect(world.replicaText(keyOf(1))).toBe(before);
    expect(await world.row(keyOf(1))).toMatchObject({ state: "pending", due_at: world.clock.now() });
    expect(await world.row(keyOf(1))).not.toHaveProperty("taint_until");
    await world.live(60_000);
    expect(world.replicaText(keyOf(1))).toBe(at === "copy" ? "content" : undefined);
  });

  test("is begun with a second more than that", async () => {
    const world = twoSites();
    world.primaryBucket.put(keyOf(1), "content");
    const worker = await withLeft(world, "copy", writeBudgetMs(0, world.secondary.functionTimeoutMs) + 1_000);
    expect(await worker.finish()).toMatchObject({ result: "synced" });
  });

  test("needs more time for a larger object, and never more than half of what its function has", () => {
    const fiveMinutes = 5 * 60_000;
    const [none, middle, most] = [0, 1e9, SINGLE_COPY_BYTES_MAX].map((size) => writeBudgetMs(size, fiveMinutes));
    expect(none).toBeLessThan(middle ?? 0);
    expect(middle).toBeLessThan(most ?? 0);
    expect(most).toBeGreaterThan(2 * 60_000);
    expect(most).toBeLessThan(fiveMinutes / 2);
    expect(writeBudgetMs(SINGLE_COPY_BYTES_MAX, 60_000)).toBe(30_000);
  });
});
