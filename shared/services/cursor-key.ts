import { GeoError } from "../geo/errors.ts";
import { CURSOR_KEY_BYTES } from "../geo/signed-cursor.ts";
import type { Table } from "../ports/table.ts";
import { cursorKeyKey, offerCursorKey, parseCursorKey } from "../tables/site/cursor-key-item.ts";

/** What the secret is made and kept with. */
export interface CursorKeyStore {
  readonly siteTable: Pick<Table, "get" | "update">;
  /** Of a cryptographic source. */
  randomBytes(size: number): Uint8Array;
}

/**
 * The secret that a site signs cursors with: 32 random bytes, made by whoever needs it first and the same for all from then
 * on. Read once in the life of a process: it never changes. Whoever has it can make up places in a list, and nothing else.
 */
export class CursorKey {
  readonly #store: CursorKeyStore;
  #known: Uint8Array | undefined;

  constructor(store: CursorKeyStore) {
    this.#store = store;
  }

  /** @throws TableUnavailableError */
  async read(): Promise<Uint8Array> {
    this.#known ??= parseCursorKey(await this.#store.siteTable.get(cursorKeyKey)) ?? (await this.#make());
    return this.#known;
  }

  async #make(): Promise<Uint8Array> {
    const { item } = await this.#store.siteTable.update(offerCursorKey(this.#store.randomBytes(CURSOR_KEY_BYTES)));
    const secret = parseCursorKey(item);
    if (secret === undefined) throw new GeoError("GEO_UNREADABLE_ROW", "the item of the cursors' key holds no key");
    return secret;
  }
}
