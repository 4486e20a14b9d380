import type { ListedKey } from "../../geo/consistency.ts";
import { compareUtf8 } from "../../geo/utf8-order.ts";
import type { ListedObject, ReadableBucket } from "../../ports/object-store.ts";

/** Part of a key space: after `after`, up to and including `until`; undefined is the end on that side. */
export interface KeyRange {
  /** Text that every key begins with. */
  readonly prefix: string;
  readonly after: string | undefined;
  readonly until: string | undefined;
}

/** What both listings show of a stretch of keys, in their order, and up to where that is complete. */
export interface Stretch {
  readonly keys: readonly ListedKey[];
  /** Everything up to this key has been seen; undefined at the end of the range. */
  readonly seenUntil: string | undefined;
}

/** One side's listing: a page at a time, and never more than that in memory. */
class Listing {
  readonly #bucket: Pick<ReadableBucket, "list">;
  readonly #range: KeyRange;
  #page: readonly ListedObject[] = [];
  #after: string | undefined;
  #ended = false;

  constructor(bucket: Pick<ReadableBucket, "list">, range: KeyRange) {
    this.#bucket = bucket;
    this.#range = range;
    this.#after = range.after;
  }

  /** Lists on when nothing is left of the last page. */
  async fill(): Promise<void> {
    while (this.#page.length === 0 && !this.#ended) {
      const page = await this.#bucket.list({
        prefix: this.#range.prefix,
        ...(this.#after === undefined ? {} : { after: this.#after }),
      });
      const { until } = this.#range;
      this.#page = until === undefined ? page.objects : page.objects.filter(({ key }) => compareUtf8(key, until) <= 0);
      this.#after = page.next;
      this.#ended = page.next === undefined || this.#page.length < page.objects.length;
    }
  }

  /** Up to where it is known what this side has: the last key of its page, or undefined when it has no more. */
  get knownUntil(): string | undefined {
    return this.#ended ? undefined : this.#page.at(-1)?.key;
  }

  /** Takes what it has up to a key, or all of it. */
  takeUntil(key: string | undefined): readonly ListedObject[] {
    const end = key === undefined ? -1 : this.#page.findIndex((listed) => compareUtf8(listed.key, key) > 0);
    const taken = end < 0 ? this.#page : this.#page.slice(0, end);
    this.#page = end < 0 ? [] : this.#page.slice(end);
    return taken;
  }
}

/** The lesser of two ends, where undefined is no end. */
const nearer = (a: string | undefined, b: string | undefined): string | undefined => {
  if (a === undefined) return b;
  return b === undefined || compareUtf8(a, b) <= 0 ? a : b;
};

const merge = (sources: readonly ListedObject[], replicas: readonly ListedObject[]): readonly ListedKey[] => {
  const keys: ListedKey[] = [];
  let [s, r] = [0, 0];
  for (;;) {
    const [source, replica] = [sources[s], replicas[r]];
    if (source === undefined && replica === undefined) return keys;
    const order = source === undefined ? 1 : replica === undefined ? -1 : compareUtf8(source.key, replica.key);
    keys.push({
      key: (order <= 0 ? source : replica)?.key ?? "",
      source: order <= 0 ? source : undefined,
      replica: order >= 0 ? replica : undefined,
    });
    if (order <= 0) s += 1;
    if (order >= 0) r += 1;
  }
};

/**
 * Lists a range of both buckets side by side, a stretch at a time, each side once: one page of either is in memory,
 * whatever the number of keys. What changes while it is listed may be shown or not.
 *
 * @throws StoreUnavailableError when a bucket does not answer; what came before is valid
 */
export const listBothSides = async function* (
  source: Pick<ReadableBucket, "list">,
  replica: Pick<ReadableBucket, "list">,
  range: KeyRange,
): AsyncGenerator<Stretch> {
  const sides = [new Listing(source, range), new Listing(replica, range)] as const;
  for (;;) {
    await Promise.all(sides.map((side) => side.fill()));
    const seenUntil = nearer(sides[0].knownUntil, sides[1].knownUntil);
    yield { keys: merge(sides[0].takeUntil(seenUntil), sides[1].takeUntil(seenUntil)), seenUntil };
    if (seenUntil === undefined) return;
  }
};
