import * as z from "zod/mini";

/** Environment of the counter audit: recounts the rows of a site's table and holds them against its counters. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  ROLE: z.enum(["primary", "secondary"]),
  /** The table whose rows are counted. */
  OBJECT_TABLE: z.string().check(z.minLength(1)),
  /** The site table, which holds the counters and how far each recount has come. */
  SITE_TABLE: z.string().check(z.minLength(1)),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** This function's timeout in seconds. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
});
