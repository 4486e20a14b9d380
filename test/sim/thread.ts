import { parentPort } from "node:worker_threads";
import { type Range, runSeeds } from "./tally.ts";

const answer = async (range: Range): Promise<void> => {
  const tally = await runSeeds(range);
  // A thread's port has no origins: the rule means windows.
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort?.postMessage(tally);
};

/** Runs ranges of seeds on a thread of its own, one at a time, as they are asked for. */
parentPort?.on("message", (range: Range) => {
  void answer(range);
});
