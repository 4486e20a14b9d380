import type { SiteStanding } from "../../shared/geo/site-standing.ts";
import { changeStanding, parseSiteRecord, siteRecordKey } from "../../shared/tables/site/site-record.ts";
import { DAY_MS } from "./plan.ts";
import type { World } from "./world.ts";

/** How long a site is something else before it is a secondary again, milliseconds. */
const LENGTHS_MS = [5_000, 60_000, 1_800_000, 4 * 3_600_000] as const;

const EPISODES_MAX = 4;

/** An operator changes what the secondary is for, or only its epoch, at once and for everybody to read. */
export const become = async (world: World, role: SiteStanding["role"]): Promise<void> => {
  const table = world.secondarySiteTable;
  const seen = parseSiteRecord(await table.get(siteRecordKey)).standing;
  await table.update(changeStanding(seen, role));
  world.trace?.(`somebody makes the site ${role}, epoch ${seen.epoch + 1}`);
};

/** R38: whoever restores the registry has everybody let go who began before. */
export const bumpEpoch = async (world: World): Promise<void> =>
  become(world, parseSiteRecord(await world.secondarySiteTable.get(siteRecordKey)).standing.role);

/** R27: the site is promoted, or nearly so, and becomes a secondary again; sometimes only its epoch moves. */
export const schedulePromotions = (world: World): void => {
  if (!world.faults.isOn("promotion")) return;
  const dice = world.faults.dice("promotion");
  const episodes = dice.whole(1, EPISODES_MAX);
  // Where there is something to be in the way of: somebody's change, and a little later.
  const times = world.plan.changes.map(({ at }) => at);
  for (let episode = 0; episode < episodes; episode += 1) {
    const at = dice.hits(0.7) && times.length > 0 ? dice.pick(times) + dice.between(0, 5_000) : dice.between(0, DAY_MS);
    const role = dice.pick(["promoting", "primary", "secondary"] as const);
    const length = dice.pick(LENGTHS_MS) * dice.between(0.3, 1.5);
    world.later(world.startMs + at, () => {
      if (!world.faults.active) return;
      world.faults.count("promotion");
      void become(world, role);
      if (role === "secondary") return;
      world.later(world.timeline.now + length, () => void become(world, "secondary"));
    });
  }
};
