import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GeoError } from "../../../shared/geo/errors.ts";
import {
  buildKey,
  keyOfRecord,
  matchKeyPattern,
  parseKeyPattern,
  type KeyPattern,
} from "../../../shared/geo/key-pattern.ts";
import { anyKey, HOSTILE_KEYS } from "./keys.ts";

const uploads = parseKeyPattern("namespace_uploads/{namespace_id}/{id}/{filename+}");
const states = parseKeyPattern("states/{id}/v{version}.tfstate");
const everything = parseKeyPattern("{id+}");

describe("matching a key", () => {
  test("captures each placeholder and makes of them the model record id", () => {
    expect(matchKeyPattern(uploads, "namespace_uploads/7/42/a b/ü.png")).toEqual({
      modelRecordId: "7/42/a%20b/%C3%BC.png",
      attributes: { namespace_id: "7", id: "42", filename: "a b/ü.png" },
    });
    expect(matchKeyPattern(states, "states/9/v12.tfstate")).toEqual({
      modelRecordId: "9/12",
      attributes: { id: "9", version: "12" },
    });
    expect(matchKeyPattern(parseKeyPattern("lfs/{id}"), "lfs/ab12")?.modelRecordId).toBe("ab12");
  });

  test("lets only the rest hold slashes, even at its start", () => {
    expect(matchKeyPattern(uploads, "namespace_uploads/7/42//x//")?.attributes["filename"]).toBe("/x//");
  });

  test.each([
    "namespace_uploads/7/42",
    "namespace_uploads/7/42/",
    "namespace_uploads//42/x",
    "namespace_uploads/7//x",
    "/namespace_uploads/7/42/x",
    "Namespace_uploads/7/42/x",
    "namespace_uploads",
    "",
    `namespace_uploads/7/42/${"x".repeat(1_024)}`,
    "namespace_uploads/7/42/\ud800",
  ])("finds nothing in %j", (key) => {
    expect(matchKeyPattern(uploads, key)).toBeUndefined();
  });

  test.each(["states/9/v.tfstate", "states/9/12.tfstate", "states/9/v12.tfstat", "states/9/v12.tfstate/x", "states/9"])(
    "wants something between the text before and the text after a capture: not %j",
    (key) => {
      expect(matchKeyPattern(states, key)).toBeUndefined();
    },
  );

  test("takes any key at all as the record id of a whole bucket", () => {
    for (const key of HOSTILE_KEYS) expect(matchKeyPattern(everything, key)?.attributes).toEqual({ id: key });
  });

  test("may be given a placeholder that has the name of something every object has", () => {
    const pattern = parseKeyPattern("{constructor}/{id}");
    expect(matchKeyPattern(pattern, "a/b")?.attributes).toEqual({ constructor: "a", id: "b" });
    expect(() => buildKey(pattern, { id: "b" })).toThrow(/\{constructor\} is missing/);
  });

  test("stays fast on a key made to make it slow", () => {
    const pattern = parseKeyPattern(`{id}/${"a".repeat(100)}{x}${"a".repeat(100)}`);
    expect(matchKeyPattern(pattern, `1/${"a".repeat(1_022)}`)?.attributes["x"]).toBe("a".repeat(822));
    expect(matchKeyPattern(pattern, `1/${"a".repeat(1_021)}b`)).toBeUndefined();
  });
});

