import * as z from "zod/mini";

/** A whole number within bounds; `expected` says so when it is none. */
export const integer = (least: number, most: number, expected: string) =>
  z
    .number({ error: expected })
    .check(z.refine((value) => Number.isInteger(value) && value >= least && value <= most, { error: expected }));

/** A text of one form; `expected` says which when it has another. */
export const text = (pattern: RegExp, expected: string) =>
  z.string({ error: expected }).check(z.regex(pattern, { error: expected }));
