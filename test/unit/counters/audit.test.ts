import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  againAfterMs,
  AUDIT_EVERY_MS,
  AUDIT_SETTLES_MS,
  AUDIT_TRIES_MAX,
  CONFIRMED_AFTER_MS,
  judgeAudit,
  newestTimeOf,
} from "../../../shared/geo/counter-audit.ts";
import type { RowChange } from "../../../shared/geo/counters.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { COUNT_METRICS } from "../../../shared/geo/metrics.ts";
import { SITE_TABLE_PARTITIONS } from "../../../shared/geo/physical-names.ts";
import { ROW_PARTITIONS, rowKey } from "../../../shared/geo/registry-row.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";
import { auditCounters } from "../../../shared/services/counter-audit/audit-counters.ts";
import { countChanges } from "../../../shared/services/count-changes.ts";
import { filledPartitions } from "../../../shared/services/filled-partitions.ts";
import { rollUp } from "../../../shared/services/roll-up.ts";
import { auditsQuery, parseAudits } from "../../../shared/tables/site/counter-audit-item.ts";
import { counterKey } from "../../../shared/tables/site/counter-item.ts";
import { filledPartitionsKey } from "../../../shared/tables/site/filled-partitions-item.ts";

const TYPES = [{ name: "cool_widget" }];
const MINUTE_MS = 60_000;
const FUNCTION_TIMEOUT_MS = 5 * MINUTE_MS;

/** A site with rows, whose stream is counted when the test says so, and recounted by runs that have all the time they want. */
const auditedSite = async (rows = 20) => {
  const clock = new ManualClock();
  const telemetry = new MemoryTelemetry();
  const registry = new MemoryTable({ name: "registry" });
  const siteTable = new MemoryTable({ name: "site" });
  const waiting: RowChange[] = [];
  registry.onChange(({ sequenceNumber, before, after }) => {
    waiting.push({
      sequenceNumber: String(sequenceNumber),
      changedAt: clock.now(),
      ...(before && { before }),
      ...(after && { after }),
    });
  });
  const put = (row: number, changes: Readonly<Record<string, number>> = {}) =>
    registry.put({
      ...rowKey({ replicableName: "cool_widget", key: `object-${row}` }),
      state: 2,
      verification_state: 2,
      src_size: 10,
      last_event_at: clock.now(),
      ...changes,
    });
  const count = async (shard = "one"): Promise<void> => {
    await countChanges(siteTable, { table: "registry", shard, changes: waiting.splice(0) });
  };
  for (let row = 0; row < rows; row += 1) await put(row);
  await count();
  const site = {
    clock,
    telemetry,
    functionTimeoutMs: FUNCTION_TIMEOUT_MS,
    rows: registry,
    counted: "registry",
    siteTable,
  } as const;
  const run = (types = TYPES, stopAt = Number.POSITIVE_INFINITY) => auditCounters(site, types, stopAt);
  const recount = async (): Promise<void> => {
    await run();
    clock.advance(AUDIT_SETTLES_MS);
    await run();
  };
  return {
    ...site,
    registry,
    put,
    /** Changes that have yet to be counted. */
    waiting,
    count,
    run,
    /** Nobody has a recount that is under way any more. */
    leasesOver: () => clock.advance(FUNCTION_TIMEOUT_MS + 2 * MINUTE_MS),
    /** The week before the first recount. */
    aWeekLater: async () => {
      await run();
      clock.advance(AUDIT_EVERY_MS);
    },
    /** A recount from its beginning to its verdict. */
    recount,
    /** A recount that finds something, and the day after which it may be put right. */
    suspect: async (): Promise<void> => {
      await recount();
      clock.advance(CONFIRMED_AFTER_MS);
    },
    verdict: async () => {
      const { types } = await rollUp({ siteTable, replicables: TYPES, role: "secondary", now: clock.now() });
      return types.get("cool_widget")?.audit;
    },
    rowsCounted: async (state: number) => {
      const { types } = await rollUp({ siteTable, replicables: TYPES, role: "secondary", now: clock.now() });
      const cells = types.get("cool_widget")?.cells ?? [];
      return cells.filter((cell) => cell.state === state).reduce((sum, { rows: inIt }) => sum + inIt, 0);
    },
    isOpen: async () => {
      const { items } = await siteTable.query(auditsQuery());
      return parseAudits(items).get("cool_widget")?.open !== undefined;
    },
    /** Somebody has lost a change: three rows less in a cell than there are. */
    spoil: () =>
      siteTable.update({
        key: counterKey("registry", "one", "cool_widget"),
        update: "ADD #cell :lost",
        names: { "#cell": "c#2#2" },
        values: { ":lost": -3 },
      }),
  };
};

