import { verifyReplica } from "../../shared/services/verification/verify-replica.ts";
import { VerificationReporter } from "../../shared/services/report-transitions.ts";
import { deleteOnPrimary, keysOf, purgeOnPrimary, replicate, tellTheSecondaryOnly } from "../support/removals.ts";
import type { TwoSites, TwoSitesOptions } from "../support/two-sites.ts";
import { type MakeDrill, MINUTE_MS } from "./drill.ts";
import { DAY_MS, denied, HOUR_MS, KEY, playing, put, rot } from "./played-world.ts";

/** Drills of what happens to objects: the services that ship emit what the alarms read. */

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

/** Somebody takes a right away for hours, and gives it back. What needs it then fails again and again. */
const deniedForHours = (options: TwoSitesOptions, rightOf: (world: TwoSites) => ReturnType<typeof denied>): MakeDrill =>
  playing(() => {
    let right: ReturnType<typeof denied> | undefined;
    return {
      options,
      periods: 2,
      before: async (world) => {
        right = rightOf(world);
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

/** Replicas may not be read any more, for hours; then they may. */
export const verificationFailingDrill = deniedForHours({ fusedVerificationBytesMax: 0 }, ({ secondary }) =>
  denied(secondary.replica, "read"),
);

/** The primary's own objects may not be looked at any more, for hours; then they may. */
export const checksumFailingDrill = deniedForHours({}, ({ primary }) => denied(primary.bucket, "head"));

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
