import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  belongsByKey,
  belongsByMetadata,
  DESTROY_ID,
  DESTROY_LIMITS,
  type DestroyParent,
  destroyIdOf,
  destroyRanges,
  parentDigest,
  parentText,
} from "../../../shared/geo/destroy.ts";
import {
  assertDestroyable,
  decodeManifest,
  deletedMessages,
  encodeManifest,
  EVENTS_BYTES_MAX,
  type ManifestLine,
  manifestLine,
  VERSION_DIGEST_LENGTH,
  versionDigest,
} from "../../../shared/geo/destroy-manifest.ts";
import { parseDestroyStep } from "../../../shared/geo/destroy-step.ts";
import { parseKeyPattern } from "../../../shared/geo/key-pattern.ts";
import { parseGeoMessage } from "../../../shared/geo/read-message.ts";
import { matchKey, type ReplicableMatch } from "../../../shared/geo/replicable-match.ts";
import { alwaysReplicated, organizationScope } from "../../../shared/geo/replicable-scope.ts";
import { defineReplicable, type Replicable } from "../../../shared/geo/replicable.ts";
import { replicables } from "../../../shared/replicables/index.ts";

const matchOf = (key: string, among: readonly Replicable[] = replicables): ReplicableMatch => {
  const match = matchKey(among, key);
  if (match === undefined) throw new Error(`nobody claims ${key}`);
  return match;
};

const common = {
  model: "Thing",
  shardingKey: "none",
  uploader: "ThingUploader",
  strategy: "blob",
  milestone: "19.4",
  enabledByDefault: true,
} as const;
const everywhere = defineReplicable({ ...common, name: "everywhere", table: "everywhere", scope: alwaysReplicated });
const ofOrganization = defineReplicable({
  ...common,
  name: "of_organization",
  table: "of_organizations",
  shardingKey: "organization_id",
  scope: organizationScope(),
});

describe("whose an object is", () => {
  const upload = "namespace_uploads/7/1/avatar.png";
  const page = "pages_deployments/3/1/site.zip";

  test.each<[DestroyParent, string, "yes" | "no" | "by_metadata"]>([
    [{ kind: "namespace", id: "7" }, upload, "yes"],
    [{ kind: "namespace", id: "77" }, upload, "by_metadata"],
    [{ kind: "namespace", id: "3" }, page, "by_metadata"],
    [{ kind: "project", id: "3" }, page, "yes"],
    [{ kind: "project", id: "33" }, page, "no"],
    [{ kind: "project", id: "7" }, upload, "no"],
    [{ kind: "organization", id: "1" }, upload, "by_metadata"],
    [{ kind: "prefix", prefix: "namespace_uploads/7/" }, upload, "yes"],
    [{ kind: "prefix", prefix: "namespace_uploads/77/" }, upload, "no"],
    [{ kind: "keys", keys: [upload] }, upload, "yes"],
    [{ kind: "keys", keys: [upload] }, page, "no"],
  ])("by its key: %j has %s: %s", (parent, key, belongs) => {
    expect(belongsByKey(parent, matchOf(key), key)).toBe(belongs);
  });

  test("is nobody's, when it is the whole instance's", () => {
    const key = "everywhere/1/file";
    expect(belongsByKey({ kind: "namespace", id: "1" }, matchOf(key, [everywhere]), key)).toBe("no");
  });

  test("is its organization's, by its key or its metadata", () => {
    const match = matchOf("of_organizations/4/1/file", [ofOrganization]);
    expect(belongsByMetadata({ kind: "organization", id: "4" }, match, {})).toBe(true);
    expect(belongsByMetadata({ kind: "organization", id: "5" }, match, { "geo-organization": "5" })).toBe(true);
    expect(belongsByMetadata({ kind: "organization", id: "6" }, match, { "geo-organization": "5" })).toBe(false);
  });
});

