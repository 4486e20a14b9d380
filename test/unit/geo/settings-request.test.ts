import { describe, expect, test } from "vitest";
import { CAPACITY_NAMES } from "../../../shared/geo/capacities.ts";
import type { SelectiveSync } from "../../../shared/geo/selective-sync.ts";
import type { SiteRole } from "../../../shared/geo/site-status.ts";
import { parseSettingsRequest, SETTABLE } from "../../../shared/geo/settings-request.ts";

const EVERYTHING: SelectiveSync = { type: "none" };
const NAMESPACES: SelectiveSync = { type: "namespaces", ids: ["7", "8"] };

const problemsOf = (input: unknown, stored: SelectiveSync = EVERYTHING, role: SiteRole = "secondary") => {
  const parsed = parseSettingsRequest(input, role, stored);
  if ("request" in parsed) throw new Error(`expected a refusal, got ${JSON.stringify(parsed.request)}`);
  return parsed.problems;
};

const requestOf = (input: unknown, stored: SelectiveSync = EVERYTHING, role: SiteRole = "secondary") => {
  const parsed = parseSettingsRequest(input, role, stored);
  if ("problems" in parsed) throw new Error(`expected a request, got ${parsed.problems.join("; ")}`);
  return parsed.request;
};

describe("a change of settings", () => {
  test("may name any of them", () => {
    const capacities = Object.fromEntries(CAPACITY_NAMES.map((name, index) => [name, index + 1]));
    expect(
      requestOf({
        ...capacities,
        minimum_reverification_interval: 7,
        sync_object_storage: false,
        selective_sync_type: "shards",
        selective_sync_shards: ["default", "nvme"],
      }),
    ).toEqual({
      capacities,
      minimumReverificationInterval: 7,
      syncObjectStorage: false,
      selectiveSync: { type: "shards", ids: ["default", "nvme"] },
    });
  });

  test("leaves what it does not name", () => {
    expect(requestOf({ files_max_capacity: 1 }, NAMESPACES)).toEqual({ capacities: { files_max_capacity: 1 } });
    expect(requestOf({ sync_object_storage: true }, NAMESPACES)).toEqual({ syncObjectStorage: true });
    expect(requestOf({ enabled: false }, NAMESPACES)).toEqual({ enabled: false });
  });

  test("says a primary's own of a primary", () => {
    expect(requestOf({ verification_max_capacity: 5 }, EVERYTHING, "primary")).toEqual({
      capacities: { verification_max_capacity: 5 },
    });
  });

  test.each([
    ["null", null],
    ["a list", [1]],
    ["a text", "files_max_capacity=1"],
  ])("that is %s is none", (_, input) => {
    expect(problemsOf(input)).toEqual([
      `body: expected an object such as {"files_max_capacity": 100}, got ${JSON.stringify(input)}`,
    ]);
  });

  test("that names nothing is told what it might", () => {
    expect(problemsOf({})).toEqual([`body: expected some of ${SETTABLE.join(", ")}, got none of them`]);
  });

  test("is told of everything that is wrong with it, together", () => {
    expect(
      problemsOf({
        nmae: "x",
        files_max_capacity: 0,
        verification_max_capacity: 1_000_000,
        repos_max_capacity: "10",
        minimum_reverification_interval: 0,
        sync_object_storage: "yes",
        selective_sync_type: "galaxies",
        selective_sync_shards: 5,
        selective_sync_namespace_ids: [1, -1, { id: 1 }],
      }),
    ).toEqual([
      `there is no setting called "nmae"; expected some of ${SETTABLE.join(", ")}`,
      'selective_sync_namespace_ids: expected ids, got -1, {"id":1}',
      "selective_sync_shards: expected a list of ids, or ids with commas between them, got 5",
      'selective_sync_type: expected "namespaces", "shards", "organizations" or null, got "galaxies"',
      'sync_object_storage: expected true or false, got "yes"',
      "files_max_capacity: expected a whole number from 1 to 100000, got 0",
      "verification_max_capacity: expected a whole number from 1 to 100000, got 1000000",
      'repos_max_capacity: expected a whole number from 1 to 100000, got "10"',
      "minimum_reverification_interval: expected a whole number of days from 1 to 999, got 0",
    ]);
  });

  test.each([1.5, 1_000, "7", null])("takes no re-verification every %s days", (days) => {
    expect(problemsOf({ minimum_reverification_interval: days })).toEqual([
      `minimum_reverification_interval: expected a whole number of days from 1 to 999, got ${JSON.stringify(days)}`,
    ]);
  });

  test("that names what only secondaries have is refused by a primary, name by name and once each", () => {
    const input = { selective_sync_type: "galaxies", selective_sync_shards: [], sync_object_storage: 1 };
    expect(problemsOf(input, EVERYTHING, "primary")).toEqual(
      ["selective_sync_type", "selective_sync_shards", "sync_object_storage"].map(
        (name) => `${name}: is a setting of secondaries, and this site is the primary`,
      ),
    );
  });

  test("shows no more of what came than a person can read", () => {
    const names = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}${"x".repeat(900)}`, 1]));
    const [problem = ""] = problemsOf({ ...names, sync_object_storage: "y".repeat(5_000) });
    expect(problem.length).toBeLessThan(2_000);
    const ids = Array.from({ length: 900 }, () => ({ long: "z".repeat(900) }));
    const [wrongIds = ""] = problemsOf({ selective_sync_shards: ids });
    expect(wrongIds.length).toBeLessThan(2_000);
  });

  test("with the names of everything's ancestors is not taken for more than it is", () => {
    const input: unknown = JSON.parse('{"__proto__": {"files_max_capacity": 1}, "constructor": 2}');
    expect(problemsOf(input)[0]).toContain('there is no setting called "__proto__", "constructor"');
  });
});

describe("a rule of selective sync", () => {
  test.each([
    ["an array of numbers", [7, 42], ["7", "42"]],
    ["an array of texts", ["7", "42"], ["7", "42"]],
    ["a text with commas", "7, 42", ["7", "42"]],
    ["one id", "7", ["7"]],
    ["an id that is named twice", [7, "7"], ["7"]],
  ])("takes its ids as %s", (_, sent, ids) => {
    expect(requestOf({ selective_sync_type: "namespaces", selective_sync_namespace_ids: sent })).toEqual({
      selectiveSync: { type: "namespaces", ids },
    });
  });

  test.each([null, "", "none"])("is taken away by %j", (none) => {
    expect(requestOf({ selective_sync_type: none }, NAMESPACES)).toEqual({ selectiveSync: { type: "none" } });
  });

  test("may come back as the answer has it: with empty lists for the other types", () => {
    const answer = {
      selective_sync_shards: [],
      selective_sync_namespace_ids: [],
      selective_sync_organization_ids: "3",
    };
    expect(requestOf({ ...answer, selective_sync_type: "organizations" })).toEqual({
      selectiveSync: { type: "organizations", ids: ["3"] },
    });
    expect(requestOf({ selective_sync_shards: [] }, EVERYTHING)).toEqual({ selectiveSync: { type: "none" } });
  });

  test("keeps the stored ids when only its type is named, and the stored type when only ids are", () => {
    expect(requestOf({ selective_sync_type: "namespaces" }, NAMESPACES)).toEqual({ selectiveSync: NAMESPACES });
    expect(requestOf({ selective_sync_namespace_ids: [9] }, NAMESPACES)).toEqual({
      selectiveSync: { type: "namespaces", ids: ["9"] },
    });
  });

  test("of another type than the stored one needs its ids", () => {
    expect(problemsOf({ selective_sync_type: "shards" }, NAMESPACES)).toEqual([
      "selective_sync_shards: expected the ids that the site is to have, got nothing",
    ]);
  });

  test("with ids for another type is refused: they would do nothing", () => {
    expect(problemsOf({ selective_sync_shards: ["a"] }, NAMESPACES)).toEqual([
      'selective_sync_shards: is for selective_sync_type "shards", and the site\'s is to be "namespaces"',
    ]);
    expect(problemsOf({ selective_sync_type: null, selective_sync_organization_ids: [1] })).toEqual([
      'selective_sync_organization_ids: is for selective_sync_type "organizations", and the site\'s is to be "none"',
    ]);
  });

  test.each([
    ["an empty list", []],
    ["an empty text", ""],
  ])("with %s is refused: it would remove every replica that has an owner", (_, ids) => {
    expect(problemsOf({ selective_sync_type: "namespaces", selective_sync_namespace_ids: ids })).toEqual([
      expect.stringContaining(
        "selective_sync_namespace_ids: selective sync by namespaces needs at least one id: an empty list would remove",
      ),
    ]);
    expect(problemsOf({ selective_sync_namespace_ids: ids }, NAMESPACES)).toHaveLength(1);
  });

  test("with what can be no id is refused", () => {
    expect(problemsOf({ selective_sync_type: "shards", selective_sync_shards: "default,,a b" })).toEqual([
      'selective_sync_shards: "" is no id; expected up to 64 letters, digits, _ . -',
      'selective_sync_shards: "a b" is no id; expected up to 64 letters, digits, _ . -',
    ]);
    expect(problemsOf({ selective_sync_type: "shards", selective_sync_shards: [0, 1.5, null] })).toEqual([
      "selective_sync_shards: expected ids, got 0, 1.5, null",
    ]);
  });

  test("with more ids than a record holds is refused", () => {
    const ids = Array.from({ length: 1_001 }, (_, index) => index + 1);
    expect(problemsOf({ selective_sync_type: "namespaces", selective_sync_namespace_ids: ids })).toEqual([
      "selective_sync_namespace_ids: selective sync takes at most 1000 ids, got 1001",
    ]);
  });
});
