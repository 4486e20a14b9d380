import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import { compareUtf8 } from "../../shared/geo/utf8-order.ts";
import type { ListedObject, ListPage, ReadableBucket } from "../../shared/ports/object-store.ts";
import type { Item, ManyReader } from "../../shared/ports/table.ts";

/** Most keys on a page of S3's listing. */
const PAGE_MAX = 1_000;

const SIZE = 10_240;
const LAST_MODIFIED = 1_700_000_000_000;

/** The numbers from 1 in the order of their digits, which is the order in which a bucket lists them: 1, 10, 100, 11, 2. */
const inOrderOfDigits = (count: number): Int32Array => {
  const ids = new Int32Array(count);
  let at = 0;
  const visit = (id: number): void => {
    if (id > count) return;
    ids[at] = id;
    at += 1;
    for (let digit = 0; digit < 10; digit += 1) visit(id * 10 + digit);
  };
  for (let first = 1; first < 10; first += 1) visit(first);
  return ids;
};

/** Small objects `cool_widgets/1/widget.bin` and on, of which none is ever in memory: four bytes of each are. */
export class GeneratedObjects {
  readonly #ids: Int32Array;

  /** @param count how many there are */
  constructor(count: number) {
    this.#ids = inOrderOfDigits(count);
  }

  /** Lists all of them, as S3 would. */
  readonly bucket: Pick<ReadableBucket, "list"> = {
    list: async ({ prefix = "", after, limit = PAGE_MAX }): Promise<ListPage> => {
      const objects: ListedObject[] = [];
      // Keys with a prefix stand together, from the prefix itself on.
      const first = after !== undefined && compareUtf8(after, prefix) >= 0 ? this.#behind(after) : this.#from(prefix);
      const most = Math.min(limit, PAGE_MAX);
      for (let at = first; at < this.#ids.length; at += 1) {
        const key = this.#keyAt(at);
        if (!key.startsWith(prefix)) break;
        const last = objects.at(-1);
        if (objects.length === most && last !== undefined) return { objects, next: last.key };
        objects.push({ key, etag: `"${this.#ids[at]}"`, size: SIZE, lastModified: LAST_MODIFIED });
      }
      return { objects };
    },
  };

  /**
   * The rows of a site that has replicated them, read back and settled.
   *
   * @param knows whether the site has a row of an object. Default: of all of them
   */
  registry(knows: (id: number) => boolean = () => true): ManyReader {
    return {
      getMany: async (keys) =>
        keys.flatMap(({ pk, sk }): readonly Item[] => {
          const id = Number(sk.split("/")[1]);
          if (!knows(id)) return [];
          return [
            {
              pk,
              sk,
              state: REPLICATION_STATE.synced,
              verification_state: VERIFICATION_STATE.succeeded,
              src_etag: `"${id}"`,
              src_size: SIZE,
              src_last_modified: LAST_MODIFIED,
            },
          ];
        }),
    };
  }

  #keyAt(at: number): string {
    return `cool_widgets/${this.#ids[at]}/widget.bin`;
  }

  #behind(key: string): number {
    return this.#first((other) => compareUtf8(other, key) > 0);
  }

  #from(key: string): number {
    return this.#first((other) => compareUtf8(other, key) >= 0);
  }

  /** The place of the first key for which something holds that holds for every key behind it. */
  #first(holds: (key: string) => boolean): number {
    let [low, high] = [0, this.#ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (holds(this.#keyAt(middle))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** A bucket with nothing in it. */
export const EMPTY_BUCKET: Pick<ReadableBucket, "list"> = { list: async () => ({ objects: [] }) };
