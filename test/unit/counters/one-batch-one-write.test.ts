import { describe, expect, test } from "vitest";
import { isAfter, nextSlice, NUMBERS_PER_WRITE_MAX } from "../../../shared/geo/counter-slices.ts";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { MemoryTable, type TableOperation } from "../../../shared/memory/table.ts";
import type { UpdateRequest } from "../../../shared/ports/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { listCounters } from "../../../shared/tables/site/list-counters.ts";

const row = (type: string, state: number, verification = 0, bytes = 10) => ({
  pk: `${type}#0aa`,
  sk: "key",
  state,
  verification_state: verification,
  src_size: bytes,
});

const created = (sequenceNumber: string, type = "cool_widget"): RowChange => ({ sequenceNumber, after: row(type, 0) });

/** A site table that notes what it was asked. */
const recordingTable = () => {
  const operations: TableOperation[] = [];
  const site = new MemoryTable({
    name: "site",
    interference: { before: (operation) => void operations.push(operation) },
  });
  const updates = (): readonly UpdateRequest[] =>
    operations.flatMap((operation) => (operation.kind === "update" ? [operation.request] : []));
  return { site, operations, updates };
};

const cellsOf = async (site: MemoryTable): Promise<Record<string, number>> => {
  const counters = await listCounters(site, "registry");
  return Object.fromEntries(counters.flatMap(({ cells }) => [...cells].map(([name, { rows }]) => [name, rows])));
};

/** What the first row of a partition costs beside its being counted. */
const NOTING_A_PARTITION = ["get", "update"];

