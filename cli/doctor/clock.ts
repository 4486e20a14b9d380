import { answering, type Check } from "./examined.ts";
import { ok, type Said, unknown, warning } from "./finding.ts";

/** A clock that is further off makes AWS refuse signatures at five minutes; at one somebody should know. Milliseconds. */
const SKEW_MAX_MS = 60_000;

/** Whether this machine's clock is that of the sites, by the `Date` of what they answer. */
export const clock: Check = {
  name: "clock",
  look: (examined) =>
    Promise.all(
      answering(examined).map(async ({ site: { name }, url }): Promise<Said> => {
        try {
          const askedAt = examined.now();
          // Without a token: it is refused, and refusals have a date, too.
          const { headers } = await examined.fetch(`${url}/api/v4/geo_sites`, { signal: AbortSignal.timeout(10_000) });
          const answeredAt = examined.now();
          const theirs = Date.parse(headers.get("date") ?? "");
          if (Number.isNaN(theirs)) return unknown(name, "its answers bear no date", "compare the clocks by hand");
          // To the second, and somewhere between question and answer.
          const off = Math.max(0, askedAt - 1_000 - theirs, theirs - answeredAt);
          const seconds = Math.round(off / 1_000);
          return off <= SKEW_MAX_MS
            ? ok(name, "its clock and this machine's are less than a minute apart")
            : warning(
                name,
                `this machine's clock is ${String(seconds)} seconds ${theirs > answeredAt ? "behind" : "ahead of"} the site's`,
                "set this machine's clock (NTP): signatures are refused from five minutes on, and times told here are wrong",
              );
        } catch (error) {
          const reason = error instanceof Error ? error.message : String(error);
          return unknown(name, `its clock could not be asked for: ${reason}`, "look again");
        }
      }),
    ),
};
