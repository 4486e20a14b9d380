import { REMOVAL_WINDOW_MS } from "../../shared/geo/limits.ts";
import { SITE_TABLE_PARTITIONS } from "../../shared/geo/physical-names.ts";
import type { RemovalGuard, RemovalGuardPolicy } from "../../shared/geo/removal-guard.ts";
import type { StreamRecord } from "../../shared/memory/table.ts";
import type { UpdateRequest } from "../../shared/ports/table.ts";
import { parseRemovalGuard, releaseRemovals } from "../../shared/tables/site/removal-guard-item.ts";
import type { Faults } from "./faults.ts";
import type { Knob } from "./plan.ts";
import type { Report } from "./transitions.ts";
import type { World } from "./world.ts";

/** More than all worlds together remove. */
const NEVER_REACHED = 1_000_000;

/** How long removals stay held back before an operator looks, milliseconds. */
const LOOKED_AT_WITHIN_MS = [60_000, 4 * 3_600_000] as const;

/** What makes the guard's clock differ from the world's: then its hours are not hours. */
const LATE_KNOBS: readonly Knob[] = ["clock", "zombie", "slow"];

/** How many removals a type may see in an hour: few with the knob `guard`, and more than there are without. */
export const guardPolicyOf = (faults: Faults): RemovalGuardPolicy => {
  const floor = faults.isOn("guard") ? faults.dice("guard").pick([1, 1, 1, 2, 3]) : NEVER_REACHED;
  return { floor, percent: 0, most: floor };
};

/** Whether a write of the site table is one that lets a removal through, should it be carried out. */
export const isPermit = ({ key, update }: UpdateRequest): boolean =>
  key.pk === SITE_TABLE_PARTITIONS.removalGuard && !update.startsWith("SET paused_at");

/** What is watched of a world. */
interface Guarded extends Pick<World, "oracle" | "faults" | "secondarySiteTable"> {
  readonly timeline: { readonly now: number };
}

/** Permits of one type, as the table saw them given. */
interface Given {
  /** When, by the time that no machine knows: those of the last hour. */
  times: number[];
}

/**
 * R29, the number. Watches the guard's own items: an hour begins at the earliest one hour after the last, sees at most its
 * limit, and while removals are held back none is let through but by an operator's release. The hours are the guard's: two
 * of them may touch, so that an hour that somebody else measures can see the limit twice.
 */
class GuardWatch {
  readonly #report: Report;
  readonly #policy: RemovalGuardPolicy;
  readonly #now: () => number;
  /** Whether the guard's clocks and questions are on time, so that its hours are hours. */
  readonly #punctual: boolean;
  readonly #given = new Map<string, Given>();

  constructor({ oracle, faults, timeline }: Guarded, policy: RemovalGuardPolicy) {
    this.#report = (rule, detail) => oracle.report(rule, detail);
    this.#policy = policy;
    this.#now = () => timeline.now;
    this.#punctual = !LATE_KNOBS.some((knob) => faults.isOn(knob));
  }

  changed({ key, before, after }: StreamRecord): void {
    if (key.pk !== SITE_TABLE_PARTITIONS.removalGuard || after === undefined) return;
    const guard = parseRemovalGuard(after);
    this.#check(key.sk, before === undefined ? undefined : parseRemovalGuard(before), guard);
  }

  #check(type: string, before: RemovalGuard | undefined, after: RemovalGuard): void {
    const { floor } = this.#policy;
    if (after.limit !== floor) this.#report("R29", `the guard of ${type} lets ${after.limit} through, not ${floor}`);
    if (after.removals > floor)
      this.#report("R29", `${after.removals} removals of ${type} in one hour of at most ${floor}`);
    if (floor === NEVER_REACHED && after.pausedAt !== undefined) {
      this.#report("R29", `the guard holds removals of ${type} back, far below its limit`);
    }
    const opened = before?.windowStartedAt !== after.windowStartedAt;
    if (before !== undefined && opened && after.windowStartedAt < before.windowStartedAt + REMOVAL_WINDOW_MS) {
      this.#report("R29", `an hour of ${type} begins before the last one is over`);
    }
    const counted = opened ? after.removals : after.removals - (before?.removals ?? 0);
    if (counted === 0) return;
    if (counted !== 1) this.#report("R29", `one write lets ${counted} removals of ${type} through`);
    if (before?.pausedAt !== undefined)
      this.#report("R29", `a removal of ${type} is let through while they are held back`);
    this.#checkHour(type);
    if (this.#punctual && (before?.releaseOnlyUntil ?? 0) > this.#now()) {
      this.#report("R29", `a removal of ${type} is let through by the limit while only a release counts`);
    }
  }

  /** Two hours of the guard may touch; a third one can not be within the same hour. */
  #checkHour(type: string): void {
    const now = this.#now();
    const given = this.#given.get(type) ?? { times: [] };
    given.times = [...given.times.filter((time) => time > now - REMOVAL_WINDOW_MS), now];
    this.#given.set(type, given);
    if (this.#punctual && given.times.length > 2 * this.#policy.floor) {
      this.#report(
        "R29",
        `${given.times.length} removals of ${type} within an hour, by a guard of ${this.#policy.floor}`,
      );
    }
  }
}

/** Watches a site's guard. */
export const watchGuard = (world: Guarded, policy: RemovalGuardPolicy): void => {
  const watch = new GuardWatch(world, policy);
  world.secondarySiteTable.onChange((record) => watch.changed(record));
};

/** Operators who look at a guard that holds removals back, and release some; all, once the faults are over. */
export class GuardOperators {
  readonly #world: World;
  readonly #paused = new Set<string>();

  constructor(world: World) {
    this.#world = world;
    world.secondarySiteTable.onChange(({ key, before, after }) => {
      if (key.pk !== SITE_TABLE_PARTITIONS.removalGuard) return;
      if (after?.["paused_at"] === undefined) this.#paused.delete(key.sk);
      else if (before?.["paused_at"] === undefined) this.#heldBack(key.sk);
    });
  }

  /** Whatever is still held back is wanted. */
  releaseAll(): void {
    for (const type of this.#paused) this.#release(type, NEVER_REACHED, 7 * 24 * 60);
  }

  #heldBack(type: string): void {
    const { faults, timeline } = this.#world;
    this.#paused.add(type);
    faults.count("guard");
    const dice = faults.dice("guard");
    this.#world.later(timeline.now + dice.between(...LOOKED_AT_WITHIN_MS), () => {
      if (!this.#paused.has(type)) return;
      if (faults.active) this.#release(type, dice.whole(1, 5), dice.pick([5, 60, 600]));
      else this.releaseAll();
    });
  }

  #release(type: string, removals: number, minutes: number): void {
    const { timeline, secondarySiteTable, trace } = this.#world;
    trace?.(`somebody releases ${removals} removals of ${type}`);
    void secondarySiteTable.update(releaseRemovals(type, removals, Math.floor(timeline.now) + minutes * 60_000));
  }
}
