import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { AUDIT_EVERY_MS, AUDIT_SETTLES_MS } from "../../shared/geo/counter-audit.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { auditCounters } from "../../shared/services/counter-audit/audit-counters.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { type GatheringSite, gatherStatus } from "../../shared/services/gather-status.ts";
import { tellStatus } from "../../shared/services/tell-status.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { counterKey } from "../../shared/tables/site/counter-item.ts";
import { EmittingTelemetry } from "../support/emitted-metrics.ts";
import { countingRows, keysOf, replicate } from "../support/removals.ts";
import { type Drill, eachMinute, type MakeDrill, MINUTE_MS, quietAgain } from "./drill.ts";
import { denied, emittingWorld, KEY, put } from "./played-world.ts";

/** Drills of what a site says of itself: its status, its backlog, its counters. */

/** A site that looks at itself once a minute, as it is deployed. */
const lookingSite = (siteName: string, role: "primary" | "secondary") => {
  const { world, points } = emittingWorld(siteName);
  const count = countingRows(world);
  const primarySiteTable = new MemoryTable({ name: "primary-site" });
  const gathering: GatheringSite = {
    site: { name: siteName, role, region: "eu-west-1" },
    apiUrl: "https://api.example.com/geo",
    replicables,
    siteTable: world.siteTable,
    switches: new CachedSwitches(primarySiteTable, replicables, world.clock),
    primary: role === "primary" ? undefined : { name: "virginia", siteTable: primarySiteTable },
    syncObjectStorage: true,
    syncTimeoutSeconds: 28_800,
    clock: world.clock,
    telemetry: world.telemetry,
  };
  const look = async (): Promise<void> => {
    await count();
    const { status } = await gatherStatus(gathering, Infinity);
    tellStatus(world.telemetry, status.gathered);
  };
  return { world, points, primarySiteTable, look };
};

/** The site stops to look at itself, since nobody starts it any more; then it is started again. */
export const staleDrill: MakeDrill = ({ dimensions }) => {
  const { world, points, look } = lookingSite(dimensions["site_name"] ?? "", "secondary");
  const { clock } = world;
  return {
    clock,
    points,
    before: () => eachMinute(clock, 20, look),
    fire: () => eachMinute(clock, 20, () => {}),
    heal: () => eachMinute(clock, 20, look),
  };
};

/** The primary's table does not answer, so that the secondary can not report; then it does. */
export const notReportedDrill: MakeDrill = ({ dimensions }) => {
  const { world, points, look, primarySiteTable } = lookingSite(dimensions["site_name"] ?? "", "secondary");
  const { clock } = world;
  const silent = { before: () => Promise.reject(new TableUnavailableError("the region is down")) };
  return {
    clock,
    points,
    before: () => eachMinute(clock, 20, look),
    fire: async () => {
      primarySiteTable.interference = silent;
      await eachMinute(clock, 30, look);
    },
    heal: async () => {
      primarySiteTable.interference = undefined;
      await eachMinute(clock, 30, look);
    },
  };
};

const MINUTES_OF_A_DRILL = 8 * 60;

/** An object can not be copied, and what waits gets older than any wait between two tries. */
const oldBacklog = (siteName: string) => {
  const site = lookingSite(siteName, "secondary");
  const { world } = site;
  const right = denied(world.secondary.replica, "copyFromPrimary");
  const live = async (minutes: number): Promise<void> => {
    for (let minute = 0; minute < minutes; minute += 5) {
      await world.live(5 * MINUTE_MS);
      await site.look();
    }
  };
  return {
    ...site,
    right,
    live,
    failForHours: async (): Promise<void> => {
      right.deny();
      await put(world);
      await live(MINUTES_OF_A_DRILL);
    },
  };
};

/** An object is denied for longer than any wait between two tries; then it is allowed. */
export const backlogOldDrill: MakeDrill = ({ dimensions }): Drill => {
  const { world, points, right, live, failForHours } = oldBacklog(dimensions["site_name"] ?? "");
  return {
    clock: world.clock,
    points,
    before: async () => {
      await replicate(world, keysOf(3));
      await live(30);
    },
    fire: failForHours,
    heal: async () => {
      right.allow();
      await live(2 * 60);
    },
  };
};

/** The same at a site that an operator has paused: nobody is to hear of it. */
export const pausedBacklog = (siteName: string) => {
  const site = oldBacklog(siteName);
  return {
    ...site,
    play: async (): Promise<void> => {
      await site.world.siteTable.update(changeSettings({ enabled: false }, site.world.clock.now()));
      await site.failForHours();
    },
  };
};

/** The counters lose rows; a recount finds it, and the next one, a week later, finds them right. */
export const countsDifferDrill: MakeDrill = (alarm) => {
  const clock = new ManualClock();
  const telemetry = new EmittingTelemetry(alarm.dimensions["site_name"] ?? "", clock);
  const rows = new MemoryTable({ name: "registry" });
  const siteTable = new MemoryTable({ name: "site" });
  const site = { clock, telemetry, functionTimeoutMs: 5 * MINUTE_MS, rows, counted: "registry", siteTable } as const;
  const recount = async (): Promise<void> => {
    clock.advance(AUDIT_EVERY_MS);
    await auditCounters(site, [{ name: "cool_widget" }], Infinity);
    clock.advance(AUDIT_SETTLES_MS);
    await auditCounters(site, [{ name: "cool_widget" }], Infinity);
  };
  const spoil = (amount: number) =>
    siteTable.update({
      key: counterKey("registry", "one", "cool_widget"),
      update: "ADD #cell :amount",
      names: { "#cell": "c#2#2" },
      values: { ":amount": amount },
    });
  return {
    clock,
    points: () => telemetry.points,
    before: async () => {
      const row = {
        ...rowKey({ replicableName: "cool_widget", key: KEY }),
        state: 2,
        verification_state: 2,
        src_size: 1,
      };
      await rows.put(row);
      const changes = [{ sequenceNumber: "1", changedAt: clock.now(), after: row }];
      await countChanges(siteTable, { table: "registry", shard: "one", changes });
      await auditCounters(site, [{ name: "cool_widget" }], Infinity);
      await recount();
    },
    fire: async () => {
      await spoil(-3);
      await recount();
      clock.advance(alarm.period * 1_000);
    },
    heal: async () => {
      await spoil(3);
      await recount();
      quietAgain(clock, alarm);
    },
  };
};
