import type { Attempt, SyncResult } from "../../shared/services/blob-sync/attempt.ts";
import { firstStep, step, type SyncRequest } from "../../shared/services/blob-sync/blob-sync.ts";
import type { TwoSites } from "./two-sites.ts";

/**
 * A worker that is moved step by step, so that a test can put anything between two of them: another worker, a change on
 * the primary, a lease that ends, or nothing ever again (a crash is a worker that is not moved any more).
 */
export class Worker {
  readonly #world: TwoSites;
  #attempt: Attempt;

  constructor(world: TwoSites, key: string, cause: SyncRequest["cause"] = "hint") {
    this.#world = world;
    const stopAt = world.clock.now() + world.secondary.functionTimeoutMs - 5_000;
    this.#attempt = firstStep({ ref: world.refOf(key), cause, stopAt, epoch: 0 }, world.chance.token());
  }

  /** Where it stands: the step that it would take next. */
  get at(): Attempt["at"] {
    return this.#attempt.at;
  }

  /** What it knows. */
  get attempt(): Attempt {
    return this.#attempt;
  }

  async step(): Promise<void> {
    if (this.#attempt.at === "ended") throw new Error("the worker has ended");
    this.#attempt = await step(this.#world.secondary, this.#attempt);
  }

  /** Moves it until its next step would be one of `places`, and says which. */
  async untilOneOf<Place extends Attempt["at"]>(...places: readonly Place[]): Promise<Place> {
    for (let steps = 0; ; steps += 1) {
      const place = places.find((wanted) => wanted === this.#attempt.at);
      if (place !== undefined) return place;
      if (this.#attempt.at === "ended" || steps > 50) {
        throw new Error(`the worker never came to ${places.join(" or ")}; it is at ${JSON.stringify(this.#attempt)}`);
      }
      await this.step();
    }
  }

  /** Moves it until its next step would be `place`. */
  async until(place: Attempt["at"]): Promise<this> {
    await this.untilOneOf(place);
    return this;
  }

  /** Moves it to its end. */
  async finish(): Promise<SyncResult> {
    await this.until("ended");
    if (this.#attempt.at !== "ended") throw new Error("unreachable");
    return this.#attempt.result;
  }
}
