import type { ManualClock } from "../../shared/memory/clock.ts";
import type { Datapoint } from "../support/alarm-evaluator.ts";

/** What happens to a site so that an alarm goes off, and what ends it. */
export interface Drill {
  readonly clock: ManualClock;
  /** Everything that CloudWatch was told so far. */
  readonly points: () => readonly Datapoint[];
  /** What went on before, all being well. Default: nothing did. */
  readonly before?: () => Promise<void>;
  readonly fire: () => Promise<void>;
  readonly heal: () => Promise<void>;
}

/** An alarm whose drill it is, as far as a drill has to know it. */
export interface DrilledAlarm {
  readonly name: string;
  /** What its metric's dimensions come to, with physical names. */
  readonly dimensions: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly period: number;
  readonly threshold: number;
}

export type MakeDrill = (alarm: DrilledAlarm) => Drill;

export const MINUTE_MS = 60_000;

/** One of AWS's own metrics, as a service publishes it of what happens to it. */
export class AwsMetric {
  readonly points: Datapoint[] = [];
  readonly #clock: ManualClock;
  readonly #of: Pick<Datapoint, "namespace" | "metric" | "dimensions">;

  constructor(clock: ManualClock, of: Pick<Datapoint, "namespace" | "metric" | "dimensions">) {
    this.#clock = clock;
    this.#of = of;
  }

  put(value: number): void {
    this.points.push({ ...this.#of, value, at: this.#clock.now() });
  }
}

/** Lets minutes pass, and has something done in each. */
export const eachMinute = async (
  clock: ManualClock,
  minutes: number,
  work: () => Promise<void> | void,
): Promise<void> => {
  for (let minute = 0; minute < minutes; minute += 1) {
    await work();
    clock.advance(MINUTE_MS);
  }
};

/** The drill of an alarm that is over when nothing more is told for as long as it looks back. */
export const quietAgain = (clock: ManualClock, { period }: DrilledAlarm, periods = 1): void =>
  clock.advance((periods + 1) * period * 1_000);