type AuditedSite = Awaited<ReturnType<typeof auditedSite>>;

const differences = ({ telemetry }: AuditedSite): readonly number[] => telemetry.values(COUNT_METRICS.countsDiffer);

describe("a recount", () => {
  test("comes a week after a type was seen first, and a week after the last, and finds nothing where nothing was lost", async () => {
    const site = await auditedSite();
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
    site.clock.advance(AUDIT_EVERY_MS - 1);
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
    site.clock.advance(1);
    expect(await site.run()).toEqual({ judged: 0, partitions: ROW_PARTITIONS });
    expect(await site.verdict()).toBeUndefined();
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 }); // what was changed until now may not be counted yet
    site.clock.advance(AUDIT_SETTLES_MS);
    expect(await site.run()).toEqual({ judged: 1, partitions: 0 });
    expect(await site.verdict()).toEqual({ at: site.clock.now(), verdict: "exact", difference: 0 });
    expect(differences(site)).toEqual([]);
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
    site.clock.advance(AUDIT_EVERY_MS);
    expect((await site.run()).partitions).toBe(ROW_PARTITIONS);
  });

  test("finds rows that a lost change has taken out of the counts, calls a person, puts them right and shows that they are", async () => {
    const site = await auditedSite();
    await site.spoil();
    await site.aWeekLater();
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "different", difference: 3 });
    expect(differences(site)).toEqual([1, 1]); // of the type, and of the site
    const told = { rows_have_more: "c#2#2 +3", put_right: false };
    expect(site.telemetry.linesOf("counts_differ")[0]?.fields).toMatchObject(told);
    expect(await site.rowsCounted(2)).toBe(17);
    expect(await site.isOpen()).toBe(false);
    site.clock.advance(CONFIRMED_AFTER_MS);
    await site.recount();
    expect(site.telemetry.linesOf("counts_differ")[1]?.fields).toMatchObject({ ...told, put_right: true });
    expect(await site.rowsCounted(2)).toBe(20);
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "exact", difference: 0 });
    expect(await site.isOpen()).toBe(false);
  });

  test("whose worker dies behind what it put right does not add it again", async () => {
    const site = await auditedSite();
    await site.spoil();
    await site.aWeekLater();
    await site.suspect();
    await site.run();
    site.clock.advance(AUDIT_SETTLES_MS);
    let puts = 0;
    site.siteTable.interference = {
      before: ({ kind }) => {
        if (kind !== "put") return;
        puts += 1;
        if (puts === 2) throw new TableUnavailableError("killed");
      },
    };
    await expect(site.run()).rejects.toThrow("killed");
    site.siteTable.interference = undefined;
    expect(await site.rowsCounted(2)).toBe(20);
    site.leasesOver();
    await site.run();
    expect(await site.rowsCounted(2)).toBe(20);
    expect(await site.verdict()).toMatchObject({ verdict: "exact" });
  });

  test("whose worker was frozen before it put anything right does nothing when it wakes, since another has", async () => {
    const site = await auditedSite();
    await site.spoil();
    await site.aWeekLater();
    await site.suspect();
    await site.run();
    site.clock.advance(AUDIT_SETTLES_MS);
    site.siteTable.interference = {
      before: async ({ kind }) => {
        if (kind !== "update") return;
        site.siteTable.interference = undefined;
        site.leasesOver();
        await site.run();
      },
    };
    await site.run();
    expect(await site.rowsCounted(2)).toBe(20);
  });

  test("during which rows change is tried again hours later, three times a week, and leaves the counters alone", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    for (let tries = 1; tries <= AUDIT_TRIES_MAX; tries += 1) {
      expect(await site.run()).toEqual({ judged: 0, partitions: ROW_PARTITIONS });
      await site.put(tries, { state: 3, waiting_since: site.clock.now() });
      await site.count();
      site.clock.advance(AUDIT_SETTLES_MS);
      expect(await site.run()).toEqual({ judged: 1, partitions: 0 });
      expect(await site.verdict()).toMatchObject({ at: site.clock.now(), verdict: "unsettled", difference: 5 });
      expect(await site.isOpen()).toBe(false);
      site.clock.advance(againAfterMs("cool_widget") - 1);
      expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
      site.clock.advance(1);
    }
    site.clock.advance(AUDIT_EVERY_MS - againAfterMs("cool_widget") - 1);
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
    expect(differences(site)).toEqual([]);
    expect(await site.rowsCounted(3)).toBe(AUDIT_TRIES_MAX);
    site.clock.advance(1);
    for (let tries = 1; tries <= AUDIT_TRIES_MAX; tries += 1) {
      await site.run();
      await site.put(tries, { state: 3, waiting_since: site.clock.now() });
      await site.count();
      site.clock.advance(AUDIT_SETTLES_MS);
      await site.run();
      site.clock.advance(againAfterMs("cool_widget"));
    }
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
  });

  test("that could tell nothing tells what it can once its type is at rest, and the next one is a week later", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    await site.run();
    await site.put(1, { state: 3 });
    await site.count();
    site.clock.advance(AUDIT_SETTLES_MS);
    await site.run();
    expect(await site.verdict()).toMatchObject({ verdict: "unsettled" });
    site.clock.advance(againAfterMs("cool_widget"));
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "exact" });
    site.clock.advance(AUDIT_EVERY_MS - 1);
    expect((await site.run()).partitions).toBe(0);
    site.clock.advance(1);
    expect((await site.run()).partitions).toBe(ROW_PARTITIONS);
  });

  test("is tried again in another part of the day, which differs by the type", () => {
    const waits = ["cool_widget", "lfs_object", "upload", "job_artifact"].map(againAfterMs);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(7 * 60 * MINUTE_MS);
      expect(wait).toBeLessThan(9 * 60 * MINUTE_MS);
    }
    expect(new Set(waits).size).toBe(waits.length);
  });

  test.each([
    ["of another form", { open: { partition: "half" } }],
    ["of another version's form", { version: "7" }],
    ["without a version", { version: undefined }],
  ])("of which only an item is left that can not be read begins anew: %s", async (_, changes) => {
    const site = await auditedSite();
    await site.aWeekLater();
    await site.run();
    const [item] = (await site.siteTable.query(auditsQuery())).items;
    const entries = Object.entries({ ...item, ...changes }).filter(([, value]) => value !== undefined);
    const broken = Object.fromEntries(entries);
    await site.siteTable.put({ ...broken, pk: SITE_TABLE_PARTITIONS.counterAudit, sk: "cool_widget" });
    expect(await site.run()).toEqual({ judged: 0, partitions: 0 });
    expect(site.telemetry.linesOf("recount_unreadable")[0]?.fields).toEqual({ replicable_name: "cool_widget" });
    site.clock.advance(AUDIT_EVERY_MS);
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "exact" });
    expect(site.telemetry.linesOf("recount_unreadable")).toHaveLength(1);
  });

  test("is not begun anew by one who read an item that another has made legible meanwhile", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    await site.run();
    const [item] = (await site.siteTable.query(auditsQuery())).items;
    const key = { pk: SITE_TABLE_PARTITIONS.counterAudit, sk: "cool_widget" };
    await site.siteTable.put({ ...item, ...key, open: "broken" });
    site.siteTable.interference = {
      before: async ({ kind }) => {
        if (kind !== "put") return;
        site.siteTable.interference = undefined;
        await site.run();
        site.clock.advance(AUDIT_EVERY_MS);
        await site.run();
      },
    };
    await site.run();
    expect(await site.isOpen()).toBe(true);
  });

  test("remembers what took long to read, should its worker die behind it", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    let reads = 0;
    site.registry.interference = {
      before: () => {
        reads += 1;
        if (reads === 9) throw new TableUnavailableError("killed");
        if (reads <= 4) site.clock.advance(6_000);
      },
    };
    await expect(site.run()).rejects.toThrow("killed");
    site.registry.interference = undefined;
    site.leasesOver();
    expect(await site.run()).toEqual({ judged: 0, partitions: ROW_PARTITIONS - 4 });
  });

  test("finds more than changes can explain, and puts nothing right while they come", async () => {
    const site = await auditedSite();
    await site.spoil();
    await site.spoil();
    await site.spoil();
    await site.aWeekLater();
    await site.run();
    await site.put(1, { state: 3 });
    await site.count();
    site.clock.advance(AUDIT_SETTLES_MS);
    await site.run();
    expect(await site.verdict()).toMatchObject({ verdict: "different" });
    expect(site.telemetry.linesOf("counts_differ")[0]?.fields).toMatchObject({ put_right: false });
    expect(await site.rowsCounted(2)).toBe(20 - 9 - 1);
    site.clock.advance(againAfterMs("cool_widget"));
    await site.suspect(); // in peace
    expect(await site.rowsCounted(2)).toBe(20 - 9 - 1);
    await site.recount();
    expect(await site.rowsCounted(2)).toBe(19);
  });

  test("does not call wrong what has yet to be counted, until the stream can not bring it any more", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    await site.put(1, { state: 3 });
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "unsettled" });
    expect(await site.rowsCounted(3)).toBe(0);
    site.clock.advance(2 * 24 * 60 * MINUTE_MS);
    await site.suspect();
    expect(await site.verdict()).toMatchObject({ verdict: "different" });
    expect(await site.rowsCounted(3)).toBe(0);
    await site.recount();
    expect(await site.rowsCounted(3)).toBe(1);
  });

  test("does not add what one shard of the stream holds back while others move, and brings the day after", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    // One row's change is stuck, and a later one of another shard is counted: nothing shows that anything is missing.
    await site.put(1, { state: 3 });
    const stuck = site.waiting.splice(0);
    site.clock.advance(60 * MINUTE_MS);
    await site.put(2, { state: 3 });
    await site.count("another");
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "different", difference: 5 });
    expect(await site.rowsCounted(3)).toBe(1);
    site.waiting.push(...stuck);
    await site.count();
    site.clock.advance(CONFIRMED_AFTER_MS);
    await site.recount();
    expect(await site.verdict()).toMatchObject({ verdict: "exact" });
    expect(await site.rowsCounted(3)).toBe(2);
  });

  test("that finds another difference than the day before begins to wait anew", async () => {
    const site = await auditedSite();
    await site.spoil();
    await site.aWeekLater();
    await site.suspect();
    await site.spoil();
    await site.suspect();
    expect(await site.rowsCounted(2)).toBe(20 - 6);
    await site.recount();
    expect(await site.rowsCounted(2)).toBe(20);
  });

  test("adds partitions that nobody knew to be filled", async () => {
    const site = await auditedSite();
    const all = await filledPartitions(site.siteTable, "registry", "cool_widget");
    expect(all).toHaveLength(20);
    await site.siteTable.delete({ key: filledPartitionsKey("registry", "cool_widget") });
    await site.aWeekLater();
    await site.run();
    expect(await filledPartitions(site.siteTable, "registry", "cool_widget")).toEqual(all);
    expect(site.telemetry.linesOf("partitions_added")[0]?.fields).toMatchObject({ partitions: 20 });
  });

  test("that has no time left begins nothing", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    expect(await site.run(TYPES, site.clock.now())).toEqual({ judged: 0, partitions: 0 });
  });

  test("is not gone on with by two at once", async () => {
    const site = await auditedSite();
    await site.aWeekLater();
    const both = await Promise.all([site.run(), site.run()]);
    expect(both.map(({ partitions }) => partitions).toSorted((left, right) => left - right)).toEqual([
      0,
      ROW_PARTITIONS,
    ]);
  });

  test("goes on where it was whenever its worker runs out of time or is killed, and reads nothing twice into its sum", async () => {
    await fc.assert(
      fc.asyncProperty(fc.infiniteStream(fc.integer({ min: 1, max: 3_000 })), async (lives) => {
        const site = await auditedSite(60);
        await site.spoil();
        await site.aWeekLater();
        for (let runs = 0; (await site.verdict()) === undefined; runs += 1) {
          expect(runs).toBeLessThan(200);
          let left = lives.next().value;
          // A run ends after so many reads, and each second one is killed there.
          site.registry.interference = {
            before: () => {
              left -= 1;
              if (left === 0 && runs % 2 === 0) throw new TableUnavailableError("killed");
              if (left === 0) site.clock.advance(10 * MINUTE_MS);
            },
          };
          await site.run(TYPES, site.clock.now() + MINUTE_MS).catch(() => undefined);
          site.leasesOver();
        }
        expect(await site.verdict()).toMatchObject({ verdict: "different", difference: 3 });
        site.registry.interference = undefined;
        site.clock.advance(CONFIRMED_AFTER_MS);
        await site.recount();
        expect(await site.rowsCounted(2)).toBe(60);
      }),
      { numRuns: 10 },
    );
  }, 120_000);
});

