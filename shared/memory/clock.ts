import type { Clock } from "../ports/clock.ts";

/** A clock that only moves when it is told to. */
export class ManualClock implements Clock {
  #now: number;

  /** @param startMs Where it starts, milliseconds since the epoch. Default 2026-01-01T00:00:00Z. */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /** Moves by `milliseconds`; a negative number sets it back, as a bad clock would (R30). */
  advance(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Jumps to `nowMs`, milliseconds since the epoch. */
  set(nowMs: number): void {
    this.#now = nowMs;
  }
}
