import * as z from "zod/mini";

/** Environment of the admin page's function. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
});