describe("what is listed", () => {
  const types = replicables.filter(({ name }) => ["pages_deployment", "group_upload", "cool_widget"].includes(name));

  test.each<[DestroyParent, readonly string[]]>([
    [{ kind: "namespace", id: "7" }, ["cool_widgets/", "namespace_uploads/", "pages_deployments/"]],
    [{ kind: "project", id: "7" }, ["cool_widgets/", "namespace_uploads/", "pages_deployments/7/"]],
    [{ kind: "prefix", prefix: "namespace_uploads/7" }, ["namespace_uploads/7"]],
    [{ kind: "prefix", prefix: "n" }, ["namespace_uploads/"]],
    [{ kind: "prefix", prefix: "elsewhere/" }, []],
    [{ kind: "keys", keys: ["cool_widgets/1/a"] }, []],
  ])("for %j: %j", (parent, ranges) => {
    expect(destroyRanges(replicables, types, parent)).toEqual(ranges);
  });

  test("is all of a type whose pattern, as an installation has it, does not have the project right behind its text", () => {
    const elsewhere = parseKeyPattern("pages_deployments/{id}/{project_id}/{filename+}");
    const moved = types.map((one) => (one.name === "pages_deployment" ? { ...one, keyPattern: elsewhere } : one));
    expect(destroyRanges(moved, moved, { kind: "project", id: "7" })).toContain("pages_deployments/");
  });

  test("F81: has every key of the parent in exactly one range", () => {
    const id = fc.constantFrom("1", "7", "77", "7x");
    const key = fc
      .tuple(
        fc.constantFrom("namespace_uploads", "pages_deployments", "cool_widgets"),
        id,
        id,
        fc.constantFrom("a", "b/c"),
      )
      .map(([table, one, two, file]) =>
        table === "cool_widgets" ? `${table}/${one}/${file}` : `${table}/${one}/${two}/${file}`,
      );
    const parent: fc.Arbitrary<DestroyParent> = fc.oneof(
      fc.record({ kind: fc.constantFrom("namespace" as const, "project" as const, "organization" as const), id }),
      fc.record({
        kind: fc.constant("prefix" as const),
        prefix: fc.constantFrom("n", "namespace_uploads/7", "cool_widgets/7/"),
      }),
    );
    fc.assert(
      fc.property(key, parent, (one, whose) => {
        const ranges = destroyRanges(replicables, types, whose).filter((range) => one.startsWith(range));
        const belongs = belongsByKey(whose, matchOf(one), one);
        expect(ranges.length).toBeLessThanOrEqual(1);
        expect(belongs === "no" || ranges.length === 1).toBe(true);
      }),
    );
  });

  test("of two types of which one's place is within the other's, is listed once", () => {
    const outer = defineReplicable({
      ...common,
      name: "outer",
      table: "t",
      scope: alwaysReplicated,
      keyPattern: "t/{id}",
    });
    const inner = defineReplicable({
      ...common,
      name: "inner",
      table: "u",
      scope: alwaysReplicated,
      keyPattern: "t/u/{id}",
    });
    expect(destroyRanges([outer, inner], [outer, inner], { kind: "namespace", id: "1" })).toEqual(["t/"]);
  });
});

describe("a destroy's names", () => {
  test("are letters and digits that differ from token to token", () => {
    fc.assert(fc.property(fc.uuid(), (token) => DESTROY_ID.test(destroyIdOf(token))));
    expect(destroyIdOf("a")).not.toBe(destroyIdOf("b"));
  });

  test("of a parent do not depend on the order of its types", () => {
    const parent = { kind: "project", id: "1" } as const;
    expect(parentDigest(["b", "a"], parent)).toBe(parentDigest(["a", "b"], parent));
    expect(parentDigest(["a"], parent)).not.toBe(parentDigest(["a", "b"], parent));
  });

  test.each<[DestroyParent, string]>([
    [{ kind: "organization", id: "1" }, "organization 1"],
    [{ kind: "project", id: "1" }, "project 1"],
    [{ kind: "prefix", prefix: "a\n" }, 'keys that begin with "a\\n"'],
    [{ kind: "keys", keys: ["a", "b"] }, "2 keys"],
  ])("%j is called %s", (parent, text) => {
    expect(parentText(parent)).toBe(text);
  });
});

