import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { backfillRecords, type BackfillingSite } from "../../shared/services/verification-backfill/backfill-records.ts";
import type { TwoSites } from "../support/two-sites.ts";
import { walkingSecondary } from "../support/walking.ts";
import { type MakeDrill, MINUTE_MS } from "./drill.ts";
import { DAY_MS, HOUR_MS, KEY, playing, put } from "./played-world.ts";

/** Drills of what walks find that no event told of. */

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
