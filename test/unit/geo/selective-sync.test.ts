import { describe, expect, test } from "vitest";
import {
  alwaysReplicated,
  metadataScope,
  namespaceScope,
  organizationScope,
  projectScope,
} from "../../../shared/geo/replicable-scope.ts";
import type { ShardingKey } from "../../../shared/geo/replicable.ts";
import {
  EVERYTHING,
  findSelectiveSyncProblems,
  isWantedAmongAllUploads,
  ownerKeyOf,
  ownersOf,
  type SelectiveSync,
  SELECTIVE_SYNC_IDS_MAX,
  wantedByKey,
  wants,
} from "../../../shared/geo/selective-sync.ts";

const inNamespaces = (...ids: readonly string[]): SelectiveSync => ({ type: "namespaces", ids });

describe("to whom an object belongs", () => {
  test("is in its key and in its metadata, ancestors included", () => {
    const owners = ownersOf(
      { scope: namespaceScope() },
      { namespace_id: "42", id: "1" },
      { "geo-namespace": "1/7/42", "geo-organization": "3", "geo-shard": "default,nvme", color: "red" },
    );
    expect(owners).toEqual({
      namespaces: ["1", "7", "42"],
      organizations: ["3"],
      shards: ["default", "nvme"],
      problems: [],
    });
  });

  test("of a project's object the key says nothing that a rule could name", () => {
    expect(ownersOf({ scope: projectScope() }, { project_id: "9" }, {})).toEqual({
      namespaces: [],
      organizations: [],
      shards: [],
      problems: [],
    });
  });

  test("an organization may stand in the key", () => {
    expect(ownersOf({ scope: organizationScope() }, { organization_id: "3" }, {}).organizations).toEqual(["3"]);
  });

  test("what a pattern does not find, and what is empty, are no owners", () => {
    const owners = ownersOf({ scope: namespaceScope() }, {}, { "geo-shard": "" });
    expect(owners).toEqual({ namespaces: [], organizations: [], shards: [], problems: [] });
  });

  test.each([
    ["geo-namespace", "1//42", "/"],
    ["geo-namespace", "../../etc", "/"],
    ["geo-organization", "3, 4", ","],
    ["geo-shard", "Überall", ","],
    ["geo-shard", "x".repeat(65), ","],
  ])("garbage in %s (%s) is named and the rest counts all the same", (header, value, separator) => {
    const owners = ownersOf({ scope: namespaceScope() }, { namespace_id: "42" }, { [header]: value });
    expect(owners.namespaces).toEqual(["42"]);
    expect(owners.problems).toHaveLength(1);
    expect(owners.problems[0]).toContain(`the metadata ${header} is "`);
    expect(owners.problems[0]).toContain(`joined by "${separator}"`);
  });
});

test("an upload names its owner in metadata; an empty name, and what is no upload, names none (F91)", () => {
  const metadata = { "geo-owner": "achievements/42.json" };
  const partition = { partitionOf: "upload", partitioned: false };
  expect(ownerKeyOf(partition, metadata)).toBe("achievements/42.json");
  expect(ownerKeyOf({ partitionOf: undefined, partitioned: true }, metadata)).toBe("achievements/42.json");
  expect(ownerKeyOf({ partitionOf: undefined, partitioned: false }, metadata)).toBeUndefined();
  expect(ownerKeyOf(partition, {})).toBeUndefined();
  expect(ownerKeyOf(partition, { "geo-owner": "" })).toBeUndefined();
});

describe("what a rule wants", () => {
  const owners = { namespaces: ["1", "7", "42"], organizations: ["3"], shards: ["nvme"], problems: [] };

  test.each<readonly [SelectiveSync, boolean]>([
    [EVERYTHING, true],
    [inNamespaces("42"), true],
    [inNamespaces("7"), true],
    [inNamespaces("9", "1"), true],
    [inNamespaces("9"), false],
    [{ type: "organizations", ids: ["3"] }, true],
    [{ type: "organizations", ids: ["42"] }, false],
    [{ type: "shards", ids: ["nvme"] }, true],
    [{ type: "shards", ids: ["default"] }, false],
  ])("%j: %s", (rule, wanted) => {
    expect(wants(rule, { scope: metadataScope }, owners)).toBe(wanted);
  });

  test("data of the whole instance is wanted everywhere (F53)", () => {
    const nobody = { namespaces: [], organizations: [], shards: [], problems: [] };
    expect(wants(inNamespaces("9"), { scope: alwaysReplicated }, nobody)).toBe(true);
    expect(wants(inNamespaces("9"), { scope: metadataScope }, nobody)).toBe(false);
  });

  test("a key alone may say that an object is wanted, and never that it is not", () => {
    expect(wantedByKey(inNamespaces("42"), { scope: namespaceScope() }, { namespace_id: "42" })).toBe(true);
    expect(wantedByKey(inNamespaces("7"), { scope: namespaceScope() }, { namespace_id: "42" })).toBe(false);
    expect(wantedByKey(EVERYTHING, { scope: metadataScope }, {})).toBe(true);
  });
});

describe("an upload among all uploads", () => {
  test.each<readonly [SelectiveSync["type"], readonly ShardingKey[], boolean]>([
    ["namespaces", ["organization_id"], true],
    ["shards", ["uploaded_by_user_id"], true],
    ["namespaces", ["namespace_id"], false],
    ["shards", ["project_id"], false],
    ["namespaces", ["organization_id", "namespace_id", "project_id"], false],
    ["organizations", ["organization_id"], false],
  ])("by %s, of a record that %j names, goes everywhere: %s", (type, shardingKeys, wanted) => {
    const rule: SelectiveSync = type === "none" ? EVERYTHING : { type, ids: ["7"] };
    expect(isWantedAmongAllUploads(rule, { shardingKeys })).toBe(wanted);
  });
});

describe("a rule", () => {
  test.each<readonly [string, readonly string[]]>([
    ["none", []],
    ["namespaces", ["7"]],
    ["shards", ["default", "nvme-2.eu"]],
    ["organizations", Array.from({ length: SELECTIVE_SYNC_IDS_MAX }, (_, id) => String(id))],
  ])("by %s may be set", (type, ids) => {
    expect(findSelectiveSyncProblems(type, ids)).toEqual([]);
  });

  test.each<readonly [string, readonly string[], string]>([
    ["projects", ["1"], 'selective_sync_type is "projects", expected none, namespaces, shards, organizations'],
    ["none", ["1"], "selective sync of type none takes no ids, got 1"],
    [
      "namespaces",
      [],
      "selective sync by namespaces needs at least one id: an empty list would remove every replica that has an owner",
    ],
    ["shards", ["a b"], '"a b" is no id; expected up to 64 letters, digits, _ . -'],
    [
      "organizations",
      Array.from({ length: SELECTIVE_SYNC_IDS_MAX + 1 }, (_, id) => String(id)),
      "selective sync takes at most 1000 ids, got 1001",
    ],
  ])("by %s of %j is refused", (type, ids, problem) => {
    expect(findSelectiveSyncProblems(type, ids)).toEqual([problem]);
  });
});
