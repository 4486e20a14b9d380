import { Worker } from "node:worker_threads";
import { NOTHING, plus, type Range, type Tally } from "./tally.ts";

/** Most seeds that a thread is given at a time. */
const SHARE_MAX = 50;

/** Shares that each thread gets at least: so many that all threads end together. */
const SHARES_EACH = 8;

/**
 * Runs seeds on several threads. Which thread runs a seed makes no difference to it.
 * @param onProgress told of all that has been done so far, now and then
 */
export const runOnThreads = async (
  range: Range,
  threads: number,
  onProgress: (tally: Tally) => void = () => {},
): Promise<Tally> => {
  const shareSize = Math.min(SHARE_MAX, Math.ceil(range.count / (threads * SHARES_EACH)));
  let next = range.first;
  const end = range.first + range.count;
  let total = NOTHING;
  const take = (): Range | undefined => {
    if (next >= end) return undefined;
    const share = { ...range, first: next, count: Math.min(shareSize, end - next) };
    next += share.count;
    return share;
  };
  const lane = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL("./thread.ts", import.meta.url));
      const give = (): void => {
        const share = take();
        // A thread's port has no origins: the rule means windows.
        // oxlint-disable-next-line unicorn/require-post-message-target-origin
        if (share !== undefined) worker.postMessage(share);
        else void worker.terminate().then(() => resolve());
      };
      worker.on("message", (tally: Tally) => {
        total = plus(total, tally);
        onProgress(total);
        give();
      });
      worker.once("error", reject);
      give();
    });
  await Promise.all(Array.from({ length: threads }, lane));
  return { ...total, failures: total.failures.toSorted((a, b) => a.seed - b.seed) };
};
