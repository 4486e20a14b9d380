import * as z from "zod/mini";

/** An item as DynamoDB's JSON carries it: each value under the letter of its type. */
export const WireItem = z.record(z.string(), z.record(z.string(), z.unknown()));
export type WireItem = z.infer<typeof WireItem>;

type WireValue = WireItem[string];

const utf8 = (text: unknown): number => Buffer.byteLength(String(text), "utf8");

/** A byte for two digits that count, one for the number and one for a minus. */
const numberSize = (text: string): number => {
  const digits = text
    .replace(/[eE].*$/, "")
    .replace(/[-.]/g, "")
    .replace(/^0+|0+$/g, "");
  return Math.max(1, Math.ceil(digits.length / 2)) + 1 + (text.startsWith("-") ? 1 : 0);
};

const valueSize = (value: WireValue): number => {
  const [type, content] = Object.entries(value)[0] ?? ["NULL", true];
  switch (type) {
    case "S":
      return utf8(content);
    case "N":
      return numberSize(String(content));
    case "B":
      return Buffer.byteLength(String(content), "base64");
    case "BOOL":
    case "NULL":
      return 1;
    case "SS":
      return (content as readonly string[]).reduce((sum, one) => sum + utf8(one), 3);
    case "NS":
      return (content as readonly string[]).reduce((sum, one) => sum + numberSize(one), 3);
    case "L":
      return (content as readonly WireValue[]).reduce((sum, one) => sum + 1 + valueSize(one), 3);
    case "M":
      return 3 + itemSize(content as WireItem) + Object.keys(content as WireItem).length;
    default:
      throw new Error(`an attribute has the unknown type ${type}`);
  }
};

/** An item's size in bytes as DynamoDB reckons it (developer guide, "Item sizes and formats"): names and values. */
export const itemSize = (item: WireItem): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + utf8(name) + valueSize(value), 0);
