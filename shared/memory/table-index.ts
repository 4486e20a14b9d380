import type { AttributeValue, Item, ItemKey } from "../ports/table.ts";
import { order } from "./attribute-values.ts";
import { compareUtf8 } from "../geo/utf8-order.ts";

/** An item as a table stores it: with its key. */
export type KeyedItem = Item & ItemKey;

/** Items by partition, each partition in the order of its sort key. Serves the table itself and each of its indexes. */
export class SortedItems {
  readonly #pk: string;
  readonly #sk: string;
  readonly #partitions = new Map<AttributeValue, Map<string, KeyedItem>>();
  readonly #sorted = new Map<AttributeValue, readonly KeyedItem[]>();

  /** @param pk Name of the partition attribute. @param sk Name of the sort attribute. */
  constructor(pk: string, sk: string) {
    this.#pk = pk;
    this.#sk = sk;
  }

  /**
   * Takes the place of `before` (undefined: nothing stood there) by `after` (undefined: nothing stands there now).
   * @param id the `identityOf` both
   */
  replace(id: string, before: KeyedItem | undefined, after: KeyedItem | undefined): void {
    const left = before?.[this.#pk];
    const entered = after?.[this.#pk];
    if (left !== undefined && left !== entered) this.#remove(left, id);
    if (after === undefined || entered === undefined) return;
    if (after[this.#sk] === undefined) this.#remove(entered, id);
    else this.#set(entered, id, after);
  }

  /** The partition's items in order. */
  partition(value: AttributeValue): readonly KeyedItem[] {
    const known = this.#sorted.get(value);
    if (known !== undefined) return known;
    const sorted = [...(this.#partitions.get(value)?.values() ?? [])].sort((a, b) => this.compare(a, b));
    this.#sorted.set(value, sorted);
    return sorted;
  }

  /** By sort key, and by the table's own key among equals, so that a page can always say where it ended. */
  compare(left: KeyedItem, right: KeyedItem): number {
    return (
      (order(left[this.#sk] as AttributeValue, right[this.#sk] as AttributeValue) ?? 0) ||
      compareUtf8(left.pk, right.pk) ||
      compareUtf8(left.sk, right.sk)
    );
  }

  #set(partition: AttributeValue, id: string, item: KeyedItem): void {
    const items = this.#partitions.get(partition);
    if (items === undefined) this.#partitions.set(partition, new Map([[id, item]]));
    else items.set(id, item);
    this.#sorted.delete(partition);
  }

  #remove(partition: AttributeValue, id: string): void {
    const items = this.#partitions.get(partition);
    items?.delete(id);
    if (items?.size === 0) this.#partitions.delete(partition);
    this.#sorted.delete(partition);
  }
}

/** One string for an item's key; the length keeps `("a", "b:c")` and `("a:b", "c")` apart. */
export const identityOf = ({ pk, sk }: ItemKey): string => `${pk.length}:${pk}${sk}`;
