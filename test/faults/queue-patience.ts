import { attributesOf, setAttributes } from "../integration/support/messages.ts";
import { names, primary, secondary } from "../support/cloud.ts";

/** The queues between an object of the primary and its verified replica, each with the site in whose region it is. */
const QUEUES_ON_THE_WAY = [
  { site: primary, queue: names.feed.ingestQueue, deadLetters: names.feed.ingestDeadLetterQueue },
  { site: primary, queue: names.primary.checksumQueue, deadLetters: names.primary.checksumDeadLetterQueue },
  { site: secondary, queue: names.secondary.eventsQueue, deadLetters: names.secondary.eventsDeadLetterQueue },
  {
    site: secondary,
    queue: names.secondary.verificationQueue,
    deadLetters: names.secondary.verificationDeadLetterQueue,
  },
] as const;

/**
 * Has messages that were not acknowledged come back after seconds. As deployed it takes six timeouts of the function, half
 * an hour and more, which no test can wait for.
 *
 * @returns what makes the queues as they were before
 */
export const shortenVisibility = async (seconds: number): Promise<() => Promise<void>> => {
  const before = await Promise.all(
    QUEUES_ON_THE_WAY.map(async ({ site, queue }) => (await attributesOf(site, queue))["VisibilityTimeout"] ?? "30"),
  );
  const set = async (timeout: (index: number) => string): Promise<void> => {
    await Promise.all(
      QUEUES_ON_THE_WAY.map(({ site, queue }, index) =>
        setAttributes(site, queue, { VisibilityTimeout: timeout(index) }),
      ),
    );
  };
  await set(() => String(seconds));
  return () => set((index) => before[index] ?? "30"); // one for each queue
};

/** How many messages lie in each dead-letter queue. */
export const deadLetters = async (): Promise<Readonly<Record<string, number>>> => {
  const counts = QUEUES_ON_THE_WAY.map(async (one) => {
    const { ApproximateNumberOfMessages: visible, ApproximateNumberOfMessagesNotVisible: hidden } = await attributesOf(
      one.site,
      one.deadLetters,
    );
    return [one.deadLetters, Number(visible) + Number(hidden)] as const;
  });
  return Object.fromEntries(await Promise.all(counts));
};