describe("a verdict", () => {
  const facts = {
    difference: new Map([
      ["c#2#2", 2],
      ["b#2#2", 4_000],
    ]),
    clock: 0,
    suspicion: undefined,
    changes: 0,
    newestRowAt: 5,
    asOf: 5,
    now: 10,
  };

  test.each([
    ["exact without a difference", { difference: new Map() }, "exact"],
    ["different when nothing changed", {}, "different"],
    ["unsettled when as much may have changed", { changes: 1 }, "unsettled"],
    ["unsettled while the newest row was not counted", { newestRowAt: 3_000 }, "unsettled"],
  ])("is %s", (_, changes, verdict) => {
    expect(judgeAudit({ ...facts, ...changes }).verdict).toBe(verdict);
  });

  test("puts right what was found a day ago and an hour, not a moment sooner, and not what differs from that", () => {
    const suspicion = { at: 10, difference: { "c#2#2": 2, "b#2#2": 4_000 } };
    const found = (now: number, difference = suspicion.difference) =>
      judgeAudit({ ...facts, suspicion: { at: 10, difference }, now });
    expect(found(10 + CONFIRMED_AFTER_MS)).toMatchObject({ isToBePutRight: true, suspicion: undefined });
    expect(found(9 + CONFIRMED_AFTER_MS)).toMatchObject({ isToBePutRight: false, suspicion });
    const other = { "c#2#2": 3, "b#2#2": 4_000 };
    expect(found(10 + CONFIRMED_AFTER_MS, other)).toMatchObject({
      isToBePutRight: false,
      suspicion: { at: 10 + CONFIRMED_AFTER_MS },
    });
  });

  test("puts nothing right while changes come, though they can not explain it, and remembers what was found in peace", () => {
    const suspicion = { at: 10, difference: { "c#2#2": 20 } };
    const found = { ...facts, difference: new Map([["c#2#2", 20]]), suspicion, now: 10 + CONFIRMED_AFTER_MS };
    expect(judgeAudit({ ...found, changes: 0 })).toMatchObject({ verdict: "different", isToBePutRight: true });
    expect(judgeAudit({ ...found, changes: 1 })).toMatchObject({
      verdict: "different",
      isToBePutRight: false,
      suspicion,
    });
  });

  test("takes each cell of which only the bytes differ for one", () => {
    expect(judgeAudit(facts).size).toBe(3);
  });
});

test("a row is as new as the newest of its times, and one without any is as old as can be", () => {
  expect(newestTimeOf({ created_at: 3, verified_at: 9, due_at: 99, last_event_at: "no" })).toBe(9);
  expect(newestTimeOf({})).toBe(0);
});
