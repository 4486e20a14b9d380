import { describe, expect, test } from "vitest";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { rowKey } from "../../../shared/geo/registry-row.ts";
import { itemBytes } from "../../../shared/memory/attribute-values.ts";
import { MemoryTable, type TableOperation } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { rollUp } from "../../../shared/services/roll-up.ts";
import { ROLL_UP_KEY } from "../../../shared/tables/site/roll-up-item.ts";

const NOW = Date.UTC(2026, 10, 21, 19, 30);
const MINUTE_MS = 60_000;
const BATCH = 500;

/** Rows that are simulated. `S3_GEO_COUNT_ROWS=1000000` for more: some minutes. */
const ROWS = [1_000, 20_000, ...[process.env["S3_GEO_COUNT_ROWS"]].filter((rows) => rows !== undefined).map(Number)];

/** A new object: claimed, then verified after so many milliseconds. */
const followed = (type: string, object: number, lagMs: number, at: number): readonly RowChange[] => {
  const key = rowKey({ replicableName: type, key: `object-${object}` });
  const claimed = { ...key, state: 1, waiting_since: at - lagMs, last_event_at: at - lagMs };
  const synced = {
    ...key,
    state: 2,
    verification_state: 2,
    src_size: 1_000,
    src_version_id: `v${object}`,
    src_last_modified: at - lagMs,
    last_event_at: at - lagMs / 2,
    attempt_started_at: at - lagMs / 2,
    last_synced_at: at - lagMs / 4,
    verified_at: at,
  };
  return [
    { sequenceNumber: String(2 * object + 1), changedAt: at, after: claimed },
    { sequenceNumber: String(2 * object + 2), changedAt: at, before: claimed, after: synced },
  ];
};

/** Counts so many new objects of a type, a batch at a time. */
const countMany = async (site: MemoryTable, type: string, rows: number, lagOf: (object: number) => number) => {
  const known = new Map<string, Set<number>>();
  for (let first = 0; first < rows; first += BATCH / 2) {
    const changes = Array.from({ length: Math.min(BATCH / 2, rows - first) }, (_, next) =>
      followed(type, first + next, lagOf(first + next), NOW),
    ).flat();
    await countChanges(site, { table: "registry", shard: `shard-${first % 40}`, changes }, known);
  }
};

const read = (site: MemoryTable, types: readonly string[], now = NOW) =>
  rollUp({ siteTable: site, replicables: types.map((name) => ({ name })), role: "secondary", now });

