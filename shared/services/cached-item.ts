import { STANDING_KEPT_MS } from "../geo/limits.ts";
import type { Clock } from "../ports/clock.ts";
import type { Item, ItemKey, Table } from "../ports/table.ts";

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

  /** @throws TableUnavailableError when what is known is too old and the table does not answer */
  async read(): Promise<T> {
    const now = this.#clock.now();
    // A clock that was set back makes the known look new: then it is read again, too (R30).
    if (this.#known !== undefined && now >= this.#known.readAt && now - this.#known.readAt < STANDING_KEPT_MS) {
      return this.#known.value;
    }
    const value = this.#parse(await this.#table.get(this.#key));
    // As old as the question, not as the answer.
    this.#known = { value, readAt: now };
    return value;
  }
}
