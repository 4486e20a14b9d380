import { expect, test } from "vitest";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { sumWaiting } from "../../../shared/geo/waiting-ages.ts";
import { COUNTER_SLOTS, counterKey, counterPrefix } from "../../../shared/tables/site/counter-item.ts";
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
  const known = new Map<string, Set<number>>();
  for (let hour = 0; hour < hours; hour += 1) {
    await countChanges(site, { table: "registry", shard: `shard-${hour}`, changes: [created(hour)] }, known);
  }
};

test("a year of stream shards leaves a fixed number of counters, and none of the counts is lost", async () => {
  const site = new MemoryTable({ name: "site" });
  await countHours(site, 365 * 24);
  const counters = await listCounters(site, "registry");
  expect(counters).toHaveLength(COUNTER_SLOTS);
  const rows = counters.map(({ cells }) => cells.get("cool_widget#2#2")?.rows ?? 0);
  expect(rows.reduce((sum, each) => sum + each, 0)).toBe(365 * 24);
}, 60_000);

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

const MINUTE_MS = 60_000;

/** An object that is heard of at a minute, and synced so many minutes later. */
const heardAndSynced = (minute: number, takes: number): readonly RowChange[] => {
  const key = { pk: "cool_widget#0aa", sk: `key-${minute}` };
  const waits = { ...key, state: 3, waiting_since: minute * MINUTE_MS };
  return [
    { sequenceNumber: String(10 * minute + 1), changedAt: minute * MINUTE_MS, after: waits },
    {
      sequenceNumber: String(10 * (minute + takes)),
      changedAt: (minute + takes) * MINUTE_MS,
      before: waits,
      after: { ...key, state: 2 },
    },
  ];
};

test("rows that wait are counted in few numbers, however long they do and through whatever shards they come and go", async () => {
  const site = new MemoryTable({ name: "site" });
  const minutes = 7 * 24 * 60;
  // One in ten never comes through; the others take an hour and a half.
  const changes = Array.from({ length: minutes / 3 }, (_, third) => {
    const [heard, synced] = heardAndSynced(3 * third, 90);
    return third % 10 === 0 ? [heard] : [heard, synced];
  })
    .flat()
    .filter((change) => change !== undefined)
    .sort((left, right) => (left.changedAt ?? 0) - (right.changedAt ?? 0));
  const hours = Map.groupBy(changes, ({ changedAt = 0 }) => Math.floor(changedAt / HOUR_MS));
  const known = new Map<string, Set<number>>();
  let most = 0;
  for (const [hour, some] of hours) {
    // A shard rolls every four hours, and with it the slot that what left the last one is taken out of.
    await countChanges(site, { table: "registry", shard: `shard-${Math.floor(hour / 4)}`, changes: some }, known);
    const counters = await listCounters(site, "registry");
    most = Math.max(most, ...counters.map(({ waiting }) => waiting.size));
  }
  expect(most).toBeLessThan(250);
  const counters = await listCounters(site, "registry");
  const clock = Math.max(...counters.map((counter) => counter.clock ?? 0));
  const waiting = sumWaiting(
    counters.map((counter) => counter.waiting),
    clock,
  );
  const left = [...waiting.values()].reduce((sum, rows) => sum + rows, 0);
  expect(left).toBe(minutes / 30);
  expect(Math.min(...waiting.values())).toBeGreaterThan(0);
});

/** Two shards that are counted in one item. */
const shardsOfOneSlot = (): readonly [string, string] => {
  const { sk } = counterKey("registry", "shard-0", "cool_widget");
  for (let index = 1; ; index += 1) {
    const other = `shard-${index}`;
    if (counterKey("registry", other, "cool_widget").sk === sk) return ["shard-0", other];
  }
};

test("a slow worker does not set the clock back by which another has counted meanwhile", async () => {
  const site = new MemoryTable({ name: "site" });
  const [fast, slow] = shardsOfOneSlot();
  const count = (shard: string, change: RowChange) =>
    countChanges(site, { table: "registry", shard, changes: [change] });
  const late = 5 * HOUR_MS;
  const key = { pk: "cool_widget#0aa", sk: "one" };
  const waits = { ...key, state: 3, waiting_since: MINUTE_MS };
  await count(fast, { sequenceNumber: "1", changedAt: MINUTE_MS, after: waits });
  let others = 0;
  site.interference = {
    before: async ({ kind }) => {
      if (kind !== "update" || others > 0) return;
      others += 1;
      await count(fast, { sequenceNumber: "2", changedAt: late, before: waits, after: { ...key, state: 2 } });
    },
  };
  const slowly = { ...key, sk: "two", state: 2 };
  await count(slow, { sequenceNumber: "1", changedAt: 2 * MINUTE_MS, before: { ...slowly, state: 1 }, after: slowly });
  const [counter] = await listCounters(site, "registry");
  expect(counter?.clock).toBe(late);
  expect([...sumWaiting([counter?.waiting ?? new Map()], counter?.clock ?? 0)]).toEqual([]);
});
