import { describe, expect, test } from "vitest";
import { matchKey } from "../../../shared/geo/replicable-match.ts";
import { applySelection } from "../../../shared/geo/replicable-selection.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import { findSwitchOverProblem, keyPrefixesOf, otherOwner, ownerNow } from "../../../shared/geo/upload-partitions.ts";
import { replicables } from "../../../shared/replicables/index.ts";

const LEGACY = "geo_upload_replication";
const partitions = replicables.filter(({ partitionOf }) => partitionOf === "upload");

const named = (name: string, list = replicables): Replicable => {
  const replicable = list.find((each) => each.name === name);
  if (replicable === undefined) throw new Error(`there is no ${name}`);
  return replicable;
};
const ownerOf = (key: string, isReplicated: (name: string) => boolean, list = replicables) => {
  const match = matchKey(list, key);
  if (match === undefined) throw new Error(`nobody claims ${key}`);
  return ownerNow(list, match, isReplicated);
};
const isLegacy = (name: string): boolean => name === "upload";

describe("an upload belongs to", () => {
  test("the type of all uploads while that is replicated, whether its partition is or not", () => {
    const key = "namespace_uploads/7/42/a b.png";
    for (const isReplicated of [isLegacy, () => true]) {
      expect(ownerOf(key, isReplicated)).toMatchObject({
        replicable: { name: "upload", model: "Upload", names: named("upload").names },
        modelRecordId: "group_upload/7/42/a%20b.png",
        attributes: { namespace_id: "7", id: "42", filename: "a b.png" },
      });
    }
  });

  test("its partition when it is not, whether that is replicated or not", () => {
    for (const isReplicated of [(name: string) => name === "group_upload", () => false]) {
      const owner = ownerOf("namespace_uploads/7/42/a.png", isReplicated);
      expect(owner.replicable).toBe(named("group_upload"));
      expect(owner.modelRecordId).toBe("7/42/a.png");
    }
  });

  test("its partition where an installation does without the type of all uploads", () => {
    const list = applySelection(replicables, { names: ["group_upload"], keyPatterns: {} });
    expect(ownerOf("namespace_uploads/7/42/a.png", () => true, list).replicable.name).toBe("group_upload");
  });

  test("the same owners and uploader either way", () => {
    const key = "snippet_uploads/3/42/a.png";
    const { replicable } = ownerOf(key, isLegacy);
    const { scope, uploader, uploaders } = named("personal_snippet_upload");
    expect(replicable).toMatchObject({ scope, uploader, uploaders });
  });

  test("one record for each key, although partitions count their records apart", () => {
    const ids = partitions.map(({ table }) => ownerOf(`${table}/7/42/a.png`, isLegacy).modelRecordId);
    expect(new Set(ids).size).toBe(partitions.length);
  });
});

test("any other object belongs to its own type", () => {
  const owner = ownerOf("lfs_objects/42/a", () => true);
  expect(owner.replicable).toBe(named("lfs_object"));
  expect(owner.modelRecordId).toBe("42/a");
});

describe("the keys of a type begin with", () => {
  test("its own prefix, or those of all its partitions", () => {
    expect(keyPrefixesOf(replicables, named("lfs_object"))).toEqual(["lfs_objects/"]);
    const prefixes = keyPrefixesOf(replicables, named("upload"));
    expect(prefixes).toHaveLength(23);
    expect(prefixes).toContain("namespace_uploads/");
  });

  test.each([
    [["u/", "u/b/"], ["u/"]],
    [["u/", "u/"], ["u/"]],
    [["", "u/"], [""]],
    [
      ["u/a/", "u/b/"],
      ["u/a/", "u/b/"],
    ],
  ])("no prefix twice, and none within another: of %j, %j", (wanted, listed) => {
    const patterns = ["group_upload", "user_upload"].map((name, index) => [name, `${wanted[index]}{x}/{id}/${index}`]);
    const keyPatterns = Object.fromEntries(patterns) as Record<string, string>;
    const list = applySelection(replicables, { names: ["group_upload", "upload", "user_upload"], keyPatterns });
    expect(keyPrefixesOf(list, named("upload", list))).toEqual(listed);
  });
});

const allOn = (): boolean => true;
const allBut =
  (...names: readonly string[]) =>
  (flag: string): boolean =>
    !names.some((name) => flag === `geo_${name}_replication`);

describe("turning the type of all uploads off", () => {
  test("is refused while a partition is off, and the partitions are named", () => {
    const problem = findSwitchOverProblem(replicables, LEGACY, false, allBut("group_upload", "user_upload"));
    expect(problem).toMatch(
      /"geo_upload_replication" .* turn on first: geo_group_upload_replication, geo_user_upload_replication$/,
    );
  });

  test("is right when all partitions are on", () => {
    expect(findSwitchOverProblem(replicables, LEGACY, false, allOn)).toBeUndefined();
  });

  test("asks for the partitions that the installation has, and no others", () => {
    const list = applySelection(replicables, { names: ["upload", "group_upload"], keyPatterns: {} });
    expect(findSwitchOverProblem(list, LEGACY, false, allBut("user_upload"))).toBeUndefined();
    expect(findSwitchOverProblem(list, LEGACY, false, allBut("group_upload"))).toMatch(/geo_group_upload_replication$/);
  });

  test.each([
    [LEGACY, true],
    ["geo_group_upload_replication", false],
    ["geo_upload_force_primary_checksumming", false],
    ["geo_lfs_object_replication", false],
    ["geo_no_such_flag", false],
  ])("is the only change that depends on others: %s to %s does not", (flag, value) => {
    expect(findSwitchOverProblem(replicables, flag, value, () => false)).toBeUndefined();
  });
});

test("an object of a partition has another type before and after a switch-over; any other object has none (F92)", () => {
  const avatar = "achievement_uploads/7/42/avatar.png";
  expect(otherOwner(replicables, avatar, "upload")).toBe("achievement_upload");
  expect(otherOwner(replicables, avatar, "achievement_upload")).toBe("upload");
  expect(otherOwner(replicables, "cool_widgets/42/widget.bin", "cool_widget")).toBeUndefined();
  expect(otherOwner(replicables, "nobody/knows/this", "upload")).toBeUndefined();
  const partitionsAlone = replicables.filter(({ partitioned }) => !partitioned);
  expect(otherOwner(partitionsAlone, avatar, "achievement_upload")).toBeUndefined();
});
