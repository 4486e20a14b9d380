/** How long a fact may take to become true on a local cloud, milliseconds. Its queues are polled by one thread, in turn. */
const WITHIN_MS = 60_000;
const POLL_MS = 250;

/**
 * Waits for a fact: looks again and again until what it sees satisfies `isTrue`, and returns that. Fails with what it saw
 * last, so that a failure says how far things had come.
 *
 * @param everyMs what lies between two looks; longer where a look takes the cloud some time.
 */
export const eventually = async <Seen>(
  fact: string,
  look: () => Promise<Seen>,
  isTrue: (seen: Seen) => boolean,
  withinMs: number = WITHIN_MS,
  everyMs: number = POLL_MS,
): Promise<Seen> => {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const seen = await look();
    if (isTrue(seen)) return seen;
    if (Date.now() > deadline) {
      throw new Error(
        `expected within ${withinMs / 1_000} s: ${fact}. Last seen: ${JSON.stringify(seen)?.slice(0, 2_000)}`,
      );
    }
    await new Promise((tick) => setTimeout(tick, everyMs));
  }
};
