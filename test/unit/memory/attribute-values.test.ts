import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fitsInto, itemBytes } from "../../../shared/memory/attribute-values.ts";
import type { AttributeValue, Item } from "../../../shared/ports/table.ts";

const { value } = fc.letrec<{ value: AttributeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: "binary" }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.string({ unit: "binary" }), tie("value"), { maxKeys: 3 }),
  ),
}));
const item: fc.Arbitrary<Item> = fc.dictionary(fc.string({ unit: "binary" }), value, { maxKeys: 6 });

describe("the size of an item", () => {
  it("counts names and values in bytes of UTF-8", () => {
    expect(itemBytes({ é: "\u{1F600}" })).toBe(2 + 4);
    expect(itemBytes({ a: true, b: 1_234, c: -5 })).toBe(1 + 1 + (1 + 3) + (1 + 3));
    expect(itemBytes({ a: ["x", "yz"] })).toBe(1 + 3 + (1 + 1) + (1 + 2));
    expect(itemBytes({ m: { k: "v" } })).toBe(1 + 3 + 1 + 1 + 1);
  });

  it("fits exactly when it is not more than allowed", () => {
    fc.assert(
      fc.property(item, fc.integer({ min: -2, max: 2 }), (any, offset) => {
        expect(fitsInto(any, itemBytes(any) + offset)).toBe(offset >= 0);
      }),
    );
  });
});
