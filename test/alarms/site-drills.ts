import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { AUDIT_EVERY_MS, AUDIT_SETTLES_MS } from "../../shared/geo/counter-audit.ts";
import { rowKey } from "../../shared/geo/registry-row.ts";
import type { MemoryBucket } from "../../shared/memory/bucket.ts";
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
import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { backfillRecords, type BackfillingSite } from "../../shared/services/verification-backfill/backfill-records.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { VerificationReporter } from "../../shared/services/report-transitions.ts";
import { EmittingTelemetry } from "../support/emitted-metrics.ts";
import {
  countingRows,
  deleteOnPrimary,
  keysOf,
  purgeOnPrimary,
  replicate,
  tellTheSecondaryOnly,
} from "../support/removals.ts";
import { type TwoSites, twoSites, type TwoSitesOptions } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";
import { type Drill, eachMinute, type MakeDrill, MINUTE_MS, quietAgain } from "./drill.ts";

/** Drills of alarms on our own metrics: the services that ship do what emits them, and the lines that they write are read. */

const KEY = "cool_widgets/42/widget.bin";
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Two sites of which everything that is told is told of the alarm's site. */
const emittingWorld = (siteName: string | undefined, options: TwoSitesOptions = {}) => {
  let emitted: EmittingTelemetry | undefined;
  const world = twoSites({
    ...options,
    telemetry: (clock) => (emitted = new EmittingTelemetry(siteName ?? "", clock)),
  });
  return { world, points: () => emitted?.points ?? [] };
};

interface Play {
  readonly options?: TwoSitesOptions;
  readonly before?: (world: TwoSites) => Promise<void>;
  readonly fire: (world: TwoSites) => Promise<void>;
  readonly heal: (world: TwoSites) => Promise<void>;
  /** How many periods of the alarm have to be quiet. Default 1. */
  readonly periods?: number;
}

/** A drill in a world of two sites. */
const playing =
  (play: () => Play): MakeDrill =>
  (alarm) => {
    const { options, before, fire, heal, periods } = play();
    const { world, points } = emittingWorld(alarm.dimensions["site_name"], options);
    return {
      clock: world.clock,
      points,
      before: async () => before?.(world),
      fire: async () => {
        await fire(world);
        // The period in which it happened has to be over.
        world.clock.advance(alarm.period * 1_000);
      },
      heal: async () => {
        await heal(world);
        quietAgain(world.clock, alarm, periods);
      },
    };
  };

const rot = (bucket: MemoryBucket, key: string): void => {
  const current = bucket.current(key);
  if (current?.kind !== "object") throw new Error(`there is no object ${key}`);
  const [first = 0, ...rest] = current.body;
  bucket.corrupt(key, current.versionId, Uint8Array.of(first ^ 1, ...rest));
};

const put = (world: TwoSites): Promise<void> => replicate(world, [KEY]);

/** More is deleted than the guard lets through; the operator puts the objects back. */
export const removalsHeldBackDrill = playing(() => ({
  options: { removalGuard: { floor: 1, percent: 0, most: 1 } },
  before: (world) => replicate(world, keysOf(4)),
  fire: (world) => deleteOnPrimary(world, keysOf(4)),
  heal: async (world) => {
    await replicate(world, keysOf(4));
    await world.live(2 * HOUR_MS);
  },
}));

/** An object vanishes from the primary without a marker, and its record stays; it is put back. */
export const missingOnPrimaryDrill = playing(() => ({
  before: put,
  fire: async (world) => {
    purgeOnPrimary(world, KEY);
    await tellTheSecondaryOnly(world);
  },
  heal: async (world) => {
    await put(world);
    await world.live(10 * MINUTE_MS);
  },
}));

const verifyAgain = async (world: TwoSites): Promise<void> => {
  const ref = world.refOf(KEY);
  const reporter = new VerificationReporter(world.secondary, ref, "a drill");
  reporter.ended(await verifyReplica(world.secondary, ref, "checksum_succeeded", Infinity, reporter.claimed));
};

/** A replica rots, and is found out when it is read again; the copy that follows is right. */
export const mismatchDrill = playing(() => ({
  before: async (world) => {
    await put(world);
    await verifyAgain(world);
  },
  fire: async (world) => {
    rot(world.replicaBucket, KEY);
    await verifyAgain(world);
  },
  heal: (world) => world.live(10 * MINUTE_MS),
}));

/** Whatever one of a bucket's calls is asked is denied until somebody puts the right back. */
const denied = <Name extends string>(port: Readonly<Record<Name, unknown>>, call: Name) => {
  const bucket = port as Record<Name, unknown>;
  const works = bucket[call];
  return {
    deny: (): void => {
      bucket[call] = () =>
        Promise.resolve({ outcome: "failed", failure: { kind: "forbidden", detail: "the role has lost a right" } });
    },
    allow: (): void => {
      bucket[call] = typeof works === "function" ? works.bind(port) : works;
    },
  };
};

