import { REMOVAL_GUARD_DEFAULT } from "../../shared/geo/removal-guard.ts";
import type { Exchange } from "../support/wire/exchange.ts";
import { listFunctions, tapFunction } from "../support/wire/tapped-functions.ts";
import {
  benchKeys,
  type BenchWorld,
  isVerified,
  keyPrefix,
  lookUntil,
  putAll,
  registryRows,
  removeAll,
  repeatEvents,
  warmUp,
} from "./bench-world.ts";
import { type BilledRequest, billedRequest } from "./billed-request.ts";
import { startCountingProxy } from "./counting-proxy.ts";
import { DynamoMeter } from "./dynamo-meter.ts";
import { estimateCharges } from "./estimate.ts";
import { type LedgerLine, tally } from "./ledger.ts";
import { loggedBytes } from "./logged-bytes.ts";
import { dollars, type Load } from "../../shared/geo/prices.ts";

/** What one kind of change costs. */
export interface ScenarioFigures {
  readonly name: ScenarioName;
  readonly objects: number;
  /** Objects that got where they should within the time that the bench gives them. */
  readonly settled: number;
  /** Counted at the wire, in all. */
  readonly lines: readonly LedgerLine[];
  /** Bytes that the functions logged. */
  readonly logBytes: number;
  readonly usdPerMillion: {
    /** Requests of the functions, counted. */
    readonly requests: number;
    /** For carrying events, invoking functions and their time, estimated, and for what they logged: full batches, or one by one. */
    readonly carryingBusy: number;
    readonly carryingIdle: number;
  };
}

export type ScenarioName = "new" | "duplicate_event" | "updated" | "deleted" | "new_without_strong_checksum";

export interface RequestFigures {
  readonly scenarios: readonly ScenarioFigures[];
  /** What the sweeps asked, which they do each minute whatever happens; over `standingSeconds`. */
  readonly standing: readonly LedgerLine[];
  readonly standingSeconds: number;
}

const OBJECTS = 200;
/** Objects without a strong checksum that lose a race wait minutes for the sweep: enough settle without it. */
const SETTLED_LIMIT_MS = 25_000;
/** When no function has asked anything for so long, and for the delay of drift, everything that follows is over. */
const QUIET_MS = 3_500;
const QUIET_LIMIT_MS = 30_000;

const GROUPS = { warm: 80, strong: 81, weak: 82 } as const;

/** Functions that run by the clock or when asked by a person, not because an object changed. */
const isStanding = (caller: string): boolean =>
  /-(?:retry-sweep|registry-consistency|verification-backfill|status-api|authorizer|counter-audit|site-status)$/.test(
    caller,
  );

interface Tap {
  take(): readonly BilledRequest[];
  quietSince(): number;
  readonly failures: readonly unknown[];
}

interface Scenario {
  readonly name: ScenarioName;
  readonly group: number;
  /** How many objects it is played with. Default `OBJECTS`. */
  readonly objects?: number;
  change(world: BenchWorld, keys: readonly string[]): Promise<unknown>;
  /** How many of the keys are settled. */
  settled(rows: Awaited<ReturnType<typeof registryRows>>, keys: readonly string[], since: number): number;
}

const verifiedSince: Scenario["settled"] = (rows, keys, since) =>
  keys.filter((key) => isVerified(rows.get(key)) && (rows.get(key)?.verified_at ?? 0) >= since).length;

const SCENARIOS: readonly Scenario[] = [
  {
    name: "new",
    group: GROUPS.strong,
    change: (world, keys) => putAll(world, keys, "first"),
    settled: verifiedSince,
  },
  {
    name: "duplicate_event",
    group: GROUPS.strong,
    change: repeatEvents,
    settled: (rows, keys, since) =>
      keys.filter((key) => isVerified(rows.get(key)) && (rows.get(key)?.last_event_at ?? 0) >= since).length,
  },
  {
    name: "updated",
    group: GROUPS.strong,
    change: (world, keys) => putAll(world, keys, "second"),
    settled: verifiedSince,
  },
  {
    name: "deleted",
    group: GROUPS.strong,
    // As many as may go within an hour: beyond that, what is measured would be the guard that holds them back.
    objects: Math.min(OBJECTS, REMOVAL_GUARD_DEFAULT.floor),
    change: removeAll,
    settled: (rows, keys) => keys.filter((key) => !rows.has(key)).length,
  },
  {
    name: "new_without_strong_checksum",
    group: GROUPS.weak,
    change: (world, keys) => putAll(world, keys, "first", "CRC32"),
    settled: verifiedSince,
  },
];

