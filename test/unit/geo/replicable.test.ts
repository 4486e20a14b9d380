import { describe, expect, test } from "vitest";
import { GeoError } from "../../../shared/geo/errors.ts";
import type { GeoEventName } from "../../../shared/geo/geo-message.ts";
import { NO_KEYS } from "../../../shared/geo/key-pattern.ts";
import { assertReplicables, findReplicableProblems } from "../../../shared/geo/replicable-problems.ts";
import {
  alwaysReplicated,
  metadataScope,
  namespaceScope,
  organizationScope,
  projectScope,
} from "../../../shared/geo/replicable-scope.ts";
import { assertEventSupported, defineReplicable, type ReplicableDeclaration } from "../../../shared/geo/replicable.ts";

const declaration: ReplicableDeclaration = {
  name: "cool_gadget",
  model: "CoolGadget",
  table: "cool_gadgets",
  shardingKey: "project_id",
  uploader: "CoolGadgetUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "19.4",
  enabledByDefault: false,
};
/** A type whose declaration gets by the types, as from plain JavaScript. */
const wrong = (changes: Readonly<Record<string, unknown>>) => defineReplicable({ ...declaration, ...changes });
const withTable = (name: string, changes: Readonly<Record<string, unknown>> = {}) =>
  wrong({ name, table: `${name}s`, ...changes });

describe("a declaration", () => {
  test("gets its names, its place and its defaults", () => {
    const gadget = defineReplicable(declaration);
    expect(gadget.names.registryClass).toBe("CoolGadgetRegistry");
    expect(gadget.keyPattern.text).toBe("cool_gadgets/{project_id}/{id}/{filename+}");
    expect(gadget).toMatchObject({
      immutable: false,
      checksumPolicy: "stored_or_sha256",
      uploaders: ["CoolGadgetUploader"],
    });
    expect(findReplicableProblems([gadget])).toEqual([]);
  });

  test("without a sharding key has a shorter place", () => {
    expect(wrong({ shardingKey: "none", scope: metadataScope }).keyPattern.text).toBe("cool_gadgets/{id}/{filename+}");
  });

  test("whose records have one of several sharding keys has a place that names none of them", () => {
    const gadget = wrong({ shardingKey: ["project_id", "namespace_id"], scope: metadataScope });
    expect(gadget.keyPattern.text).toBe("cool_gadgets/{id}/{filename+}");
    expect(gadget).toMatchObject({ shardingKey: "project_id", shardingKeys: ["project_id", "namespace_id"] });
    expect(findReplicableProblems([gadget])).toEqual([]);
  });

  test("of a type that is off by default is an experiment until it is released (F86)", () => {
    expect(defineReplicable(declaration).experiment).toEqual({ milestone: "19.4" });
    expect(wrong({ enabledByDefault: true }).experiment).toBeUndefined();
  });

  test("says what it wants to be different", () => {
    const gadget = defineReplicable({
      ...declaration,
      plural: "cool_gadgetry",
      title: "Gadget",
      keyPattern: "gadgets/{project_id}/{id}",
      uploader: ["AUploader", "BUploader"],
      immutable: true,
      verification: { checksum: "sha256" },
    });
    expect(gadget.names).toMatchObject({ plural: "cool_gadgetry", title: "Gadget", titlePlural: "Gadgets" });
    expect(gadget).toMatchObject({ uploader: "AUploader", uploaders: ["AUploader", "BUploader"] });
    expect(gadget).toMatchObject({ immutable: true, checksumPolicy: "sha256" });
    expect(gadget.keyPattern.text).toBe("gadgets/{project_id}/{id}");
  });
});

const publishUpdated = (): void => assertEventSupported(defineReplicable(declaration), "updated");

describe("the events of a strategy (F3)", () => {
  const eventNames: readonly GeoEventName[] = ["created", "updated", "deleted", "checksum_succeeded"];
  test.each([
    ["blob", ["created", "deleted", "checksum_succeeded"]],
    ["repository", eventNames],
    ["custom", eventNames],
  ] as const)("%s supports %j and refuses all others", (strategy, supported) => {
    const gadget = defineReplicable({ ...declaration, strategy });
    const accepted = eventNames.filter((eventName) => {
      try {
        assertEventSupported(gadget, eventName);
        return true;
      } catch {
        return false;
      }
    });
    expect(accepted).toEqual(supported);
  });

  test("are named when another one is refused", () => {
    expect(publishUpdated).toThrow(GeoError);
    expect(publishUpdated).toThrow(/cool_gadget .* "updated"; it has created, deleted, checksum_succeeded/);
  });
});

