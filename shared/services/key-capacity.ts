import pLimit, { type LimitFunction } from "p-limit";
import { type CapacityName, shareOf } from "../geo/capacities.ts";
import { KEYS_IN_FLIGHT, MESSAGES_IN_FLIGHT } from "../geo/limits.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { LateReader } from "../ports/site.ts";

/** What one function has sockets for: it works on so many keys at once when its site's capacity does not say less. */
const KEYS_PER_FUNCTION = KEYS_IN_FLIGHT * MESSAGES_IN_FLIGHT;

/**
 * How many keys one running function has under way, for all messages of its batch together (F34): its share of the site's
 * capacity, which is looked up before each key, so that a change takes effect within seconds and without a deployment.
 * What is under way when a capacity goes down is brought to its end.
 */
export class KeyCapacity {
  readonly #settings: LateReader<SiteSettings>;
  readonly #name: CapacityName;
  readonly #functions: number;
  readonly #limit: LimitFunction = pLimit(KEYS_PER_FUNCTION);
  #reading: Promise<SiteSettings> | undefined;

  /** @param functions how many functions may run at once, over all their queues: 1 or more */
  constructor(settings: LateReader<SiteSettings>, name: CapacityName, functions: number) {
    this.#settings = settings;
    this.#name = name;
    this.#functions = functions;
  }

  /**
   * Does a key's work when its turn has come.
   * @throws TableUnavailableError when what is known of the settings is too old and they can not be read; else what the work throws
   */
  async run<T>(work: () => Promise<T>): Promise<T> {
    // Keys begin in crowds: one of them asks for all.
    this.#reading ??= this.#settings.read().finally(() => {
      this.#reading = undefined;
    });
    const { capacities } = await this.#reading;
    this.#limit.concurrency = shareOf(capacities[this.#name], this.#functions, KEYS_PER_FUNCTION);
    return this.#limit(work);
  }
}
