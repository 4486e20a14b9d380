import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DAY_MS,
  dayOf,
  packTotals,
  parseUsageDays,
  type TypeTotals,
  unpackTotals,
  usagePeriods,
  type UsageSnapshot,
} from "../../../shared/geo/daily-usage.ts";
import { ROW_OUTCOMES } from "../../../shared/geo/row-outcomes.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { type KeptSite, readUsage, UsageLedger } from "../../../shared/services/daily-usage.ts";
import { usageKey } from "../../../shared/tables/site/usage-item.ts";

const MIDNIGHT = Date.UTC(2026, 10, 21);
const MINUTE = 60_000;

const totals = (synced: number): TypeTotals => ({
  rows: synced,
  bytes: 10 * synced,
  changes: 2 * synced,
  outcomes: { synced, failed: 0, verified: synced, verification_failed: 0, removed: 0 },
});

const stood = (at: number, synced: Readonly<Record<string, number>>): UsageSnapshot => ({
  at,
  types: new Map(Object.entries(synced).map(([name, count]) => [name, totals(count)])),
});

describe("the ledger of a site's usage", () => {
  test("tells what was done from one day's beginning to the next's, and of today until now", () => {
    const ledger = [
      stood(MIDNIGHT, { cool_widget: 5 }),
      stood(MIDNIGHT + DAY_MS + MINUTE, { cool_widget: 12, hot_widget: 1 }),
    ];
    const now = stood(MIDNIGHT + 1.5 * DAY_MS, { hot_widget: 4, cool_widget: 12 });
    expect(usagePeriods(ledger, now)).toMatchObject([
      {
        date: "2026-11-21",
        from: "2026-11-21T00:00:00.000Z",
        until: "2026-11-22T00:01:00.000Z",
        days_count: 1,
        complete: true,
        types: [
          { replicable_name: "cool_widget", synced_count: 7, verified_count: 7, changes_count: 14, objects_count: 12 },
          { replicable_name: "hot_widget", synced_count: 1, bytes: 10 },
        ],
      },
      {
        date: "2026-11-22",
        complete: false,
        types: [{ synced_count: 0 }, { replicable_name: "hot_widget", synced_count: 3 }],
      },
    ]);
  });

  test("does not take the day for whole in which the site was deployed", () => {
    const ledger = [stood(MIDNIGHT + 0.4 * DAY_MS, {}), stood(MIDNIGHT + DAY_MS, {})];
    expect(usagePeriods(ledger, stood(MIDNIGHT + 1.1 * DAY_MS, {}))).toMatchObject([
      { complete: false, days_count: 1 },
      { complete: false },
    ]);
  });

  test("says how many days a period has over which the site did not look at itself, and whether it looked late", () => {
    const late = 3 * DAY_MS + 60 * MINUTE;
    const ledger = [stood(MIDNIGHT, {}), stood(MIDNIGHT + 3 * DAY_MS, {}), stood(MIDNIGHT + DAY_MS + late, {})];
    expect(usagePeriods(ledger, stood(MIDNIGHT + 5 * DAY_MS, {}))).toMatchObject([
      { days_count: 3, complete: true },
      { days_count: 1, complete: false },
      { days_count: 1, complete: false },
    ]);
  });

  test("counts nothing twice after a table was restored to an older state", () => {
    const [first] = usagePeriods([stood(MIDNIGHT, { a: 9 }), stood(MIDNIGHT + DAY_MS, { a: 4 })], stood(MIDNIGHT, {}));
    expect(first?.types).toMatchObject([{ synced_count: 0, changes_count: 0, objects_count: 4 }]);
  });

  test("adds up over its periods to what was done between the first look and now", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000), { minLength: 1, maxLength: 40 }), fc.nat(1_000), (growth, today) => {
        let sum = 0;
        const ledger = growth.map((grown, day) => {
          sum += grown;
          return stood(MIDNIGHT + day * DAY_MS, { cool_widget: sum });
        });
        const periods = usagePeriods(
          ledger,
          stood(MIDNIGHT + growth.length * DAY_MS - 1, { cool_widget: sum + today }),
        );
        const told = periods.flatMap(({ types }) => types.map(({ synced_count: count }) => count));
        expect(told.reduce((all, count) => all + count, 0)).toBe(sum + today - (growth[0] ?? 0));
      }),
    );
  });

  test("keeps totals in few numbers, and reads those that an older version has written without its newer outcomes", () => {
    expect(unpackTotals(packTotals(totals(7)))).toEqual(totals(7));
    expect(unpackTotals([1, 2, 3])).toEqual({
      rows: 1,
      bytes: 2,
      changes: 3,
      outcomes: Object.fromEntries(ROW_OUTCOMES.map((outcome) => [outcome, 0])),
    });
    expect(unpackTotals([])).toMatchObject({ rows: 0, bytes: 0, changes: 0 });
  });

  test.each([undefined, "1", "400"])("takes %j for days", (asked) => {
    expect(parseUsageDays(asked)).toEqual({ days: Number(asked ?? 30) });
  });

  test.each(["0", "401", "-1", "1.5", "", "a".repeat(200)])("does not take %j for days", (asked) => {
    expect(parseUsageDays(asked)).toEqual({
      problem: expect.stringMatching(/^days: expected a number from 1 to 400, got "/) as string,
    });
  });
});