describe("one batch", () => {
  test("is one read and one write, however many changes it has", async () => {
    const { site, operations } = recordingTable();
    const changes = Array.from({ length: 1_000 }, (_, index) => created(String(index + 1)));
    const result = await countChanges(site, { table: "registry", shard: "s", changes });
    expect(result).toEqual({ counted: 1_000, skipped: 0 });
    expect(operations.map(({ kind }) => kind)).toEqual([...NOTING_A_PARTITION, "get", "update"]);
  });

  test("of several types is one read and one write for each of them, whose items bear their names", async () => {
    const { site, operations, updates } = recordingTable();
    const changes = ["cool_widget", "upload"].flatMap((type) => [
      { sequenceNumber: "1", before: row(type, 1), after: row(type, 2) },
      { sequenceNumber: "2", before: row(type, 2), after: row(type, 3) },
    ]);
    await countChanges(site, { table: "registry", shard: "s", changes });
    expect(operations.map(({ kind }) => kind).sort()).toEqual(["get", "get", "update", "update"]);
    expect(updates().map(({ key }) => key.sk.replace(/^registry#\d#/, ""))).toEqual(["cool_widget", "upload"]);
  });

  test("that moves no row between cells costs nothing at all", async () => {
    const { site, operations } = recordingTable();
    const same = row("cool_widget", 2, 2);
    const changes = [{ sequenceNumber: "1", before: same, after: { ...same, lease_until: 5 } }];
    await countChanges(site, { table: "registry", shard: "s", changes });
    expect(operations).toEqual([]);
  });

  test("that comes again is passed over", async () => {
    const { site, updates } = recordingTable();
    const batch = { table: "registry", shard: "s", changes: [created("1"), created("2")] } as const;
    await countChanges(site, batch);
    const before = updates().length;
    expect(await countChanges(site, batch)).toEqual({ counted: 0, skipped: 2 });
    expect(updates()).toHaveLength(before);
    expect(await cellsOf(site)).toEqual({ "cool_widget#0#0": 2 });
  });

  test("that touches more cells than an expression holds is written in runs, each with its own mark", async () => {
    const { site, updates } = recordingTable();
    const changes = Array.from({ length: 1_000 }, (_, index) => ({
      sequenceNumber: String(index + 1),
      after: row("cool_widget", 1_000_000 + index),
    }));
    await countChanges(site, { table: "registry", shard: "s".repeat(65), changes });
    const counting = updates().filter(({ key }) => key.sk.startsWith("registry#"));
    expect(counting).toHaveLength(2_000 / NUMBERS_PER_WRITE_MAX);
    for (const { update, condition = "" } of counting) {
      expect(update.length).toBeLessThanOrEqual(4_096);
      expect(condition.length).toBeLessThanOrEqual(4_096);
      expect(update.split(",").length).toBeLessThanOrEqual(300);
    }
    expect(Object.keys(await cellsOf(site))).toHaveLength(1_000);
  });

  test("of a shard that somebody else keeps counting is given back to the stream", async () => {
    const site = new MemoryTable({ name: "site" });
    let other = 0;
    site.interference = {
      before: async (operation) => {
        if (operation.kind !== "update" || operation.request.values?.[":other"] !== undefined) return;
        other += 1;
        // Each time, another invocation is a step ahead, yet never as far as this batch.
        const { key, names = {} } = operation.request;
        if (names["#hw"] === undefined) return;
        const values = { ":other": `${other}@` };
        await site.update({ key, update: "SET #hw = :other", names: { "#hw": names["#hw"] ?? "" }, values });
      },
    };
    const counting = countChanges(site, { table: "registry", shard: "s", changes: [created("1000000")] });
    await expect(counting).rejects.toThrow(TableUnavailableError);
    await expect(counting).rejects.toThrow("expected one invocation at a time");
  });
});

describe("a change", () => {
  test("takes the row out of the cell it was in and puts it into the other", () => {
    const before = row("cool_widget", 1, 0, 7);
    const after = row("cool_widget", 2, 2, 9);
    const slice = nextSlice([{ sequenceNumber: "1", before, after }], { mark: undefined });
    expect(Object.fromEntries(slice?.additions ?? [])).toEqual({
      "c#1#0": -1,
      "b#1#0": -7,
      "c#2#2": 1,
      "b#2#2": 9,
      "o#0": 1, // synced
      "o#2": 1, // verified
    });
  });

  test("to absent, or by a purge, takes the row out of the counts, and only once", () => {
    const synced = row("cool_widget", 2);
    const absent = row("cool_widget", 5);
    const gone = nextSlice([{ sequenceNumber: "1", before: synced, after: absent }], { mark: undefined });
    expect([...(gone?.additions ?? [])]).toEqual([
      ["c#2#0", -1],
      ["b#2#0", -10],
      ["o#4", 1], // removed
    ]);
    const purged = nextSlice([{ sequenceNumber: "2", before: absent }], { mark: "1" });
    expect([...(purged?.additions ?? [])]).toEqual([]);
  });

  test("of a primary's row, which has no sync state, is counted by verification state alone", () => {
    const after = { pk: "cool_widget#0aa", sk: "key", verification_state: 2, src_size: 5 };
    const slice = nextSlice([{ sequenceNumber: "1", after }], { mark: undefined });
    expect(Object.fromEntries(slice?.additions ?? [])).toEqual({ "c#-#2": 1, "b#-#2": 5, "o#2": 1 });
  });

  test.each([
    ["no type", { pk: "nothing", sk: "k", state: 2 }],
    ["a state that is no integer", { pk: "a#1", sk: "k", state: "2" }],
    ["no key", { state: 2 }],
  ])("of a row with %s counts as nothing, both when it comes and when it goes", (_, unreadable) => {
    const slice = nextSlice(
      [
        { sequenceNumber: "1", after: unreadable },
        { sequenceNumber: "2", before: unreadable, after: row("cool_widget", 2) },
      ],
      { mark: undefined },
    );
    const names = [...(slice?.additions.keys() ?? [])].filter((name) => !name.startsWith("o#"));
    expect(names).toEqual(["c#2#0", "b#2#0"]);
  });
});

describe("a sequence number", () => {
  test.each([
    ["10", "9", true],
    ["9", "10", false],
    ["10", "10", false],
    ["9007199254740993", "9007199254740992", true],
    ["99999999999999999999999999999999", "100000000000000000000000000000000", false],
  ])("%s after %s: %s", (left, right, expected) => {
    expect(isAfter(left, right)).toBe(expected);
  });
});
