import { GeoError, messageOf, TableUnavailableError } from "../geo/errors.ts";
import { STANDING_KEPT_MS } from "../geo/limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Item, ItemKey, Table } from "../ports/table.ts";

/** Answers that are too old when they come are asked for again this often. */
const TRIES_MAX = 3;

/**
 * One item that says how things are, read at most every `STANDING_KEPT_MS`: a read per object would cost as much as
 * verifying it. Strongly consistent when it is read.
 */
export class CachedItem<T> {
  readonly #table: Pick<Table, "get">;
  readonly #key: ItemKey;
  readonly #parse: (item: Item | undefined) => T;
  readonly #clock: Clock;
  #known: { readonly value: T; readonly readAt: number } | undefined;

  constructor(table: Pick<Table, "get">, key: ItemKey, parse: (item: Item | undefined) => T, clock: Clock) {
    this.#table = table;
    this.#key = key;
    this.#parse = parse;
    this.#clock = clock;
  }

  /**
   * @throws TableUnavailableError when what is known is too old and the table does not answer, or only too late; GeoError
   *   GEO_TABLE_UNAVAILABLE when what it answers can not be read
   */
  async read(): Promise<T> {
    for (let tries = 0; tries < TRIES_MAX; tries += 1) {
      if (this.#known !== undefined && this.#isFresh(this.#known.readAt)) return this.#known.value;
      const askedAt = this.#clock.now();
      const value = this.#read(await this.#table.get(this.#key));
      // As old as the question, not as the answer: a process may freeze while it waits for one (R10), and what it wakes up
      // with is then no better than what it knew before.
      this.#known = { value, readAt: askedAt };
      if (this.#isFresh(askedAt)) return value;
    }
    throw new TableUnavailableError(`the item ${this.#key.sk} was ${TRIES_MAX} times too old when it was answered`);
  }

  /**
   * An item that can not be read is as good as no answer: it says nothing of any object. Thrown as it is, it would look to
   * whoever works through a message like a row that can not be read, and the keys of that message would be left alone for good.
   */
  #read(item: Item | undefined): T {
    try {
      return this.#parse(item);
    } catch (error) {
      const text = `the item ${this.#key.sk} says nothing that can be used: ${messageOf(error)}`;
      throw new GeoError("GEO_TABLE_UNAVAILABLE", text, { cause: error });
    }
  }

  /** A clock that was set back makes the known look new: it is no fresher for that (R30). */
  #isFresh(readAt: number): boolean {
    const age = this.#clock.now() - readAt;
    return age >= 0 && age < STANDING_KEPT_MS;
  }
}
