import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GeoError } from "../../../shared/geo/errors.ts";
import { matchKeyPattern } from "../../../shared/geo/key-pattern.ts";
import { matchKey } from "../../../shared/geo/replicable-match.ts";
import { metadataScope, namespaceScope } from "../../../shared/geo/replicable-scope.ts";
import {
  applySelection,
  decodeReplicableSelection,
  encodeReplicableSelection,
  findSelectionProblems,
  type ReplicableSelection,
} from "../../../shared/geo/replicable-selection.ts";
import { defineReplicable, type Replicable } from "../../../shared/geo/replicable.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { anyKey, HOSTILE_KEYS } from "./keys.ts";

const everything: ReplicableSelection = { names: "all", keyPatterns: {} };
const select = (changes: Partial<ReplicableSelection>): ReplicableSelection => ({ ...everything, ...changes });

describe("applying a selection", () => {
  test("takes all, or those that are named, in the order of the list", () => {
    expect(applySelection(replicables, everything)).toEqual(replicables);
    const names = applySelection(replicables, select({ names: ["package_file", "cool_widget"] })).map(
      ({ name }) => name,
    );
    expect(names).toEqual(["cool_widget", "package_file"]);
  });

  test("puts a type's objects where the installation has them", () => {
    const [moved] = applySelection(
      replicables,
      select({ names: ["group_upload"], keyPatterns: { group_upload: "groups/{namespace_id}/{id}" } }),
    );
    expect(moved?.keyPattern.text).toBe("groups/{namespace_id}/{id}");
    expect(moved?.scope).toEqual(namespaceScope());
  });

  test("leaves a type where it is although every object has something of its name", () => {
    const constructorType = defineReplicable({
      name: "constructor",
      model: "Constructor",
      table: "constructors",
      shardingKey: "none",
      uploader: "Uploader",
      strategy: "blob",
      scope: metadataScope,
      milestone: "1.0",
      enabledByDefault: true,
    });
    expect(applySelection([constructorType], everything)).toEqual([constructorType]);
  });

  test("looks for an owner in metadata when the new place does not name it any more", () => {
    const selection = select({ keyPatterns: { group_upload: "groups/{id}/{filename+}" } });
    const moved = applySelection(replicables, selection).find(({ name }) => name === "group_upload");
    expect(moved?.scope).toEqual(metadataScope);
  });

  test.each([
    ["nothing selected", { names: [] }, /no replicable is selected/],
    [
      "an unknown name",
      { names: ["cool_wigdet"] },
      /no replicable "cool_wigdet"; expected abuse_report_upload, .*, cool_widget, /,
    ],
    ["a name twice", { names: ["cool_widget", "cool_widget"] }, /selected twice/],
    ["a pattern for nobody", { keyPatterns: { wigdet: "a/{id}" } }, /given for "wigdet", which is no replicable/],
    [
      "a pattern for __proto__",
      { keyPatterns: JSON.parse('{"__proto__":"a/{id}"}') as Record<string, string> },
      /__proto__/,
    ],
    ["a bad pattern", { keyPatterns: { cool_widget: "a/{filename+}" } }, /no \{id\}/],
    [
      "a place for the type whose partitions have places",
      { keyPatterns: { upload: "u/{id}" } },
      /"upload": .*no key pattern/,
    ],
    ["the whole without its partitions", { names: ["upload"] }, /the objects of its partitions, and there is none/],
    ["overlapping patterns", { keyPatterns: { cool_widget: "packages_package_files/{id+}" } }, /could claim one key/],
  ])("is refused for %s", (_, changes, problem) => {
    expect(findSelectionProblems(replicables, select(changes)).join("\n")).toMatch(problem);
    expect(() => applySelection(replicables, select(changes))).toThrow(problem);
    expect(() => applySelection(replicables, select(changes))).toThrow(GeoError);
  });

  test("reports all problems together", () => {
    const selection = { names: ["a", "cool_widget"], keyPatterns: { b: "x", cool_widget: "*" } };
    expect(findSelectionProblems(replicables, selection)).toHaveLength(4);
  });

  test("lets two types overlap of which one is not selected", () => {
    const selection = select({ names: ["cool_widget"], keyPatterns: { cool_widget: "packages_package_files/{id+}" } });
    expect(findSelectionProblems(replicables, selection)).toEqual([]);
  });
});

