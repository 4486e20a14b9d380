import { describe, expect, test } from "vitest";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { formatPartitionSet, parsePartitionSet, parseRowPartition } from "../../../shared/geo/partition-set.ts";
import { MemoryTable, type TableOperation } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { fillPartitions, filledPartitions, type KnownPartitions } from "../../../shared/services/filled-partitions.ts";
import { filledPartitionsKey } from "../../../shared/tables/site/filled-partitions-item.ts";

const TYPE = "cool_widget";
const fill = (site: MemoryTable, partitions: readonly number[], known?: KnownPartitions) =>
  fillPartitions(site, "registry", TYPE, partitions, known);
const filled = (site: MemoryTable) => filledPartitions(site, "registry", TYPE);

/** A table that notes what it was asked. */
const recordingTable = () => {
  const operations: TableOperation[] = [];
  const site = new MemoryTable({ name: "site", interference: { before: (one) => void operations.push(one) } });
  return { site, kinds: () => operations.map(({ kind }) => kind) };
};

describe("the filled partitions of a type", () => {
  test("are none at first, and then those that were added, in order", async () => {
    const site = new MemoryTable({ name: "site" });
    expect(await filled(site)).toEqual([]);
    expect(await fill(site, [4_095, 7, 7])).toBe(2);
    expect(await fill(site, [0, 7])).toBe(1);
    expect(await filled(site)).toEqual([0, 7, 4_095]);
    expect(await filledPartitions(site, "verification_state", TYPE)).toEqual([]);
  });

  test("are written once each, and not looked at again by who knows of them", async () => {
    const { site, kinds } = recordingTable();
    const known: KnownPartitions = new Map();
    await fill(site, [1, 2], known);
    expect(kinds()).toEqual(["get", "update"]);
    await fill(site, [2], known);
    expect(kinds()).toHaveLength(2);
    await fill(site, [1]);
    expect(kinds()).toEqual(["get", "update", "get"]);
    await fill(site, []);
    expect(kinds()).toHaveLength(3);
  });

  test("are all there after any number of writers at once", async () => {
    const site = new MemoryTable({ name: "site" });
    const writers = Array.from({ length: 12 }, (_, writer) => fill(site, [writer, 100 + writer]));
    await Promise.all(writers);
    expect(await filled(site)).toHaveLength(24);
  });

  test("that others keep adding to are given up on, and nothing of theirs is lost", async () => {
    const site = new MemoryTable({ name: "site" });
    let other = 1_000;
    const interfere = async (operation: TableOperation): Promise<void> => {
      if (operation.kind !== "update") return;
      site.interference = undefined;
      await fill(site, [other]);
      other += 1;
      site.interference = { before: interfere };
    };
    site.interference = { before: interfere };
    const adding = fill(site, [1]);
    await expect(adding).rejects.toThrow(TableUnavailableError);
    await expect(adding).rejects.toThrow("changed by somebody else 21 times in a row");
    site.interference = undefined;
    expect(await filled(site)).toHaveLength(21);
  });

  test("are there before the counters pass a row by: a crash between the two leaves none out", async () => {
    const { site, kinds } = recordingTable();
    const changes = [{ sequenceNumber: "1", after: { pk: `${TYPE}#00a`, sk: "key", state: 2 } }];
    await countChanges(site, { table: "registry", shard: "s", changes });
    expect(kinds()).toEqual(["get", "update", "get", "update"]);
    const crashed = new MemoryTable({ name: "site" });
    let updates = 0;
    crashed.interference = {
      before: ({ kind }) => {
        if (kind === "update") updates += 1;
        if (updates === 2) throw new TableUnavailableError("killed");
      },
    };
    await expect(countChanges(crashed, { table: "registry", shard: "s", changes })).rejects.toThrow("killed");
    crashed.interference = undefined;
    expect(await filled(crashed)).toEqual([10]);
  });

  test("take less than a kilobyte, all 4,096 of them", async () => {
    const site = new MemoryTable({ name: "site" });
    await fill(
      site,
      Array.from({ length: 4_096 }, (_, partition) => partition),
    );
    expect(await filled(site)).toHaveLength(4_096);
    expect(JSON.stringify(await site.get(filledPartitionsKey("registry", TYPE))).length).toBeLessThan(1_000);
  });
});

describe("a set of partitions", () => {
  test("leads to a text and back", () => {
    const set = [0, 1, 8, 63, 2_048, 4_095];
    expect([...parsePartitionSet(formatPartitionSet(set))]).toEqual(set);
    expect(parsePartitionSet(undefined).size).toBe(0);
    expect(parsePartitionSet("").size).toBe(0);
  });

  test.each([
    ["cool_widget#0aa", { replicableName: "cool_widget", partition: 0xaa }],
    ["cool_widget#fff", { replicableName: "cool_widget", partition: 4_095 }],
    ["cool_widget#FFF", undefined],
    ["cool_widget#1", undefined],
    ["#0aa", undefined],
    ["a#b#0aa", undefined],
    [7, undefined],
  ])("has %j as %j", (pk, place) => {
    expect(parseRowPartition(pk)).toEqual(place);
  });
});