describe("both directions", () => {
  const captured = anyKey.map((key) => key.replaceAll("/", "_").slice(0, 60).toWellFormed());

  test("a key that was built is found again with the same attributes", () => {
    fc.assert(
      fc.property(captured, captured, anyKey, (namespace, id, filename) => {
        const attributes = { namespace_id: namespace, id, filename };
        fc.pre(Buffer.byteLength(`namespace_uploads/${namespace}/${id}/${filename}`) <= 1_024);
        expect(matchKeyPattern(uploads, buildKey(uploads, attributes))?.attributes).toEqual(attributes);
      }),
    );
  });

  test("a key that matches is built again from its attributes, and found again from its model record id", () => {
    const keyOf: fc.Arbitrary<[KeyPattern, string]> = fc.oneof(
      anyKey.map((key): [KeyPattern, string] => [everything, key]),
      anyKey.map((key): [KeyPattern, string] => [uploads, `namespace_uploads/${key}`]),
      fc
        .tuple(captured, captured)
        .map(([id, version]): [KeyPattern, string] => [states, `states/${id}/v${version}.tfstate`]),
    );
    fc.assert(
      fc.property(keyOf, ([pattern, key]) => {
        const match = matchKeyPattern(pattern, key);
        fc.pre(match !== undefined);
        expect(buildKey(pattern, match.attributes)).toBe(key);
        expect(match.modelRecordId).toMatch(/^[!-~]+$/);
        expect(keyOfRecord(pattern, match.modelRecordId)).toBe(key);
      }),
    );
  });

  test("two keys never share a model record id, also when slashes and escapes pretend to be something else", () => {
    const short = fc.string({ unit: fc.constantFrom("a", "/", "%", "2", "F", "é"), minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(short, short, (a, b) => {
        const [left, right] = [a, b].map((tail) => matchKeyPattern(uploads, `namespace_uploads/1/${tail}`));
        fc.pre(left !== undefined && right !== undefined && a !== b);
        expect(left.modelRecordId).not.toBe(right.modelRecordId);
      }),
      { numRuns: 1_000 },
    );
  });

  test.each(["", "7", "7/42", "7/42/", "7//x", "7/42/a b", "7/42/%61", "7/42/%zz", "7/42/%2F", "7/4%2F2/x", "é/1/x"])(
    "%j is nobody's model record id",
    (id) => {
      expect(keyOfRecord(uploads, id)).toBeUndefined();
    },
  );

  test.each([
    ["a missing attribute", { namespace_id: "7", id: "42" }, /\{filename\} is missing/],
    ["an empty one", { namespace_id: "7", id: "", filename: "x" }, /\{id\} is missing or empty/],
    ["an unknown one", { namespace_id: "7", id: "1", filename: "x", project_id: "3" }, /no \{project_id\}/],
    ["a slash where none fits", { namespace_id: "7/8", id: "42", filename: "x" }, /takes no slash/],
    ["a lone surrogate", { namespace_id: "7", id: "42", filename: "\ud800" }, /lone surrogate/],
    ["too much", { namespace_id: "7", id: "42", filename: "x".repeat(1_024) }, /bytes/],
  ])("no key is built from %s", (_, attributes, reason) => {
    expect(() => buildKey(uploads, attributes as unknown as Record<string, string>)).toThrow(reason);
    expect(() => buildKey(uploads, attributes as unknown as Record<string, string>)).toThrow(GeoError);
  });
});

describe("reading a pattern", () => {
  test("knows its placeholders and what every key of it starts with", () => {
    expect(uploads).toMatchObject({
      problems: [],
      placeholders: ["namespace_id", "id", "filename"],
      rest: "filename",
      literalPrefix: "namespace_uploads/",
    });
    expect(states).toMatchObject({ problems: [], literalPrefix: "states/" });
    expect(states.rest).toBeUndefined();
  });

  test.each([
    ["", /empty segment/],
    ["a/{filename+}", /no \{id\}/],
    ["a/{id}/{id}", /\{id\} stands in it twice/],
    ["/a/{id}", /empty segment/],
    ["a//{id}", /empty segment/],
    ["a/{id}/", /empty segment/],
    ["a/{rest+}/{id}", /\{rest\+\} takes the rest, so it must be last/],
    ["a/{id}/x{rest+}", /must stand alone/],
    ["a/{id}-{name}", /at most one \{name\} between two slashes/],
    ["a/{id", /can not be read/],
    ["a/id}", /can not be read/],
    ["a/{{id}}", /can not be read/],
    ["a/{}/{id}", /not a placeholder/],
    ["a/{Id}/{id}", /not a placeholder/],
    ["a/{id?}/{id}", /not a placeholder/],
    ["a/{__proto__}/{id}", /not a placeholder/],
    ["a/{id*}/{id}", /wildcard/],
    ["a/*/{id}", /wildcard/],
    ["a\u0000/{id}", /control character/],
    ["a\ud800/{id}", /lone surrogate/],
    [`${"a".repeat(252)}/{id}`, /257 bytes long, expected at most 255/],
  ])("%j is refused, and the problem is named", (text, problem) => {
    const pattern = parseKeyPattern(text);
    expect(pattern.problems.join("\n")).toMatch(problem);
    expect(matchKeyPattern(pattern, "a/1")).toBeUndefined();
    expect(() => buildKey(pattern, { id: "1" })).toThrow(GeoError);
  });

  test("reports every problem at once", () => {
    expect(parseKeyPattern("/a/{rest+}/{B}/{c}-{d}/{e}/{e}").problems).toHaveLength(6);
  });

  test("never throws, whatever somebody wrote", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("{", "}", "+", "/", "i", "d", "*", "\ud800", "é") }), (text) => {
        const pattern = parseKeyPattern(text);
        expect(pattern.text).toBe(text);
        expect(pattern.problems.length > 0 || pattern.placeholders.includes("id")).toBe(true);
      }),
    );
  });
});