/** A site with a ledger in memory, and rows that appear in it. */
const keptSite = () => {
  const siteTable = new MemoryTable({ name: "site" });
  const clock = new ManualClock();
  const telemetry = new MemoryTelemetry();
  clock.advance(MIDNIGHT - clock.now());
  const kept = {
    site: { name: "frankfurt", role: "secondary", region: "eu-central-1" },
    replicables: [{ name: "cool_widget" }, { name: "hot_widget" }],
    siteTable,
    clock,
    telemetry,
  } as const;
  let sequence = 0;
  const copy = async (count: number, shard = "shard-1"): Promise<void> => {
    const changes = Array.from({ length: count }, () => {
      sequence += 1;
      const after = { pk: "cool_widget#0aa", sk: String(sequence), state: 2, rep_version_id: "v", src_size: 10 };
      return { sequenceNumber: String(sequence), after };
    });
    await countChanges(siteTable, { table: "registry", shard, changes });
  };
  const noted = () => siteTable.get(usageKey(clock.now()));
  return { kept, siteTable, clock, copy, noted, telemetry };
};

/** How many objects each type has synced, day by day. */
const syncedByDay = async (site: KeptSite) =>
  (await readUsage(site, 30)).days.map(({ types }) => types.map(({ synced_count: count }) => count));