const untilQuiet = async (tap: Tap, { deployment: { config } }: BenchWorld): Promise<void> => {
  const wantedMs = QUIET_MS + config.driftDelaySeconds * 1_000;
  await lookUntil(
    async () => Date.now() - tap.quietSince(),
    (quietMs) => quietMs >= wantedMs,
    QUIET_LIMIT_MS,
  );
  const [failure] = tap.failures;
  if (failure !== undefined) throw failure;
};

const loggedEverywhere = async ({ cloud, deployment: { config } }: BenchWorld): Promise<number> => {
  const regions = [config.primary.region, ...config.secondaries.map(({ region }) => region)];
  const bytes = await Promise.all(regions.map((region) => loggedBytes(cloud, region, config.name)));
  return bytes.reduce((sum, one) => sum + one, 0);
};

const objectsOf = ({ objects = OBJECTS }: Scenario): number => objects;

const play = async (
  world: BenchWorld,
  scenario: Scenario,
  tap: Tap,
): Promise<{ readonly settled: number; readonly lines: readonly LedgerLine[]; readonly logBytes: number }> => {
  const keys = benchKeys(scenario.group, objectsOf(scenario));
  const logged = await loggedEverywhere(world);
  tap.take();
  const since = Date.now();
  await scenario.change(world, keys);
  const { seen } = await lookUntil(
    async () => scenario.settled(await registryRows(world, keyPrefix(scenario.group)), keys, since),
    (settled) => settled === keys.length,
    SETTLED_LIMIT_MS,
  );
  await untilQuiet(tap, world);
  return { settled: seen, lines: tally(tap.take()), logBytes: (await loggedEverywhere(world)) - logged };
};

/**
 * Points every function of the deployment at a proxy that counts, and makes changes of each kind.
 *
 * @throws {UnknownRequestError} when a function asked something that the bench has no price for
 */
export const measureRequests = async (world: BenchWorld, detail: (text: string) => void): Promise<RequestFigures> => {
  const { cloud, deployment, names } = world;
  const { config } = deployment;
  const meter = new DynamoMeter();
  let taken: BilledRequest[] = [];
  const standing: BilledRequest[] = [];
  let lastAt = Date.now();
  const failures: unknown[] = [];
  const record = (exchange: Exchange): void => {
    try {
      const request = billedRequest(meter, exchange);
      if (isStanding(request.caller)) {
        standing.push(request);
        return;
      }
      taken.push(request);
      lastAt = Date.now();
    } catch (error) {
      failures.push(error);
    }
  };
  const tap: Tap = {
    take: () => {
      const all = taken;
      taken = [];
      return all;
    },
    quietSince: () => lastAt,
    failures,
  };

  const proxy = await startCountingProxy(cloud.endpoint ?? "", record);
  try {
    detail("pointing the functions at the counting proxy");
    const regions = [config.primary.region, ...config.secondaries.map(({ region }) => region)];
    const functions = await listFunctions(cloud, regions, config.name);
    await Promise.all(functions.map((one) => tapFunction(cloud, one, proxy.endpoint)));
    const tappedAt = Date.now();

    detail("warming up");
    await warmUp(world, GROUPS.warm);
    await untilQuiet(tap, world);

    const scenarios: ScenarioFigures[] = [];
    for (const scenario of SCENARIOS) {
      const objects = objectsOf(scenario);
      detail(`${objects} objects: ${scenario.name.replaceAll("_", " ")}`);
      const { settled, lines, logBytes } = await play(world, scenario, tap);
      const wiring = {
        announcementsTopic: names.geoEventsTopic,
        eventsQueue: names.secondary.eventsQueue,
        verificationQueue: names.secondary.verificationQueue,
        replicaBucket: names.secondary.bucket,
      };
      const logs = [{ item: "log_gigabyte", units: logBytes / 1e9 }] as const;
      const perMillion = (sum: number): number => (sum / objects) * 1e6;
      const carrying = (load: Load): number =>
        perMillion(dollars(estimateCharges(lines, objects, wiring, load)) + dollars(logs));
      scenarios.push({
        name: scenario.name,
        objects,
        settled,
        lines,
        logBytes,
        usdPerMillion: {
          requests: perMillion(dollars(lines.flatMap(({ charges }) => charges))),
          carryingBusy: carrying("busy"),
          carryingIdle: carrying("idle"),
        },
      });
    }
    return { scenarios, standing: tally(standing), standingSeconds: (Date.now() - tappedAt) / 1_000 };
  } finally {
    await proxy.stop();
  }
};
