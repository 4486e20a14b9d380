import * as z from "zod/mini";

/** Environment of the API's authorizer. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  /** The site table, which holds the hashes of tokens. */
  SITE_TABLE: z.string().check(z.minLength(1)),
});
