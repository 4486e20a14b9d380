import * as z from "zod/mini";

/** Environment of the counters function: folds a table's stream into exact counts. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ROLE: z.enum(["primary", "secondary"]),
  /** The site table, which holds the counters. */
  SITE_TABLE: z.string().check(z.minLength(1)),
});
