import { eachPart, figuresOf, growth, type LagBuckets, packLag, sumBuckets, unpackLag } from "./lag-histogram.ts";
import type { LagStep } from "./type-summary.ts";

/**
 * What happened within the last hour, from histograms that only ever grow: how much they grew, step by step. Pure.
 */

/** How long a window is, and by how much it moves at a time: it holds between 60 and 65 minutes. */
const WINDOW_MS = 60 * 60 * 1_000;
const STEP_MS = 5 * 60 * 1_000;

/** A window as it is remembered. Packed by type (`packLag`), since all of a site's types stand in one item. */
export interface LagWindow {
  /** When the last step ended, milliseconds since the epoch. */
  readonly steppedAt: number;
  /** What had been counted by then, since ever. */
  readonly base: Readonly<Record<string, string>>;
  /** By how much it grew in each step of the last hour; types in which nothing happened are left out. */
  readonly steps: readonly { readonly until: number; readonly grown: Readonly<Record<string, string>> }[];
}

/** Whether a step belongs to the last hour; one from the far future, of a clock that was ahead, does not. */
const isWithin = (now: number, until: number): boolean => Math.abs(now - until) < WINDOW_MS;

const NOTHING: LagBuckets = eachPart(() => new Map());

const packedOf = (packed: Readonly<Record<string, string>>, type: string): LagBuckets =>
  packed[type] === undefined ? NOTHING : unpackLag(packed[type]);

/** How much a type's histograms have grown since the last step. */
const grownOf = (window: LagWindow, type: string, counted: LagBuckets): LagBuckets => {
  const base = packedOf(window.base, type);
  return eachPart((part) => growth(counted[part], base[part]));
};

const isEmpty = (lag: LagBuckets): boolean => lag.total.size === 0;

const packEach = (lags: readonly (readonly [string, LagBuckets])[]): Readonly<Record<string, string>> =>
  Object.fromEntries(lags.filter(([, lag]) => !isEmpty(lag)).map(([type, lag]) => [type, packLag(lag)]));

/** A window in which nothing has been seen: all that was counted so far counts as of now. */
export const NEW_WINDOW: LagWindow = { steppedAt: 0, base: {}, steps: [] };

/**
 * What a type's histograms have grown by within the last hour. What was counted while nobody looked counts as of the next
 * look.
 * @param counted what has been counted since ever
 */
export const lastHour = (window: LagWindow, type: string, counted: LagBuckets, now: number): LagBuckets => {
  const steps = window.steps.filter(({ until }) => isWithin(now, until)).map(({ grown }) => packedOf(grown, type));
  const grown = grownOf(window, type, counted);
  return eachPart((part) => sumBuckets([...steps.map((step) => step[part]), grown[part]]));
};

/** How late a type's replicas were in each step of the last hour, and since the last one: at most 13 of them. */
export const stepsOfLastHour = (
  window: LagWindow,
  type: string,
  counted: LagBuckets,
  now: number,
): readonly LagStep[] => {
  const ended = window.steps
    .filter(({ until }) => isWithin(now, until))
    .map(({ until, grown }) => ({ until, lag: packedOf(grown, type) }));
  return [...ended, { until: now, lag: grownOf(window, type, counted) }].flatMap(({ until, lag }) => {
    const figures = figuresOf(lag.total);
    return figures === undefined ? [] : [{ until, figures }];
  });
};

/**
 * Whether the window is to be moved, which is when it has to be written. One that a clock wrote which was ahead is moved as
 * well: it would stand still until that time has come.
 */
export const isStepDue = (window: LagWindow, now: number): boolean => Math.abs(now - window.steppedAt) >= STEP_MS;

/** Moves the window: what has grown since the last step becomes a step, and those of more than an hour ago go. */
export const nextStep = (window: LagWindow, counted: ReadonlyMap<string, LagBuckets>, now: number): LagWindow => ({
  steppedAt: now,
  base: packEach([...counted]),
  steps: [
    ...window.steps.filter(({ until }) => isWithin(now, until)),
    { until: now, grown: packEach([...counted].map(([type, lag]) => [type, grownOf(window, type, lag)])) },
  ],
});