describe("a selection on its way to a function", () => {
  test("arrives as it was, but for the order of names", () => {
    const names = fc.oneof(fc.constant("all" as const), fc.uniqueArray(fc.string({ maxLength: 8 }), { maxLength: 5 }));
    const keyPatterns = fc.dictionary(fc.stringMatching(/^[a-z_]{1,8}$/), fc.string({ maxLength: 20 }), { maxKeys: 5 });
    fc.assert(
      fc.property(names, keyPatterns, (some, patterns) => {
        fc.pre(!Object.hasOwn(patterns, "__proto__"));
        const decoded = decodeReplicableSelection(encodeReplicableSelection({ names: some, keyPatterns: patterns }));
        expect(decoded).toEqual({ names: some === "all" ? "all" : some.toSorted(), keyPatterns: { ...patterns } });
      }),
    );
  });

  test("is the same text however it was written", () => {
    const written = encodeReplicableSelection({ names: ["b", "a"], keyPatterns: { b: "1", a: "2" } });
    expect(encodeReplicableSelection({ names: ["a", "b"], keyPatterns: { a: "2", b: "1" } })).toBe(written);
  });

  test.each([
    ["", /not JSON/],
    ["{", /not JSON/],
    ["null", /expected \{"names"/],
    ["[]", /expected/],
    ['{"names":"some","keyPatterns":{}}', /expected/],
    ['{"names":[1],"keyPatterns":{}}', /expected/],
    ['{"names":"all"}', /expected/],
    ['{"names":"all","keyPatterns":{"a":1}}', /expected/],
    ['{"names":"all","keyPatterns":{},"more":1}', /expected/],
    [" ".repeat(4_097), /4097 characters/],
  ])("is refused when it is not one: %s", (json, problem) => {
    expect(() => decodeReplicableSelection(json)).toThrow(problem);
    expect(() => decodeReplicableSelection(json)).toThrow(GeoError);
  });
});

const diffAt = (filename: string) => matchKey(replicables, `merge_request_diffs/7/42/${filename}`)?.replicable.name;

describe("finding the type of a key", () => {
  test("names the type, the record and what was captured", () => {
    const match = matchKey(replicables, "namespace_uploads/7/42/a b.png");
    expect(match?.replicable.name).toBe("group_upload");
    expect(match).toMatchObject({ modelRecordId: "7/42/a%20b.png", attributes: { namespace_id: "7", id: "42" } });
  });

  test.each([...HOSTILE_KEYS, "", "namespace_uploads", "namespace_uploads/7/42", "constructor/1/2/3"])(
    "finds none for %j and thinks nothing of it",
    (key) => {
      expect(matchKey(replicables, key)).toBeUndefined();
    },
  );

  test("finds types whose place does not start with plain text", () => {
    const list = applySelection(replicables, select({ keyPatterns: { cool_widget: "v{version}/{id}" } }));
    expect(matchKey(list, "v1/2")?.replicable.name).toBe("cool_widget");
    expect(matchKey(list, "packages_package_files/1/2/3")?.replicable.name).toBe("package_file");
  });

  test("finds none where the type says that the object does not count (F55)", () => {
    expect(["diff-42", "internal", "x/internal/y", "internal/diff-42"].map(diffAt)).toEqual([
      "merge_request_diff",
      "merge_request_diff",
      "merge_request_diff",
      undefined,
    ]);
  });

  test("finds none of a type that has no keys of its own", () => {
    expect(matchKey(replicables, "uploads/7/42/a.png")).toBeUndefined();
    expect(matchKey(replicables, "uploads")).toBeUndefined();
  });

  test("agrees with asking every type in turn", () => {
    const many: Replicable[] = Array.from({ length: 44 }, (_, index) =>
      defineReplicable({
        name: `type_${String(index)}`,
        model: "Model",
        table: `types_${String(index)}`,
        shardingKey: "none",
        ...(index % 11 === 0 ? { keyPattern: `{x}/${String(index)}/{id}` } : {}),
        uploader: "Uploader",
        strategy: "blob",
        scope: metadataScope,
        milestone: "1.0",
        enabledByDefault: true,
      }),
    );
    const key = fc.oneof(
      anyKey,
      fc.tuple(fc.integer({ min: 0, max: 45 }), anyKey).map(([index, rest]) => `types_${String(index)}/${rest}`),
      fc
        .tuple(fc.integer({ min: 0, max: 45 }), fc.constantFrom("a", "b"))
        .map(([index, x]) => `${x}/${String(index)}/1`),
    );
    fc.assert(
      fc.property(key, (candidate) => {
        const expected = many.find(({ keyPattern }) => matchKeyPattern(keyPattern, candidate) !== undefined);
        expect(matchKey(many, candidate)?.replicable).toBe(expected);
      }),
    );
  });
});