describe("a site keeps its ledger", () => {
  test("with one put on each day, whoever looks and however often", async () => {
    const { kept, siteTable, clock, copy, noted } = keptSite();
    const asked: string[] = [];
    siteTable.interference = { before: ({ kind }) => void asked.push(kind) };
    const ledger = new UsageLedger(kept);
    await ledger.note();
    const first = await noted();
    await copy(3);
    asked.length = 0;
    await ledger.note();
    expect(asked).toEqual([]);
    await new UsageLedger(kept).note();
    expect(asked).toEqual(["get"]);
    expect(await noted()).toEqual(first);
    clock.advance(DAY_MS);
    await ledger.note();
    expect(await noted()).toMatchObject({ totals: { cool_widget: [3, 30, 3, 3, 0, 0, 0, 0] } });
  });

  test("and of two that note a day at once the first one counts", async () => {
    const { kept, siteTable, copy, noted } = keptSite();
    await copy(1);
    let others: Promise<void> | undefined;
    siteTable.interference = {
      before: async ({ kind }) => {
        if (kind !== "put" || others !== undefined) return;
        others = (async () => {
          await copy(1);
          await new UsageLedger(kept).note();
        })();
        await others;
      },
    };
    await new UsageLedger(kept).note();
    expect(await noted()).toMatchObject({ totals: { cool_widget: [2, 20, 2, 2, 0, 0, 0, 0] } });
  });

  test("for 400 days, after which DynamoDB takes a day away", async () => {
    const { kept, clock, noted } = keptSite();
    await new UsageLedger(kept).note();
    expect(await noted()).toMatchObject({ kept_until: (clock.now() + 400 * DAY_MS) / 1_000 });
  });

  test("and tries again with the next look when the table did not answer", async () => {
    const { kept, siteTable, noted, telemetry } = keptSite();
    const ledger = new UsageLedger(kept);
    siteTable.interference = {
      before: ({ kind }) => {
        if (kind === "put") throw new TableUnavailableError("throttled");
      },
    };
    await ledger.note();
    expect(await noted()).toBeUndefined();
    expect(telemetry.linesOf("the usage of the day could not be noted").map(({ fields }) => fields)).toEqual([
      { day: "2026-11-21", code: "GEO_TABLE_UNAVAILABLE", message: "throttled" },
    ]);
    siteTable.interference = {};
    await ledger.note();
    expect(await noted()).toBeDefined();
  });

  test("also of a type that is not declared for a while, which has not done all of it anew when it is back", async () => {
    const { kept, clock, copy } = keptSite();
    const without: KeptSite = { ...kept, replicables: [{ name: "hot_widget" }] };
    const looks: readonly (readonly [KeptSite, number])[] = [
      [kept, 1_000],
      [without, 5],
      [kept, 1],
    ];
    for (const [site, copies] of looks) {
      await new UsageLedger(site).note();
      await copy(copies);
      clock.advance(DAY_MS);
    }
    expect(await syncedByDay(kept)).toEqual([[1_000], [5], [1]]);
    expect(await syncedByDay(without)).toEqual([[], [], []]);
  });

  test("and loses and doubles nothing while counters grow between the pages of a look", async () => {
    const { kept, siteTable, clock, copy } = keptSite();
    // A counter only grows, and each is read once in a look: none can stand lower in a later one.
    const torn: KeptSite = {
      ...kept,
      siteTable: {
        get: (key) => siteTable.get(key),
        put: (item, options) => siteTable.put(item, options),
        query: async (request) => {
          if (request.values[":prefix"] === undefined) return siteTable.query(request);
          if (request.startAfter === undefined) return siteTable.query({ ...request, limit: 1 });
          await copy(3, "shard-1");
          await copy(5, "shard-2");
          return siteTable.query(request);
        },
      },
    };
    await copy(7, "shard-1");
    await copy(11, "shard-2");
    for (let day = 0; day < 3; day += 1) {
      await new UsageLedger(torn).note();
      clock.advance(DAY_MS);
    }
    const { days } = await readUsage(torn, 30);
    const counts = days.map(({ types }) => types[0]?.synced_count);
    expect(counts).toEqual([8, 8, 8]);
  });

  test("so that days are told as far back as it goes, and what can not be read in it is passed over", async () => {
    const { kept, siteTable, clock, copy } = keptSite();
    const ledger = new UsageLedger(kept);
    for (const copies of [1, 2, 3]) {
      await ledger.note();
      await copy(copies);
      clock.advance(DAY_MS);
    }
    await siteTable.put({ pk: "usage", sk: dayOf(clock.now()), odd: true });
    const answer = await readUsage(kept, 30);
    expect(answer).toMatchObject({ name: "frankfurt", primary: false, as_of: new Date(clock.now()).toISOString() });
    expect(answer.days.map(({ types }) => types[0]?.synced_count)).toEqual([1, 2, 3]);
    expect((await readUsage(kept, 2)).days.map(({ date }) => date)).toEqual(["2026-11-23"]);
  });
});