describe("what a site's counters come to", () => {
  test("is told of every type of the site, also of one without a row, and nothing where nothing was counted", async () => {
    const site = new MemoryTable({ name: "site" });
    const { asOf, types } = await read(site, ["cool_widget"]);
    expect(asOf).toBeUndefined();
    const nothing = { total: undefined, notify: undefined, queue: undefined, copy: undefined, verify: undefined };
    expect(types.get("cool_widget")).toMatchObject({ cells: [], oldestUnsyncedTime: undefined, lag: nothing });
  });

  test("are cells, lag and what waits, as of the newest change", async () => {
    const site = new MemoryTable({ name: "site" });
    await countMany(site, "cool_widget", 100, () => 4_000);
    const waits = {
      ...rowKey({ replicableName: "cool_widget", key: "late" }),
      state: 3,
      waiting_since: NOW - 7 * MINUTE_MS,
    };
    const change = { sequenceNumber: "1", changedAt: NOW + 5, after: waits };
    await countChanges(site, { table: "registry", shard: "other", changes: [change] });
    const { asOf, types } = await read(site, ["cool_widget", "upload"]);
    expect(asOf).toBe(NOW + 5);
    const summary = types.get("cool_widget");
    expect(summary?.cells.find(({ state }) => state === 2)).toMatchObject({ rows: 100, bytes: 100_000 });
    expect(summary?.oldestUnsyncedTime).toBe((NOW - 7 * MINUTE_MS) / 1_000);
    expect(summary?.backlogAges.find(({ upToSeconds }) => upToSeconds === 900)?.rows).toBe(1);
    expect(summary?.lag.total?.count).toBe(100);
    expect(summary?.lag.total?.p50Ms).toBeGreaterThan(2_800);
    expect(summary?.lag.total?.p50Ms).toBeLessThanOrEqual(4_000);
    expect(summary?.lag.total?.maxMs).toBe(4_000);
    expect(summary?.lagHistogram.total).toMatchObject({ count: 100, sumSeconds: 400 });
    expect(summary?.lagHistogram.verify.sumSeconds).toBe(100);
    expect(types.get("upload")?.cells).toEqual([]);
  });

  test("forget the lag of more than an hour ago, and keep it in the histogram", async () => {
    const site = new MemoryTable({ name: "site" });
    await countMany(site, "cool_widget", 10, () => 1_000);
    expect((await read(site, ["cool_widget"])).types.get("cool_widget")?.lag.total?.count).toBe(10);
    const later = await read(site, ["cool_widget"], NOW + 66 * MINUTE_MS);
    expect(later.types.get("cool_widget")?.lag.total).toBeUndefined();
    expect(later.types.get("cool_widget")?.lagHistogram.total.count).toBe(10);
  });

  test.each([
    ["its time is none", { stepped_at: "never" }],
    ["another version wrote it", { stepped_at: NOW - 1, base: "all of it" }],
  ])(
    "are told in spite of a window that can not be read, since %s, which makes room for one that can",
    async (_, item) => {
      const site = new MemoryTable({ name: "site" });
      await site.put({ ...ROLL_UP_KEY, ...item });
      await countMany(site, "cool_widget", 10, () => 1_000);
      const both = await Promise.all([read(site, ["cool_widget"]), read(site, ["cool_widget"])]);
      for (const { types } of both) expect(types.get("cool_widget")?.lag.total?.count).toBe(10);
      expect((await site.get(ROLL_UP_KEY))?.["stepped_at"]).toBe(NOW);
    },
  );

  test("are told, with why, when the window of the last hour can not be kept; a defect is none of these", async () => {
    const site = new MemoryTable({ name: "site" });
    await countMany(site, "cool_widget", 10, () => 1_000);
    const refusing = (error: Error) => {
      site.interference = {
        before: ({ kind }) => {
          if (kind === "put") throw error;
        },
      };
    };
    const denied = new TableUnavailableError("denied");
    refusing(denied);
    const { types, unsaved } = await read(site, ["cool_widget"]);
    expect(types.get("cool_widget")?.lag.total?.count).toBe(10);
    expect(unsaved).toBe(denied);
    refusing(new RangeError("a defect"));
    await expect(read(site, ["cool_widget"])).rejects.toThrow(RangeError);
  });

  test("of a primary have no backlog and no lag", async () => {
    const site = new MemoryTable({ name: "site" });
    const after = { ...rowKey({ replicableName: "cool_widget", key: "one" }), verification_state: 2, src_size: 5 };
    await countChanges(site, { table: "verification_state", shard: "s", changes: [{ sequenceNumber: "1", after }] });
    const replicables = [{ name: "cool_widget" }];
    const { types } = await rollUp({ siteTable: site, replicables, role: "primary", now: NOW });
    expect(types.get("cool_widget")).toMatchObject({
      cells: [{ state: undefined, verificationState: 2, rows: 1, bytes: 5 }],
      oldestUnsyncedTime: undefined,
      backlogAges: [],
    });
  });
});

describe("reading them (F60)", () => {
  test.each(ROWS)(
    "takes the same requests with %d rows",
    async (rows) => {
      const site = new MemoryTable({ name: "site" });
      await countMany(site, "cool_widget", rows, (object) => 500 + (object % 40) * 250);
      const operations: TableOperation[] = [];
      site.interference = { before: (operation) => void operations.push(operation) };
      const { types } = await read(site, ["cool_widget"]);
      expect(types.get("cool_widget")?.lagHistogram.total.count).toBe(rows);
      expect(operations.map(({ kind }) => kind).toSorted()).toEqual(["get", "put", "query", "query"]);
      const counters = site.items().filter(({ sk }) => sk.startsWith("registry#"));
      expect(counters.length).toBeLessThanOrEqual(8);
      for (const counter of counters) expect(itemBytes(counter)).toBeLessThan(4_096);
    },
    60_000 + 0.5 * Math.max(...ROWS),
  );

  test("holds 44 busy types in one item, and leaves room", async () => {
    const site = new MemoryTable({ name: "site" });
    const types = Array.from({ length: 44 }, (_, type) => `a_type_with_quite_a_long_name_${type}`);
    const sizes: number[] = [];
    for (let step = 0; step < 14; step += 1) {
      const now = NOW + step * 5 * MINUTE_MS;
      for (const [index, type] of types.entries()) {
        // Lags from below a second to an hour, in every step and of every type.
        const changes = Array.from({ length: 40 }, (_, object) =>
          followed(type, 1_000 * step + object, 400 * 1.26 ** object, now).slice(1),
        ).flat();
        await countChanges(site, { table: "registry", shard: `shard-${index % 8}`, changes });
      }
      await read(site, types, now);
      const item = await site.get(ROLL_UP_KEY);
      sizes.push(itemBytes(item ?? {}));
    }
    const largest = Math.max(...sizes);
    console.info(`the window of 44 busy types takes ${largest} bytes`);
    expect(largest).toBeGreaterThan(50_000);
    expect(largest).toBeLessThan(200_000);
    expect(sizes.at(-1)).toBeLessThan(1.2 * (sizes.at(-2) ?? 0)); // it grows no more
  }, 120_000);
});
