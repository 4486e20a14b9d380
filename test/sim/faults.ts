import { quarantineMs } from "../../shared/geo/limits.ts";
import { Dice } from "./dice.ts";
import { DAY_MS, type Knob, type Plan } from "./plan.ts";

/** The timeout of every function of the simulated sites, milliseconds; the same as the product's consumers have. */
export const FUNCTION_TIMEOUT_MS = 60_000;

/** A machine's clock is never further off than this. */
export const SKEW_MAX_MS = 10 * 60_000;

/**
 * The assumption that the quarantine rests on (docs/protocol.md, "What is assumed"), and the one thing that faults may not
 * break: what an invocation sent lands, and an invocation that was given up on is certainly ended, at most this long after
 * it started. A takeover can come no earlier than the start of the invocation that it takes over; the row then stays in
 * quarantine for `quarantineMs` by the clock of one machine, and is released by that of another, which may be twice the
 * skew apart. Five minutes are left over.
 */
export const LANDS_WITHIN_MS = quarantineMs(FUNCTION_TIMEOUT_MS) - 2 * SKEW_MAX_MS - 5 * 60_000;

/** What a call is made to. */
export type Port = "primary_bucket" | "replica_bucket" | "registry" | "verification_state" | "site_table" | "queue";

/** Why a service does not do what it is asked. */
export type Refusal = "throttled" | "forbidden" | "unavailable";

interface Window {
  readonly from: number;
  readonly to: number;
  readonly ports: readonly Port[];
  readonly knob: Knob;
  readonly refusal: Refusal;
  /** Share of the calls that it hits. */
  readonly share: number;
}

const PRIMARY_REGION: readonly Port[] = ["primary_bucket", "verification_state"];
const SECONDARY_REGION: readonly Port[] = ["replica_bucket", "registry", "site_table", "queue"];

/** What goes wrong, when: decided by the plan's knobs and its seed. */
export class Faults {
  /** Set to false when the faults are over. */
  active = true;
  readonly counts = new Map<Knob, number>();
  readonly #dice = new Map<Knob, Dice>();
  readonly #windows: readonly Window[];

  constructor(plan: Plan, startMs: number) {
    for (const knob of plan.knobs) this.#dice.set(knob, new Dice(plan.seed, knob));
    this.#windows = this.#draw(startMs);
  }

  isOn(knob: Knob): boolean {
    return this.#dice.has(knob);
  }

  /** Whether the fault happens now; it happens in `share` of all cases while its knob is on. */
  hits(knob: Knob, share: number): boolean {
    if (!this.active) return false;
    const dice = this.#dice.get(knob);
    if (dice === undefined || !dice.hits(share)) return false;
    this.count(knob);
    return true;
  }

  /** Notes that a fault has happened. */
  count(knob: Knob): void {
    this.counts.set(knob, (this.counts.get(knob) ?? 0) + 1);
  }

  /** The dice of a knob that is on. */
  dice(knob: Knob): Dice {
    const dice = this.#dice.get(knob);
    if (dice === undefined) throw new Error(`${knob} is not on`);
    return dice;
  }

  /** Whether and why a call to `port` is refused at `now`. */
  refusal(port: Port, now: number): Refusal | undefined {
    if (!this.active) return undefined;
    for (const { from, to, ports, knob, refusal, share } of this.#windows) {
      if (now < from || now >= to || !ports.includes(port)) continue;
      if (share < 1 && !this.dice(knob).hits(share)) continue;
      this.count(knob);
      return refusal;
    }
    return undefined;
  }

  #draw(startMs: number): readonly Window[] {
    const windows: Window[] = [];
    const add = (
      knob: Knob,
      count: number,
      lengths: readonly number[],
      window: (dice: Dice) => Pick<Window, "ports" | "refusal" | "share">,
    ): void => {
      const dice = this.#dice.get(knob);
      if (dice === undefined) return;
      for (let i = 0; i < count; i += 1) {
        const from = startMs + dice.between(0, DAY_MS);
        windows.push({ from, to: from + dice.pick(lengths) * dice.between(0.5, 1.5), knob, ...window(dice) });
      }
    };
    add("throttle", 12, [60_000, 1_800_000], (dice) => ({
      ports: dice.hits(0.5) ? PRIMARY_REGION : SECONDARY_REGION,
      refusal: "throttled",
      share: dice.pick([0.2, 0.7]),
    }));
    add("forbidden", 8, [60_000, 3_600_000], (dice) => ({
      ports: [dice.hits(0.6) ? "primary_bucket" : "replica_bucket"],
      refusal: "forbidden",
      share: dice.pick([0.3, 1]),
    }));
    add("outage", 2, [3_600_000, 3 * 3_600_000], (dice) => ({
      ports: dice.hits(0.5) ? PRIMARY_REGION : SECONDARY_REGION,
      refusal: "unavailable",
      share: 1,
    }));
    return windows;
  }
}
