import type { Clock } from "../ports/clock.ts";

/**
 * How long the present invocation may still take. A function's environment serves one invocation at a time, so one value
 * per environment is enough; the clients that live as long as the environment ask it at the start of each request.
 */
export class Deadline {
  readonly #clock: Clock;
  #at = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param at milliseconds since the epoch */
  set(at: number): void {
    this.#at = at;
  }

  /** Milliseconds that are left; at least one, so that a late request fails by its time and not by its arguments. */
  leftMs(): number {
    return Math.max(1, this.#at - this.#clock.now());
  }
}
