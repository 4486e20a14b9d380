import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TableRequestError } from "../../../shared/geo/errors.ts";
import { compile, compileKeyCondition, type Values } from "../../../shared/memory/expression.ts";
import type { AttributeValue, Item } from "../../../shared/ports/table.ts";

const holds = (condition: string, item: Item, values: Values = {}, names?: Readonly<Record<string, string>>): boolean =>
  compile({ condition, ...(names === undefined ? {} : { names }) }, values).holds(item, values);

const updated = (update: string, item: Item, values: Values = {}, names?: Readonly<Record<string, string>>): Item =>
  compile({ update, ...(names === undefined ? {} : { names }) }, values).apply(item, values);

describe("a condition", () => {
  it.each<[string, Item, Values, boolean]>([
    ["gen = :a", { gen: 1 }, { ":a": 1 }, true],
    ["gen = :a", { gen: "1" }, { ":a": 1 }, false],
    ["gen = :a", {}, { ":a": 1 }, false],
    ["gen <> :a", {}, { ":a": 1 }, true],
    ["gen < :a", {}, { ":a": 1 }, false],
    ["gen >= :a", { gen: 1 }, { ":a": 1 }, true],
    ["gen < :a", { gen: "0" }, { ":a": 1 }, false],
    ["NOT gen < :a", {}, { ":a": 1 }, true],
    ["gen BETWEEN :a AND :b", { gen: 2 }, { ":a": 1, ":b": 2 }, true],
    ["gen BETWEEN :a AND :b", { gen: 3 }, { ":a": 1, ":b": 2 }, false],
    ["gen IN (:a, :b)", { gen: 2 }, { ":a": 1, ":b": 2 }, true],
    ["gen IN (:a)", {}, { ":a": 1 }, false],
    ["attribute_exists(a.b[1])", { a: { b: [1, 2] } }, {}, true],
    ["attribute_exists(a.b[2])", { a: { b: [1, 2] } }, {}, false],
    ["attribute_not_exists(a.b)", { a: "text" }, {}, true],
    ["attribute_exists(a.codePointAt)", { a: "text" }, {}, false],
    ["attribute_exists(toString)", {}, {}, false],
    ["begins_with(a, :a)", { a: "abc" }, { ":a": "ab" }, true],
    ["contains(a, :a)", { a: "abc" }, { ":a": "bc" }, true],
    ["contains(a, :a)", { a: [1, 2] }, { ":a": 2 }, true],
    ["size(a) = :a", { a: "é" }, { ":a": 2 }, true],
    ["size(a) = :a", { a: 5 }, { ":a": 1 }, false],
    ["a = :a", { a: { x: [1, { y: true }] } }, { ":a": { x: [1, { y: true }] } }, true],
    ["a > b", { a: 2, b: 1 }, {}, true],
    ["gen = :a AND gen = :b OR gen = :b", { gen: 2 }, { ":a": 1, ":b": 2 }, true],
    ["gen = :a AND (gen = :b OR gen = :b)", { gen: 2 }, { ":a": 1, ":b": 2 }, false],
    ["NOT gen = :a AND gen = :b", { gen: 2 }, { ":a": 1, ":b": 2 }, true],
  ])("%s of %j with %j is %s", (condition, item, values, expected) => {
    expect(holds(condition, item, values)).toBe(expected);
  });

  it("compares strings by their UTF-8 bytes, not by their UTF-16 units", () => {
    // U+1F600 is D83D DE00 in UTF-16, below U+FF5E, and F0 … in UTF-8, above it.
    expect(holds("a > :a", { a: "\u{1F600}" }, { ":a": "\u{FF5E}" })).toBe(true);
  });

  it("reads a name behind a placeholder, reserved or not", () => {
    expect(holds("#state = :a", { state: 2 }, { ":a": 2 }, { "#state": "state" })).toBe(true);
  });

  it("agrees with plain evaluation, however it is nested", () => {
    interface Tree {
      readonly text: string;
      readonly value: boolean;
      readonly composite: boolean;
    }
    const nested = ({ text, composite }: Tree): string => (composite ? `(${text})` : text);
    const leaf = fc
      .integer({ min: 0, max: 3 })
      .map((n): Tree => ({ text: `n = :v${n}`, value: n === 1, composite: false }));
    const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
      tree: fc.oneof(
        { depthSize: "medium", withCrossShrink: true },
        leaf,
        tie("tree").map((a): Tree => ({ text: `NOT ${nested(a)}`, value: !a.value, composite: true })),
        fc.tuple(tie("tree"), tie("tree"), fc.boolean()).map(([a, b, and]): Tree => ({
          text: `${nested(a)} ${and ? "AND" : "or"} ${nested(b)}`,
          value: and ? a.value && b.value : a.value || b.value,
          composite: true,
        })),
      ),
    }));
    fc.assert(
      fc.property(tree, ({ text, value }) => {
        const used = [0, 1, 2, 3].filter((n) => text.includes(`:v${n}`));
        expect(holds(text, { n: 1 }, Object.fromEntries(used.map((n) => [`:v${n}`, n])))).toBe(value);
      }),
    );
  });

  it("binds NOT before AND before OR, for every truth table of three terms", () => {
    const bit = fc.boolean();
    fc.assert(
      fc.property(bit, bit, bit, (a, b, c) => {
        const item = { a, b, c };
        const values = { ":t": true };
        expect(holds("a = :t OR b = :t AND NOT c = :t", item, values)).toBe(a || (b && !c));
        expect(holds("(a = :t OR b = :t) AND NOT c = :t", item, values)).toBe((a || b) && !c);
        expect(holds("NOT (a = :t AND b = :t) OR c = :t", item, values)).toBe(!(a && b) || c);
      }),
    );
  });
});

