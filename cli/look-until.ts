import { setTimeout as passing } from "node:timers/promises";
import type { Surroundings } from "./surroundings.ts";

/** What was last seen; nothing when somebody interrupted the first look. */
export interface LookedAt<Seen> {
  readonly seen: Seen | undefined;
  /** Whether somebody pressed Ctrl-C. That ends the looking, and nothing else. */
  readonly isInterrupted: boolean;
}

/** How something is looked at. */
export interface Looking<Seen> {
  /** Only looks, since nobody waits for a look that is interrupted. Is given how often it was looked before. */
  readonly look: (times: number) => Promise<Seen>;
  /** Says what was seen. */
  readonly tell: (seen: Seen) => void;
  readonly isSettled: (seen: Seen) => boolean;
  /** Time between two looks. */
  readonly everyMs: number;
}

/** Looks at something again and again, until it is settled or somebody interrupts; from then on nothing is told any more. */
export const lookUntil = async <Seen>(
  { look, tell, isSettled, everyMs }: Looking<Seen>,
  { sleep, onInterrupt = () => () => {} }: Surroundings,
): Promise<LookedAt<Seen>> => {
  const ended = new AbortController();
  const { promise: interruption, resolve: wake } = Promise.withResolvers<"interrupted">();
  const stopListening = onInterrupt(() => wake("interrupted"));
  const pause = (): Promise<unknown> => sleep?.(everyMs) ?? passing(everyMs, undefined, { signal: ended.signal });
  let seen: Seen | undefined;
  try {
    for (let times = 0; ; times += 1) {
      const found = await Promise.race([look(times).then((now) => ({ now })), interruption]);
      if (found === "interrupted") return { seen, isInterrupted: true };
      seen = found.now;
      tell(seen);
      if (isSettled(seen)) return { seen, isInterrupted: false };
      const woken = await Promise.race([pause().catch(() => undefined), interruption]);
      if (woken === "interrupted") return { seen, isInterrupted: true };
    }
  } finally {
    ended.abort(); // the process would wait for the rest of the pause
    stopListening();
  }
};
