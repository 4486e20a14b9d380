import { expect, test } from "vitest";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { COUNTER_SLOTS, counterPrefix } from "../../../shared/tables/site/counter-item.ts";
import { listCounters } from "../../../shared/tables/site/list-counters.ts";

const HOUR_MS = 60 * 60 * 1_000;

const created = (hour: number): RowChange => ({
  sequenceNumber: "1",
  changedAt: hour * HOUR_MS,
  after: { pk: "cool_widget#0aa", sk: "key", state: 2, verification_state: 2, src_size: 1 },
});

/** The counters in a site table, beside what else it holds. */
const counterItems = (site: MemoryTable) => site.items().filter(({ sk }) => sk.startsWith(counterPrefix("registry")));

/** Shards roll every few hours: a table's life in shards, each with one change. */
const countHours = async (site: MemoryTable, hours: number): Promise<void> => {
  for (let hour = 0; hour < hours; hour += 1) {
    await countChanges(site, { table: "registry", shard: `shard-${hour}`, changes: [created(hour)] });
  }
};

test("a year of stream shards leaves a fixed number of counters, and none of the counts is lost", async () => {
  const site = new MemoryTable({ name: "site" });
  await countHours(site, 365 * 24);
  const counters = await listCounters(site, "registry");
  expect(counters).toHaveLength(COUNTER_SLOTS);
  const rows = counters.map(({ cells }) => cells.get("cool_widget#2#2")?.rows ?? 0);
  expect(rows.reduce((sum, each) => sum + each, 0)).toBe(365 * 24);
});

test("marks of shards that a stream can not deliver any more are forgotten, the others are kept", async () => {
  const site = new MemoryTable({ name: "site" });
  await countHours(site, 1_000);
  const marks = (await listCounters(site, "registry")).flatMap((counter) => [...counter.marks.keys()]);
  expect(marks.length).toBeLessThan(150);
  for (let hour = 1_000 - 24; hour < 1_000; hour += 1) expect(marks).toContain(`shard-${hour}`);
});

test("a mark that moved while it was being forgotten is kept", async () => {
  const site = new MemoryTable({ name: "site" });
  const shard = { old: "shard-0", fresh: "" };
  await countChanges(site, { table: "registry", shard: shard.old, changes: [created(0)] });
  const key = counterItems(site)[0];
  // Another shard of the same slot, so that its write is the one that forgets.
  for (let index = 1; shard.fresh === ""; index += 1) {
    const probe = new MemoryTable({ name: "probe" });
    await countChanges(probe, { table: "registry", shard: `shard-${index}`, changes: [created(0)] });
    if (counterItems(probe)[0]?.sk === key?.sk) shard.fresh = `shard-${index}`;
  }
  let woken = false;
  site.interference = {
    before: async (operation) => {
      if (operation.kind !== "update" || woken) return;
      woken = true;
      const change = { ...created(100), sequenceNumber: "2" };
      await countChanges(site, { table: "registry", shard: shard.old, changes: [change] });
    },
  };
  await countChanges(site, { table: "registry", shard: shard.fresh, changes: [created(100)] });
  const [counter] = await listCounters(site, "registry");
  expect(counter?.marks.get(shard.old)?.sequenceNumber).toBe("2");
  expect(counter?.cells.get("cool_widget#2#2")?.rows).toBe(3);
});
