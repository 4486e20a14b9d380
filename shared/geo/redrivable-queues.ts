import * as z from "zod/mini";
import { feedNames, type Installation, type NamedSite, primaryNames, secondaryNames } from "./physical-names.ts";

/** A queue of a site whose dead letters can be sent back to it. */
const RedrivableQueue = z.object({
  /** What operators call it, and the API's path. */
  name: z.string(),
  /** Physical names of the queue, and of its dead letters. */
  queue: z.string(),
  dead_letters: z.string(),
  region: z.string(),
});
export type RedrivableQueue = z.infer<typeof RedrivableQueue>;

/**
 * The queues of a site whose dead letters are messages of ours. Those of the schedules and of the counters are not among
 * them: what lies there describes what could not be delivered, and is sent nowhere.
 */
export const redrivableQueues = (
  installation: Installation,
  site: NamedSite & { readonly role: "primary" | "secondary" },
  primaryRegion: string,
): readonly RedrivableQueue[] => {
  if (site.role === "primary") {
    const { checksumQueue, checksumDeadLetterQueue } = primaryNames(installation, site);
    return [{ name: "checksum", queue: checksumQueue, dead_letters: checksumDeadLetterQueue, region: site.region }];
  }
  const feed = feedNames(installation, site);
  const names = secondaryNames(installation, site);
  const { region } = site;
  return [
    { name: "ingest", queue: feed.ingestQueue, dead_letters: feed.ingestDeadLetterQueue, region: primaryRegion },
    { name: "geo-events", queue: names.eventsQueue, dead_letters: names.eventsDeadLetterQueue, region },
    { name: "verification", queue: names.verificationQueue, dead_letters: names.verificationDeadLetterQueue, region },
    { name: "replica-drift", queue: names.driftQueue, dead_letters: names.driftDeadLetterQueue, region },
    { name: "backfill", queue: names.backfillQueue, dead_letters: names.backfillDeadLetterQueue, region },
  ];
};

/** For a function's environment. */
export const encodeRedrivableQueues = (queues: readonly RedrivableQueue[]): string => JSON.stringify(queues);

/** @throws {Error} when the text is none that `encodeRedrivableQueues` wrote */
export const decodeRedrivableQueues = (text: string): readonly RedrivableQueue[] =>
  z.parse(z.array(RedrivableQueue), JSON.parse(text));
