import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as z from "zod/mini";
import { flatReader, rowReader } from "../../../shared/geo/flat-reader.ts";
import { RegistryItem, StateItem } from "../../../shared/geo/registry-row.ts";

/** What a table may hold in a column, and what it may not. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.string({ maxLength: 5 }) },
  { weight: 4, arbitrary: fc.integer() },
  { weight: 2, arbitrary: fc.boolean() },
  fc.constantFrom(undefined, null, Number.NaN, Number.POSITIVE_INFINITY, -0, "", 0, [], {}),
);

/** Each column right most of the time, else absent or anything: so that whole rows are right often enough. */
const itemOf = (schema: z.ZodMiniObject): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      Object.entries(schema.shape).map(([name, column]) => [
        name,
        fc.oneof({ weight: 60, arbitrary: rightFor(column) }, { weight: 1, arbitrary: value }),
      ]),
    ),
    { requiredKeys: [] },
  );

const rightFor = (column: z.core.$ZodType): fc.Arbitrary<unknown> => {
  const accepted = [1, 0, 1_700_000_000_000.5, "", "a", true, false].filter(
    (sample) => z.safeParse(column, sample).success,
  );
  return fc.constantFrom(...accepted);
};

const withKeys = (item: Record<string, unknown>): Record<string, unknown> => ({ pk: "p", sk: "s", state: 2, ...item });

const ROWS: readonly (readonly [string, z.ZodMiniObject])[] = [
  ["the registry's rows", RegistryItem],
  ["the primary's rows", StateItem],
];

describe.each(ROWS)("%s are read", (_name, schema) => {
  test("exactly when their schema accepts them, as it reads them, in its order", () => {
    const read = flatReader(schema);
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(itemOf(schema).map(withKeys), (item) => {
        const parsed = z.safeParse(schema, item);
        const found = read(item);
        expect(found).toStrictEqual(parsed.success ? parsed.data : undefined);
        if (found === undefined) refused += 1;
        else accepted += 1;
        expect(Object.keys(found ?? {})).toEqual(Object.keys(parsed.data ?? {}));
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(300);
  });

  test.each([[undefined], [null], ["text"], [7], [[]], [new Map()], [Object.create({ pk: "p", sk: "s", state: 1 })]])(
    "and %o as by their schema, too",
    (item: unknown) => {
      const found = flatReader(schema)(item);
      const parsed = z.safeParse(schema, item);
      expect(found).toStrictEqual(parsed.success ? parsed.data : undefined);
    },
  );
});

const OTHERS: readonly (readonly [string, z.ZodMiniObject])[] = [
  ["a bound", z.object({ a: z.number().check(z.minimum(1)) })],
  ["whole numbers", z.object({ a: z.int() })],
  ["a choice", z.object({ a: z.enum(["x"]) })],
  ["a bound in an optional column", z.object({ a: z.optional(z.string().check(z.minLength(1))) })],
  ["coercion", z.object({ a: z.coerce.number() })],
  ["a transformation", z.object({ a: z.pipe(z.string(), z.transform(Number)) })],
  ["a check of the whole", z.object({ a: z.number() }).check(z.refine(() => false))],
  ["no further columns", z.strictObject({ a: z.number() })],
];

describe("columns that are more than a type are left to the schema", () => {
  test.each(OTHERS)("%s", (_name, schema) => {
    for (const a of [0, 1, 1.5, "", "x", "1", true]) expect(flatReader(schema)({ a })).toBeUndefined();
  });

  test("which reads what the fast way does not, and says what it refuses", () => {
    const read = rowReader("test", z.object({ a: z.int(), b: z.string() }));
    expect(read({ a: 1, b: "x" })).toEqual({ a: 1, b: "x" });
    expect(() => read({ a: 1.5 })).toThrow(/^a test row can not be read: a: .*; b: /);
  });
});
