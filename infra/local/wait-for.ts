/** Without any progress for this long, something is wrong: a lost message is made good for within five minutes and a sweep. */
const STALLED_AFTER_MS = 420_000;
const POLL_MS = 500;

const pause = (): Promise<void> => new Promise((tick) => setTimeout(tick, POLL_MS));

/** Waits until `look` says so. Gives up when what it sees has not changed for long. */
export const waitFor = async <Seen>(
  look: () => Promise<Seen>,
  isDone: (seen: Seen) => boolean,
): Promise<{ readonly done: boolean; readonly seen: Seen }> => {
  let changedAt = Date.now();
  let last = "";
  for (;;) {
    const seen = await look();
    if (isDone(seen)) return { done: true, seen };
    const now = JSON.stringify(seen);
    if (now !== last) [last, changedAt] = [now, Date.now()];
    if (Date.now() - changedAt > STALLED_AFTER_MS) return { done: false, seen };
    await pause();
  }
};
