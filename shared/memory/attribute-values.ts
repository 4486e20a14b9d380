import type { AttributeValue, Item } from "../ports/table.ts";
import { compareUtf8 } from "../geo/utf8-order.ts";

/** DynamoDB's types, as far as the product uses them. */
export type AttributeType = "S" | "N" | "BOOL" | "L" | "M";

export const typeOf = (value: AttributeValue): AttributeType => {
  if (typeof value === "string") return "S";
  if (typeof value === "number") return "N";
  if (typeof value === "boolean") return "BOOL";
  return Array.isArray(value) ? "L" : "M";
};

const isList = (value: AttributeValue): value is readonly AttributeValue[] => Array.isArray(value);

/** Same type and same content, in depth. */
export const sameValue = (left: AttributeValue, right: AttributeValue): boolean => {
  if (left === right) return true;
  if (typeof left !== "object" || typeof right !== "object") return false;
  if (isList(left) || isList(right)) {
    if (!isList(left) || !isList(right) || left.length !== right.length) return false;
    return left.every((element, index) => sameValue(element, right[index] as AttributeValue));
  }
  return sameItem(left, right);
};

/** Whether two items (or maps) hold the same attributes. */
export const sameItem = (left: Item, right: Item): boolean => {
  if (left === right) return true;
  const names = Object.keys(left);
  if (names.length !== Object.keys(right).length) return false;
  return names.every((name) => {
    const other = Object.hasOwn(right, name) ? right[name] : undefined;
    return other !== undefined && sameValue(left[name] as AttributeValue, other);
  });
};

/** Orders two numbers or two strings (by UTF-8 bytes); undefined when they have no order. */
export const order = (left: AttributeValue, right: AttributeValue): number | undefined => {
  if (typeof left === "number" && typeof right === "number") return left - right;
  if (typeof left === "string" && typeof right === "string") return compareUtf8(left, right);
  return undefined;
};

/** What `size()` says in a condition: bytes of a string, elements of a list or map; a number has no size. */
export const sizeOf = (value: AttributeValue): number | undefined => {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value !== "object") return undefined;
  return isList(value) ? value.length : Object.keys(value).length;
};

const NUMBER_BYTES_MAX = 21;
const CONTAINER_BYTES = 3;

/** Bytes of a number: one for every two significant digits and one more (DynamoDB developer guide, item sizes). */
const numberBytes = (value: number): number => {
  const digits = Math.abs(value).toExponential().replace(/e.*$/, "").replace(".", "").length;
  return Math.min(NUMBER_BYTES_MAX, Math.ceil(digits / 2) + 1 + (value < 0 ? 1 : 0));
};

const valueBytes = (value: AttributeValue): number => {
  if (typeof value === "string") return Buffer.byteLength(value);
  if (typeof value === "number") return numberBytes(value);
  if (typeof value === "boolean") return 1;
  if (isList(value)) return value.reduce<number>((sum, element) => sum + 1 + valueBytes(element), CONTAINER_BYTES);
  return Object.values(value).reduce<number>((sum) => sum + 1, CONTAINER_BYTES) + itemBytes(value);
};

/** At least as many bytes as `itemBytes` counts, found without encoding anything: enough to pass a small item. */
const itemBytesBound = (item: Item): number => {
  let sum = 0;
  for (const name of Object.keys(item)) {
    const value = item[name] as AttributeValue;
    // Three bytes is the most that one UTF-16 unit takes.
    sum += name.length * 3 + (typeof value === "string" ? value.length * 3 : NUMBER_BYTES_MAX);
    if (typeof value === "object") sum += valueBytes(value);
  }
  return sum;
};

/** Whether an item has at most `bytesMax` bytes, as `itemBytes` counts them. */
export const fitsInto = (item: Item, bytesMax: number): boolean =>
  itemBytesBound(item) <= bytesMax || itemBytes(item) <= bytesMax;

/** Bytes that DynamoDB counts for an item: names and values in UTF-8. */
export const itemBytes = (item: Item): number => {
  let sum = 0;
  for (const [name, value] of Object.entries(item)) sum += Buffer.byteLength(name) + valueBytes(value);
  return sum;
};

/** The first thing in `value` that the document client would refuse to send, in words; undefined when it is fine. */
export const unstorable = (value: unknown): string | undefined => {
  if (typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") {
    if (!Number.isFinite(value)) return String(value);
    return Math.abs(value) > Number.MAX_SAFE_INTEGER ? `${value}, beyond what a number holds exactly` : undefined;
  }
  if (value === null) return "null";
  if (typeof value !== "object") return typeof value;
  for (const part of Object.values(value)) {
    const found = unstorable(part);
    if (found !== undefined) return found;
  }
  return undefined;
};
