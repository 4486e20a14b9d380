import { describe, expect, test } from "vitest";
import { BULK_BACKLOG_KEYS_MAX, BULK_PAGE_ROWS } from "../../shared/geo/bulk-progress.ts";
import { KEYS_PER_MESSAGE_MAX, type GeoMessage } from "../../shared/geo/geo-message.ts";
import { decodeKey } from "../../shared/geo/key-codec.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { MeasuredQueue } from "../../shared/services/bulk-update/bulk-site.ts";
import { accepted, bulkUpdating } from "../support/bulk-updating.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const ROWS = 100_000;
const TYPE = { replicable_name: "cool_widget" } as const;
const keyOf = (id: number): string => `cool_widgets/${id}/widget.bin`;

/** Rows as they are after a copy that was verified, put there without the copy. */
const fillRegistry = async (world: TwoSites, rows: number): Promise<void> => {
  for (let id = 0; id < rows; id += 1) {
    const ref = { replicableName: "cool_widget", key: keyOf(id) };
    await world.registry.put({
      ...rowKey(ref),
      state: REPLICATION_STATE.synced,
      verification_state: VERIFICATION_STATE.succeeded,
      verification_checksum: `sha256:${"0".repeat(64)}`,
      verified_at: 1,
      last_synced_at: 1,
      created_at: 1,
      src_version_id: "a-version-of-the-source-0123456789",
      src_etag: '"0123456789abcdef0123456789abcdef"',
      src_size: 1_000,
      rep_version_id: "a-version-of-the-replica-0123456789",
      rep_etag: '"0123456789abcdef0123456789abcdef"',
      gen: 1,
      claimed_gen: 1,
      done_gen: 1,
      rev: 3,
    });
  }
};

/** Takes everything, and remembers which keys were named how often. */
const sink = () => {
  const named = new Map<string, number>();
  let messages = 0;
  const queue: MeasuredQueue = {
    name: "sink",
    send: (sent) => {
      messages += sent.length;
      for (const { body } of sent) {
        const message = JSON.parse(body) as GeoMessage; // it was made by the code under test
        const keys =
          message.kind === "geo_events" ? message.events.map(({ payload }) => payload.blob_path) : message.keys;
        for (const key of keys) named.set(decodeKey(key), (named.get(decodeKey(key)) ?? 0) + 1);
      }
      return Promise.resolve({ outcome: "sent" });
    },
    backlog: () => Promise.resolve(0),
  };
  return { queue, named, sent: () => messages };
};

describe("many rows", () => {
  test(`a reverify of ${ROWS} rows names each of them once, with few requests and little memory (F77, F82)`, async () => {
    const world = twoSites();
    await fillRegistry(world, ROWS);
    const { queue, named, sent } = sink();
    const bulk = bulkUpdating(world, { site: { verificationQueue: queue } });
    const { answer } = accepted(await bulk.ask({ action: "reverify", ...TYPE }));
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const startedAt = performance.now();
    await bulk.run();
    const seconds = (performance.now() - startedAt) / 1_000;
    globalThis.gc?.();
    const heapMb = (process.memoryUsage().heapUsed - before) / 1_048_576;
    expect(await bulk.update(answer.id)).toMatchObject({
      state: "succeeded",
      counts: { lookedAt: ROWS, changed: ROWS, skipped: 0 },
    });
    expect(named.size).toBe(ROWS);
    expect([...named.values()].every((times) => times === 1)).toBe(true);
    const { calls } = bulk.mortal;
    const queries = calls.get("rows.query") ?? 0;
    const writes = calls.get("site.update") ?? 0;
    // A query for each partition, and little more: what is asked for together is about one page of rows.
    expect(queries).toBeLessThan(1.3 * 4_096);
    expect(writes).toBeLessThan(500);
    expect(sent()).toBeLessThan((2 * ROWS) / KEYS_PER_MESSAGE_MAX);
    process.stdout.write(
      `${ROWS} rows: ${queries} queries, ${writes} writes of progress, ${sent()} messages, ` +
        `${seconds.toFixed(1)} s, heap +${heapMb.toFixed(0)} MB (the names of all keys among it)\n`,
    );
  }, 60_000);

  test("of one partition are read a page at a time, and the cursor only moves forward", async () => {
    const world = twoSites();
    const partition: string[] = [];
    for (let id = 0; partition.length < 2_500; id += 1) {
      // Into one partition of the table, whatever their keys come to: a type of a billion has many in each.
      const key = keyOf(id);
      partition.push(key);
      const { pk } = rowKey({ replicableName: "cool_widget", key: keyOf(0) });
      await world.registry.put({ pk, sk: key, state: 2, verification_state: 2, verified_at: 1, rev: 1 });
    }
    const { queue, named } = sink();
    const places: string[] = [];
    const limits: number[] = [];
    const { registry } = world;
    const bulk = bulkUpdating(world, {
      site: {
        verificationQueue: queue,
        rows: {
          getMany: (keys) => registry.getMany(keys),
          update: (request) => registry.update(request),
          query: async (request) => {
            const page = await registry.query(request);
            limits.push(page.items.length);
            const last = page.items.at(-1)?.["sk"];
            if (typeof last === "string") places.push(last);
            return page;
          },
        },
      },
    });
    await bulk.ask({ action: "reverify", ...TYPE });
    await bulk.run();
    expect([...named.keys()].toSorted()).toEqual(partition.toSorted());
    expect(Math.max(...limits)).toBeLessThanOrEqual(BULK_PAGE_ROWS);
    expect(places).toEqual(places.toSorted());
  });

  test("wait while the queue that they go to is full, and go on when it has been read", async () => {
    const world = twoSites();
    await fillRegistry(world, 2_500);
    let waiting = BULK_BACKLOG_KEYS_MAX / KEYS_PER_MESSAGE_MAX;
    const { queue, named } = sink();
    const bulk = bulkUpdating(world, {
      site: { verificationQueue: { ...queue, backlog: () => Promise.resolve(waiting) } },
    });
    const { answer } = accepted(await bulk.ask({ action: "reverify", ...TYPE }));
    const input = { bulk_id: answer.id, execution: 1, round: 1 };
    expect(await bulk.step("slice", input)).toEqual({ status: "wait", wait_seconds: 30 });
    expect(named.size).toBe(0);
    waiting -= 1;
    expect(await bulk.step("slice", input)).toEqual({ status: "ended" });
    expect(named.size).toBe(2_500);
  });

  test("that a queue does not take are named again", async () => {
    const world = twoSites();
    await fillRegistry(world, 10);
    let refusals = 2;
    const { queue, named } = sink();
    const bulk = bulkUpdating(world, {
      site: {
        verificationQueue: {
          ...queue,
          send: (messages) => {
            refusals -= 1;
            return refusals >= 0
              ? Promise.resolve({ outcome: "failed", failed: [0], reason: "slow down" })
              : queue.send(messages);
          },
        },
      },
    });
    const { answer } = accepted(await bulk.ask({ action: "reverify", ...TYPE }));
    const input = { bulk_id: answer.id, execution: 1, round: 1 };
    expect(await bulk.step("slice", input)).toEqual({ status: "wait", wait_seconds: 5 });
    await bulk.run();
    expect(named.size).toBe(10);
    expect(await bulk.update(answer.id)).toMatchObject({ state: "succeeded", counts: { changed: 10 } });
  });
});