const lineOf = (key: string): ManifestLine =>
  manifestLine({ key, versionId: "v", etag: '"e"', size: 1, lastModified: 2, storageClass: "STANDARD" }, matchOf(key));

const keyOf = (number: number): string => `namespace_uploads/7/${number}/a "quoted"\n\u2028 file`;

const checking = (lines: readonly ManifestLine[]) => () =>
  assertDestroyable(
    lines,
    (key) => matchOf(key),
    () => true,
  );

describe("a manifest", () => {
  test("F80: is read as it was written, whatever is in its keys, and its events name each record once", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(), { minLength: 1, maxLength: 250 }), (numbers) => {
        const lines = numbers.map((number) => lineOf(keyOf(number)));
        expect(decodeManifest(encodeManifest(lines))).toEqual(lines);
        const messages = deletedMessages("0a1b2c3d4e5f", lines, 3).map(({ body }) => parseGeoMessage(body));
        const events = messages.flatMap((read) =>
          "message" in read && read.message.kind === "geo_events" ? read.message.events : [],
        );
        expect(messages).toHaveLength(Math.ceil(lines.length / 100));
        expect(new Set(events.map((event) => event.id)).size).toBe(lines.length);
        expect(events.map(({ payload }) => payload.model_record_id)).toEqual(lines.map((line) => line.model_record_id));
        expect(new Set(events.map(({ payload }) => payload.uploader_class))).toEqual(
          new Set(["NamespaceFileUploader"]),
        );
      }),
      { numRuns: 20 },
    );
    expect(deletedMessages("0a1b2c3d4e5f", [], 3)).toEqual([]);
  });

  test("has events that fit into a message of a topic, however long its keys are", () => {
    const lines = Array.from({ length: 250 }, (_, number) =>
      lineOf(`namespace_uploads/7/${number}/${"漢".repeat(325)}`),
    );
    const messages = deletedMessages("0a1b2c3d4e5f", lines, 1_700_000_000_000).map(({ body }) => body);
    for (const body of messages) expect(Buffer.byteLength(body)).toBeLessThanOrEqual(256 * 1024);
    const counts = messages.map((body) => {
      const read = parseGeoMessage(body);
      return "message" in read && read.message.kind === "geo_events" ? read.message.events.length : 0;
    });
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(lines.length);
    // As few messages as that takes.
    expect(messages.length).toBeLessThanOrEqual(Math.ceil(messages.join("").length / EVENTS_BYTES_MAX) + 1);
    expect(messages.length).toBeGreaterThan(3);
  });

  test("names a version of a key, and not another version or key", () => {
    const digests = [
      versionDigest("a", "1"),
      versionDigest("a", "2"),
      versionDigest("b", "1"),
      versionDigest("a\n1", ""),
    ];
    expect(new Set(digests).size).toBe(4);
    for (const digest of digests) expect(digest).toHaveLength(VERSION_DIGEST_LENGTH);
  });

  test("has slices of at most a thousand", () => {
    const lines = Array.from({ length: DESTROY_LIMITS.sliceObjects + 1 }, (_, number) => lineOf(keyOf(number)));
    expect(checking(lines)).toThrow("a slice of 1001 objects, expected at most 1000");
    expect(checking(lines.slice(1))).not.toThrow();
  });
});

describe("a step of the machine", () => {
  test("is read as the machine asks for it", () => {
    const step = { step: "build_manifest", destroy_id: "0a1b2c3d4e5f" };
    expect(parseDestroyStep(step)).toEqual(step);
    const noted = { step: "note_failure", destroy_id: step.destroy_id, work: "plan", run: 1, failure: { Error: "E" } };
    expect(parseDestroyStep(noted)).toEqual(noted);
  });

  test.each([
    [undefined, /not a step of a batch destroy: all of it/],
    [{ step: "fly", destroy_id: "0a1b2c3d4e5f" }, /: step/],
    [{ step: "conclude", destroy_id: "../..", work: "undo", run: 1 }, /: destroy_id/],
  ])("%j is refused", (input, problem) => {
    expect(() => parseDestroyStep(input)).toThrow(problem);
  });
});