describe("a start is refused for (F1)", () => {
  test.each<readonly [string, Readonly<Record<string, unknown>>, RegExp]>([
    ["a name in CamelCase", { name: "CoolGadget" }, /"CoolGadget": its name must be snake_case/],
    ["a name with two underscores in a row", { name: "cool__gadget" }, /snake_case/],
    ["a name that has a shell in it", { name: "a;rm -rf" }, /snake_case/],
    ["a name of 64 characters", { name: "a".repeat(64) }, /at most 63/],
    ["a name that begins with a blank", { name: " a" }, /its name must be snake_case/],
    ["a name that ends with a line", { name: "a\nb" }, /its name must be snake_case/],
    ["a name that begins with a digit", { name: "3d_model" }, /its name must be snake_case/],
    ["a name that ends with an underscore", { name: "a_" }, /its name must be snake_case/],
    ["a plural that is no name", { plural: "Cool Gadgets" }, /plural must be snake_case/],
    ...["projects", "repositories", "repositories_checked", "replication_slots"].map(
      (plural) =>
        [
          `the plural ${plural}, which a site's status needs`,
          { plural },
          /taken by a site's own status fields/,
        ] as const,
    ),
    ["an unknown strategy", { strategy: "blobb" }, /strategy is "blobb", expected blob, repository, custom/],
    ["a strategy that every object has", { strategy: "toString" }, /strategy is "toString"/],
    ["no scope", { scope: undefined }, /no selective sync scope; expected namespaceScope\(\)/],
    ["a scope that its key pattern knows nothing of", { scope: namespaceScope() }, /scope needs \{namespace_id\}/],
    [
      "an unknown sharding key",
      { shardingKey: "user_id", keyPattern: "a/{project_id}/{id}" },
      /sharding key is "user_id"/,
    ],
    ["an unknown sharding key among others", { shardingKey: ["project_id", "user_id"] }, /sharding key is "user_id"/],
    ["an empty list of sharding keys", { shardingKey: [] }, /no sharding key; .* says none/],
    ["no sharding key", { shardingKey: undefined }, /sharding key is undefined/],
    [
      "an owner in a key that could have another one",
      { shardingKey: ["project_id", "namespace_id"] },
      /scope needs \{project_id\}/,
    ],
    ["a model that is no class", { model: "cool gadget" }, /model must be a class name/],
    ["a model that is a call", { model: "CoolGadget.new" }, /model must be a class name/],
    ["a model behind something else", { model: "x CoolGadget" }, /model must be a class name/],
    ["a model in half a module", { model: "Cool::" }, /model must be a class name/],
    ["a model in a module that is none", { model: "Cool::gadget" }, /model must be a class name/],
    ["no model", { model: undefined }, /model must be a class name .* undefined/],
    ["a table that is no table", { table: "Cool-Gadgets" }, /table must be snake_case/],
    ["no uploader", { uploader: [] }, /no uploader/],
    ["an uploader that is no class", { uploader: ["AUploader", "b uploader"] }, /uploader must be .* "b uploader"/],
    ["a milestone that is none", { milestone: "soon" }, /milestone must look like 18\.11/],
    ["a milestone with a patch", { milestone: "18.11.2" }, /milestone must look like 18\.11, and is "18\.11\.2"/],
    ["a milestone with a letter before it", { milestone: "v18.11" }, /milestone must look like 18\.11/],
    [
      "an unknown checksum",
      { verification: { checksum: "md5" } },
      /checksum is "md5", expected stored_or_sha256, sha256/,
    ],
    ["a bad key pattern", { keyPattern: "gadgets/{project_id}/x" }, /key pattern .* no \{id\}/],
  ])("%s", (_, changes, problem) => {
    expect(findReplicableProblems([wrong(changes)]).join("\n")).toMatch(problem);
    expect(() => assertReplicables([wrong(changes)])).toThrow(problem);
    expect(() => assertReplicables([wrong(changes)])).toThrow(GeoError);
  });

  test("an empty list", () => {
    expect(findReplicableProblems([])).toEqual([expect.stringMatching(/at least one/)]);
  });

  test("a type that is declared twice, once said", () => {
    expect(findReplicableProblems([defineReplicable(declaration), defineReplicable(declaration)])).toEqual([
      '"cool_gadget" is declared twice',
    ]);
  });

  test("two types that could claim one key (R33)", () => {
    const [a, b] = [withTable("a"), withTable("b", { table: "as" })];
    expect(findReplicableProblems([a, b])).toEqual([
      expect.stringMatching(/"a" and "b" could claim one key: .*overlaps/),
    ]);
  });

  test.each([
    [
      "plural",
      { name: "leaf", plural: "leaves" },
      { name: "leave", plural: "leaves" },
      /"leaf" and "leave" share the plural "leaves"/,
    ],
    ["GraphQL field", { name: "a_1" }, { name: "a1" }, /share the GraphQL field "a1Registries"/],
    [
      "status field",
      { name: "x", plural: "x" },
      { name: "y", plural: "x_verification" },
      /share the status field "x_verification_failed_count"/,
    ],
  ])("two types that share a %s", (_, left, right, problem) => {
    const problems = findReplicableProblems([withTable(left.name, left), withTable(right.name, right)]).join("\n");
    expect(problems).toMatch(problem);
  });

  test.each([
    ["a partitioned type with a place", { keyPattern: "a/{id}" }, /"whole": .*expected no key pattern/],
    ["a partitioned type with a filter", { available: () => true }, /"whole": .*no filter of its own/],
    [
      "a partitioned type that is a partition",
      { partitionOf: "whole" },
      /"whole" is partitioned and a partition itself/,
    ],
    ["a whole that is not partitioned", { partitioned: false }, /"part" is a partition of "whole", which does not say/],
  ])("%s", (_, changes, problem) => {
    const whole = withTable("whole", { partitioned: true, scope: metadataScope, ...changes });
    const problems = findReplicableProblems([whole, withTable("part", { partitionOf: "whole" })]);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(problem);
  });

  test("a partitioned type without partitions, and not for partitions without the whole", () => {
    const whole = withTable("whole", { partitioned: true, scope: metadataScope });
    const part = withTable("part", { partitionOf: "whole" });
    expect(whole.keyPattern).toBe(NO_KEYS);
    expect(findReplicableProblems([whole])).toEqual([
      expect.stringMatching(/"whole" has the objects of its partitions/),
    ]);
    expect(findReplicableProblems([part])).toEqual([]);
    expect(findReplicableProblems([whole, part])).toEqual([]);
  });

  test("everything at once, each problem on its own line", () => {
    const list = [
      wrong({ name: "Bad", strategy: "none", scope: undefined }),
      withTable("a"),
      withTable("b", { table: "as" }),
    ];
    const problems = findReplicableProblems(list);
    expect(problems).toHaveLength(5);
    expect(() => assertReplicables(list)).toThrow(problems.join("\n- "));
  });
});

describe("the owner of an object", () => {
  test.each([
    ["namespace", namespaceScope, "namespace_id"],
    ["project", projectScope, "project_id"],
    ["organization", organizationScope, "organization_id"],
  ] as const)("that is a %s is found in the key, by its usual name or another", (owner, scope, placeholder) => {
    expect(scope()).toEqual({ from: "key", placeholder, owner });
    expect(scope("owner_id")).toEqual({ from: "key", placeholder: "owner_id", owner });
  });

  test("may stand in metadata alone, or not matter", () => {
    expect(metadataScope).toEqual({ from: "metadata" });
    expect(alwaysReplicated).toEqual({ from: "nothing" });
  });
});

test("a name may have 63 characters, and digits where they do no harm", () => {
  expect(findReplicableProblems([wrong({ name: "a".repeat(63) })])).toEqual([]);
  expect(findReplicableProblems([wrong({ name: "s3_object_2", milestone: "100.200" })])).toEqual([]);
});

test("data of the whole instance may ignore selective sync", () => {
  expect(findReplicableProblems([wrong({ shardingKey: "none", scope: alwaysReplicated })])).toEqual([]);
});
