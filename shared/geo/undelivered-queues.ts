import { type Installation, type NamedSite, primaryNames, secondaryNames, siteNames } from "./physical-names.ts";

/** A queue of a site that holds what could not be delivered to a function of it. */
interface UndeliveredQueue {
  /** The folder of the function that it was meant for. */
  readonly name: string;
  /** The queue's physical name; it is in the site's region. */
  readonly queue: string;
}

/**
 * The dead-letter queues that are not among `redrivableQueues`: those of the schedules and of the counters. What lies there
 * says what was not delivered; the next start, or the counter audit, makes up for it.
 */
export const undeliveredQueues = (
  installation: Installation,
  site: NamedSite & { readonly role: "primary" | "secondary" },
): readonly UndeliveredQueue[] => {
  const names = siteNames(installation, site);
  const secondary = secondaryNames(installation, site);
  const ofRole =
    site.role === "primary"
      ? { "verification-backfill": primaryNames(installation, site).verificationBackfillDeadLetterQueue }
      : {
          "registry-consistency": secondary.registryConsistencyDeadLetterQueue,
          "large-copy": secondary.largeCopyDeadLetterQueue,
        };
  const all = {
    ...ofRole,
    "retry-sweep": names.retrySweepDeadLetterQueue,
    counters: names.countersDeadLetterQueue,
    "counter-audit": names.counterAuditDeadLetterQueue,
    "site-status": names.siteStatusDeadLetterQueue,
  };
  return Object.entries(all).map(([name, queue]) => ({ name, queue }));
};
