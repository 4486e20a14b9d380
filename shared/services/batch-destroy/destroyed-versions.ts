import { STANDING_KEPT_MS } from "../../geo/limits.ts";
import { versionDigest } from "../../geo/destroy-manifest.ts";
import { compareUtf8 } from "../../geo/utf8-order.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DestroyedReader } from "../../ports/destroy.ts";
import type { Table } from "../../ports/table.ts";
import { everyItem } from "../../tables/every-item.ts";
import {
  listReleases,
  type NamedVersions,
  parseVersions,
  releasedIds,
  sliceOfKey,
} from "../../tables/site/destroy-release.ts";

/** Slices that are remembered: of a thousand versions each, 100 KB in memory. Keys of one message are of few slices. */
const SLICES_KEPT = 16;

interface KeptSlice extends NamedVersions {
  readonly destroyId: string;
}

/**
 * What a secondary's removal guard knows of the primary's destroys (R29). Which of them are confirmed is remembered for ten
 * seconds for those that they name; which versions they name never changes. A removal that none of them names costs one small
 * read, so that no destroy is overlooked.
 */
export class DestroyedVersions implements DestroyedReader {
  readonly #table: Pick<Table, "query">;
  readonly #clock: Clock;
  #released: { readonly ids: readonly string[]; readonly readAt: number } | undefined;
  #slices: readonly KeptSlice[] = [];
  #lastLookUp: Promise<unknown> = Promise.resolve();

  /** @param primarySiteTable the primary's own table */
  constructor(primarySiteTable: Pick<Table, "query">, clock: Clock) {
    this.#table = primarySiteTable;
    this.#clock = clock;
  }

  async names({ key }: { readonly key: string }, versionId: string): Promise<boolean> {
    const known = this.#released;
    const ids = await this.#ids();
    if (await this.#isNamedBy(ids, key, versionId)) return true;
    // What was known may be from before the destroy: its first removals are not to wait for the guard's retry.
    if (this.#released !== known) return false;
    this.#released = undefined;
    return this.#isNamedBy(
      (await this.#ids()).filter((id) => !ids.includes(id)),
      key,
      versionId,
    );
  }

  async #isNamedBy(ids: readonly string[], key: string, versionId: string): Promise<boolean> {
    for (const destroyId of ids) {
      const slice = await this.#sliceOf(destroyId, key);
      if (slice?.digests.has(versionDigest(key, versionId)) === true) return true;
    }
    return false;
  }

  async #ids(): Promise<readonly string[]> {
    const now = this.#clock.now();
    const age = now - (this.#released?.readAt ?? Number.NEGATIVE_INFINITY);
    if (this.#released !== undefined && age >= 0 && age < STANDING_KEPT_MS) return this.#released.ids;
    this.#released = { ids: releasedIds(await everyItem(this.#table, listReleases), now), readAt: now };
    return this.#released.ids;
  }

  /** One look-up after the other: keys of a message come together and are of few slices, which the first one fetches. */
  #sliceOf(destroyId: string, key: string): Promise<NamedVersions | undefined> {
    const lookUp = this.#lastLookUp.then(() => this.#lookUp(destroyId, key));
    this.#lastLookUp = lookUp.catch(() => undefined);
    return lookUp;
  }

  async #lookUp(destroyId: string, key: string): Promise<NamedVersions | undefined> {
    const known = this.#slices.find((slice) => slice.destroyId === destroyId && covers(slice, key));
    if (known !== undefined) return known;
    const { items } = await this.#table.query(sliceOfKey(destroyId, key));
    const slice = parseVersions(items[0]);
    if (slice === undefined || !covers(slice, key)) return undefined;
    this.#slices = [{ ...slice, destroyId }, ...this.#slices].slice(0, SLICES_KEPT);
    return slice;
  }
}

const covers = ({ firstKey, lastKey }: NamedVersions, key: string): boolean =>
  compareUtf8(firstKey, key) <= 0 && compareUtf8(key, lastKey) <= 0;
