import { describe, expect, test } from "vitest";
import { lookUntil } from "../../../cli/look-until.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";

/** Somebody who may press Ctrl-C, and whether anybody listens. */
const person = () => {
  const listeners = new Set<() => void>();
  const around: Surroundings = {
    root: "/nowhere",
    replicables: [],
    out: () => {},
    err: () => {},
    onInterrupt: (interrupted) => {
      listeners.add(interrupted);
      return () => void listeners.delete(interrupted);
    },
  };
  const interrupt = (): void => {
    for (const listener of listeners) listener();
  };
  return { around, interrupt, listeners };
};

describe("looking until something is settled", () => {
  test("tells each look, and ends with the last", async () => {
    const { around, listeners } = person();
    const told: number[] = [];
    const looked = await lookUntil(
      {
        look: (times) => Promise.resolve(times),
        tell: (seen) => void told.push(seen),
        isSettled: (seen) => seen === 2,
        everyMs: 1,
      },
      around,
    );
    expect(looked).toEqual({ seen: 2, isInterrupted: false });
    expect(told).toEqual([0, 1, 2]);
    expect(listeners.size).toBe(0);
  });

  test("tells nothing any more of a look that was under way when somebody interrupted", async () => {
    const { around, interrupt } = person();
    const told: number[] = [];
    const pending = Promise.withResolvers<number>();
    const looking = lookUntil(
      { look: () => pending.promise, tell: (seen) => void told.push(seen), isSettled: () => true, everyMs: 1 },
      around,
    );
    interrupt();
    expect(await looking).toEqual({ seen: undefined, isInterrupted: true });
    pending.resolve(1);
    await pending.promise;
    expect(told).toEqual([]);
  });

  test("does not wait for the end of a pause when somebody interrupts", async () => {
    const { around, interrupt } = person();
    const looking = lookUntil(
      { look: () => Promise.resolve(1), tell: () => setImmediate(interrupt), isSettled: () => false, everyMs: 2 ** 30 },
      around,
    );
    expect(await looking).toEqual({ seen: 1, isInterrupted: true });
  });

  test("ends with what a look failed of, and listens no more", async () => {
    const { around, listeners } = person();
    const failing = lookUntil(
      { look: () => Promise.reject(new Error("no")), tell: () => {}, isSettled: () => true, everyMs: 1 },
      around,
    );
    await expect(failing).rejects.toThrow("no");
    expect(listeners.size).toBe(0);
  });
});
