import * as z from "zod/mini";
import { REMOVAL_GUARD_BOUNDS, REMOVAL_GUARD_DEFAULT } from "../geo/removal-guard.ts";
import { integer } from "./fields.ts";

const { floor, percent, most } = REMOVAL_GUARD_BOUNDS;

const count = ({ least, most: atMost }: { readonly least: number; readonly most: number }) =>
  integer(least, atMost, `expected removals an hour, ${least} to ${atMost}`);

/** Three decimals are what a function's environment carries. */
const DECIMALS = 1_000;
const PERCENT = `expected a share in percent, ${percent.least} to ${percent.most}, with three decimals at most`;

/** When the removal guard holds removals back (`RemovalGuardPolicy`). */
export const RemovalGuardConfig = z.strictObject(
  {
    /** So many removals an hour of one type are always let through, however few rows it has. Default 100. */
    floor: z._default(count(floor), REMOVAL_GUARD_DEFAULT.floor),
    /** Share of a type's rows that may go within an hour, in percent. Default 5. */
    percent: z._default(
      z
        .number({ error: PERCENT })
        .check(
          z.refine(
            (value) =>
              value >= percent.least && value <= percent.most && Math.round(value * DECIMALS) / DECIMALS === value,
            { error: PERCENT },
          ),
        ),
      REMOVAL_GUARD_DEFAULT.percent,
    ),
    /** Never more than this an hour, however many rows a type has. Default 10,000. */
    most: z._default(count(most), REMOVAL_GUARD_DEFAULT.most),
  },
  { error: "expected { floor, percent, most }" },
);

const orElse = z.catch;

/** As much of it as can be read. */
export const RemovalGuardSketch = orElse(
  z.optional(
    z.object({
      floor: orElse(z.optional(z.number()), undefined),
      most: orElse(z.optional(z.number()), undefined),
    }),
  ),
  undefined,
);

/** What is wrong between the guard's numbers. */
export const removalGuardProblems = (sketch: z.output<typeof RemovalGuardSketch>): string[] => {
  const least = sketch?.floor ?? REMOVAL_GUARD_DEFAULT.floor;
  const atMost = sketch?.most ?? REMOVAL_GUARD_DEFAULT.most;
  return least > atMost
    ? [`removalGuard: expected floor to be at most most (${atMost} removals an hour), got ${least}`]
    : [];
};