/** Replicas may not be read any more, for hours; then they may. */
export const verificationFailingDrill = playing(() => {
  let right: ReturnType<typeof denied> | undefined;
  return {
    options: { fusedVerificationBytesMax: 0 },
    periods: 2,
    before: async (world) => {
      right = denied(world.secondary.replica, "read");
      await put(world);
    },
    fire: async (world) => {
      right?.deny();
      await replicate(world, keysOf(1));
      await world.live(5 * HOUR_MS);
    },
    heal: async (world) => {
      right?.allow();
      await world.live(2 * HOUR_MS);
    },
  };
});

/** The primary's own objects may not be looked at any more, for hours; then they may. */
export const checksumFailingDrill = playing(() => {
  let right: ReturnType<typeof denied> | undefined;
  return {
    periods: 2,
    before: async (world) => {
      right = denied(world.primary.bucket, "head");
      await put(world);
    },
    fire: async (world) => {
      right?.deny();
      await replicate(world, keysOf(1));
      await world.live(5 * HOUR_MS);
    },
    heal: async (world) => {
      right?.allow();
      await world.live(2 * HOUR_MS);
    },
  };
});

/** The primary's bytes rot, and are found out when their time to be read again has come; a good version is put. */
export const bytesDifferDrill = playing(() => ({
  before: async (world) => {
    await world.sweep();
    await put(world);
  },
  fire: async (world) => {
    rot(world.primaryBucket, KEY);
    // Records are put in line a week before their time at the latest, by a round that begins once a week.
    for (let weeks = 0; weeks < 14; weeks += 1) {
      world.clock.advance(7 * DAY_MS);
      await world.sweep();
      await world.settle();
      if (world.telemetry.total("PrimaryDiffers") > 0) return;
    }
  },
  heal: async (world) => {
    await put(world);
    await world.live(10 * MINUTE_MS);
  },
}));

/** Copies of everything are denied, so that the sweep holds a type's retries back; then they are allowed. */
export const retriesHeldBackDrill = playing(() => {
  let right: ReturnType<typeof denied> | undefined;
  return {
    before: async (world) => {
      right = denied(world.secondary.replica, "copyFromPrimary");
      await put(world);
    },
    fire: async (world) => {
      right?.deny();
      await replicate(world, keysOf(60));
      await world.live(4 * MINUTE_MS);
    },
    heal: async (world) => {
      right?.allow();
      await world.live(HOUR_MS);
    },
  };
});

type Finding = "missing" | "stale" | "orphan";

/** What makes a walk after the first find something, and nobody tells of it. */
const LOST: Readonly<Record<Finding, (world: TwoSites) => void>> = {
  missing: ({ primaryBucket }) => void primaryBucket.put("cool_widgets/43/lost.bin", "new"),
  stale: ({ primaryBucket }) => void primaryBucket.put(KEY, "overwritten"),
  orphan: ({ replicaBucket }) => void replicaBucket.put("cool_widgets/44/orphan.bin", "put by somebody else"),
};

const walkedWeekly = (finding: Finding, walk: (world: TwoSites) => () => Promise<unknown>): MakeDrill =>
  playing(() => {
    let walks: (() => Promise<unknown>) | undefined;
    const aWeekOfWalks = async (world: TwoSites): Promise<void> => {
      for (let times = 0; times < 3; times += 1) {
        world.clock.advance(HOUR_MS);
        await walks?.();
      }
      world.clock.advance(8 * DAY_MS);
      for (let times = 0; times < 3; times += 1) {
        await walks?.();
        world.clock.advance(MINUTE_MS);
      }
    };
    return {
      options: { replicaDrift: false },
      before: async (world) => {
        await put(world);
        walks = walk(world);
        await aWeekOfWalks(world);
      },
      fire: async (world) => {
        LOST[finding](world);
        await world.loseMessages();
        await aWeekOfWalks(world);
      },
      heal: async (world) => {
        await world.settle();
        await world.live(HOUR_MS);
      },
    };
  });

/** A walk of the secondary finds what no event brought in, and hands it over. */
export const walkFindsDrill = (finding: Finding): MakeDrill =>
  walkedWeekly(finding, (world) => {
    const { walk } = walkingSecondary(world);
    return () => walk();
  });

const backfillingPrimary = (world: TwoSites): BackfillingSite => ({
  ...world.primary,
  primary: world.primary.bucket,
  verificationState: world.verificationState,
  siteTable: world.primarySiteTable,
  backfill: world.reverifying.queue,
  settings: world.listing.settings,
  recordsCounted: () => Promise.resolve(world.verificationState.items().length),
});

/** A walk of the primary finds objects without a record, or with one of another version. */
export const backfillFindsDrill = (finding: Exclude<Finding, "orphan">): MakeDrill =>
  walkedWeekly(
    finding,
    (world) => () => backfillRecords(backfillingPrimary(world), world.replicables, WALK_SETTINGS_DEFAULT, Infinity),
  );

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