describe("an update", () => {
  it("evaluates every right-hand side against the item as it was", () => {
    expect(updated("SET a = b, b = a", { a: 1, b: 2 })).toEqual({ a: 2, b: 1 });
  });

  it("counts up from nothing with if_not_exists", () => {
    const bump = "SET gen = if_not_exists(gen, :zero) + :one";
    const values = { ":zero": 0, ":one": 1 };
    expect(updated(bump, {}, values)).toEqual({ gen: 1 });
    expect(updated(bump, { gen: 4 }, values)).toEqual({ gen: 5 });
  });

  it("sets, removes and adds in one go, whatever the order of the clauses", () => {
    const item = { a: 1, b: 2 };
    expect(updated("REMOVE a ADD n :one SET c = :c", item, { ":one": 1, ":c": "x" })).toEqual({ b: 2, n: 1, c: "x" });
    expect(item).toEqual({ a: 1, b: 2 });
  });

  it("writes into a map without touching the old item", () => {
    const item = { mpu: { upload_id: "u", parts: [1, 2, 3] } };
    const after = updated("SET mpu.parts[1] = :p, mpu.done = :s REMOVE mpu.upload_id", item, { ":p": 9, ":s": 5 }, {});
    expect(after).toEqual({ mpu: { parts: [1, 9, 3], done: 5 } });
    expect(item).toEqual({ mpu: { upload_id: "u", parts: [1, 2, 3] } });
  });

  it("removing what is not there changes nothing", () => {
    expect(updated("REMOVE a", { b: 1 })).toEqual({ b: 1 });
  });

  it("adds up like arithmetic, from any numbers", () => {
    const number = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(number, number, (a, b) => {
        expect(updated("SET x = x + :b, y = x - :b ADD z :b", { x: a }, { ":b": b })).toEqual({
          x: a + b,
          y: a - b,
          z: b,
        });
      }),
    );
  });

  it("leaves every attribute alone that it does not name", () => {
    const value: fc.Arbitrary<AttributeValue> = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    const item = fc.dictionary(fc.stringMatching(/^[a-z]{2,6}$/), value);
    fc.assert(
      fc.property(item, value, (before, written) => {
        const after = updated("SET #target = :v", before, { ":v": written }, { "#target": "the target" });
        expect(after).toEqual({ ...before, "the target": written });
      }),
    );
  });
});

describe("a request that DynamoDB would refuse is refused", () => {
  it.each<[string, () => unknown]>([
    ["a value that is used and not given", () => holds("a = :a", {})],
    ["a value that is given and not used", () => holds("a = :a", {}, { ":a": 1, ":b": 2 })],
    ["a name that is used and not given", () => holds("#a = :a", {}, { ":a": 1 })],
    ["a name that is given and not used", () => holds("a = :a", {}, { ":a": 1 }, { "#a": "a" })],
    ["a bare reserved word", () => holds("state = :a", {}, { ":a": 1 })],
    ["doubled parentheses", () => holds("((a = :a))", {}, { ":a": 1 })],
    ["half an expression", () => holds("a = ", {}, {})],
    ["something after the end", () => holds("a = :a a", {}, { ":a": 1 })],
    ["an unknown function", () => holds("length(a) = :a", {}, { ":a": 1 })],
    ["an order of booleans", () => holds("a < :a", { a: true }, { ":a": true })],
    ["begins_with a number", () => holds("begins_with(a, :a)", { a: "1" }, { ":a": 1 })],
    ["a clause twice", () => updated("SET a = :a SET b = :a", {}, { ":a": 1 })],
    ["overlapping paths", () => updated("SET a.b = :a REMOVE a", { a: {} }, { ":a": 1 })],
    ["the same path twice", () => updated("SET a = :a, a = :a", {}, { ":a": 1 })],
    ["a sum with an absent attribute", () => updated("SET a = a + :a", {}, { ":a": 1 })],
    ["a sum with text", () => updated("SET a = a + :a", { a: "1" }, { ":a": 1 })],
    ["adding to text", () => updated("ADD a :a", { a: "1" }, { ":a": 1 })],
    ["a path through nothing", () => updated("SET a.b = :a", {}, { ":a": 1 })],
    ["a number that JavaScript can not hold exactly", () => updated("SET a = :a", {}, { ":a": 2 ** 60 })],
    ["not a number", () => updated("SET a = :a", {}, { ":a": Number.NaN })],
  ])("%s", (_what, run) => {
    expect(run).toThrow(TableRequestError);
  });
});

describe("a key condition", () => {
  const keys = { pk: "due_pk", sk: "due_at" };

  it("names one partition and a range of sort keys", () => {
    const values = { ":pk": "p", ":now": 5 };
    const condition = compileKeyCondition("due_pk = :pk AND due_at <= :now", keys, {}, values);
    expect(condition.partition(values)).toBe("p");
    expect(condition.wants({ due_at: 5 }, values)).toBe(true);
    expect(condition.wants({ due_at: 6 }, values)).toBe(false);
  });

  it.each([
    "due_at <= :a",
    "due_pk > :a",
    "due_pk = :a OR due_at = :a",
    "due_pk = :a AND other = :a",
    "due_pk = :a AND due_at <> :a",
    "due_pk = :a AND due_at = :a AND due_at = :a",
  ])("refuses %s", (text) => {
    expect(() => compileKeyCondition(text, keys, {}, { ":a": 1 })).toThrow(TableRequestError);
  });
});
