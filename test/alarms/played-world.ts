import type { MemoryBucket } from "../../shared/memory/bucket.ts";
import { EmittingTelemetry } from "../support/emitted-metrics.ts";
import { replicate } from "../support/removals.ts";
import { type TwoSites, twoSites, type TwoSitesOptions } from "../support/two-sites.ts";
import { type MakeDrill, MINUTE_MS, quietAgain } from "./drill.ts";

export const KEY = "cool_widgets/42/widget.bin";
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Two sites of which everything that is told is told of the alarm's site. */
export const emittingWorld = (siteName: string | undefined, options: TwoSitesOptions = {}) => {
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
export const playing =
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

/** Has other bytes lie there than were put. */
export const rot = (bucket: MemoryBucket, key: string): void => {
  const current = bucket.current(key);
  if (current?.kind !== "object") throw new Error(`there is no object ${key}`);
  const [first = 0, ...rest] = current.body;
  bucket.corrupt(key, current.versionId, Uint8Array.of(first ^ 1, ...rest));
};

export const put = (world: TwoSites): Promise<void> => replicate(world, [KEY]);

/** Whatever one of a bucket's calls is asked is denied until somebody puts the right back. */
export const denied = <Name extends string>(port: Readonly<Record<Name, unknown>>, call: Name) => {
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
