import { changeSettings } from "../../shared/tables/site/site-record.ts";
import { DAY_MS } from "./plan.ts";
import type { World } from "./world.ts";

/** How long a pause is, milliseconds: from one that hardly anybody hears of to one that outlasts leases and quarantines. */
const LENGTHS_MS = [5_000, 60_000, 1_800_000, 6 * 3_600_000] as const;

const PAUSES_MAX = 4;

/** An operator pauses the secondary, or has it go on, at once and for everybody to read (F98). */
export const enable = async (world: World, enabled: boolean): Promise<void> => {
  await world.secondarySiteTable.update(changeSettings({ enabled }, Math.floor(world.timeline.now)));
  world.trace?.(`somebody ${enabled ? "has the secondary go on" : "pauses the secondary"}`);
};

/** The secondary is paused, most often while there is something to do, and goes on; two pauses may overlap. */
export const schedulePauses = (world: World): void => {
  if (!world.faults.isOn("pause")) return;
  const dice = world.faults.dice("pause");
  const times = world.plan.changes.map(({ at }) => at);
  const pauses = dice.whole(1, PAUSES_MAX);
  for (let pause = 0; pause < pauses; pause += 1) {
    const at = dice.hits(0.7) && times.length > 0 ? dice.pick(times) + dice.between(0, 5_000) : dice.between(0, DAY_MS);
    const length = dice.pick(LENGTHS_MS) * dice.between(0.3, 1.5);
    world.later(world.startMs + at, () => {
      if (!world.faults.active) return;
      world.faults.count("pause");
      void enable(world, false);
      world.later(world.timeline.now + length, () => void enable(world, true));
    });
  }
};
