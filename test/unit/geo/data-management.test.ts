import { describe, expect, test } from "vitest";
import {
  dataManagementPath,
  keyOfIdentifier,
  modelNameOf,
  recordIdentifier,
} from "../../../shared/geo/data-management.ts";
import { replicables } from "../../../shared/replicables/index.ts";

describe("the names of data management", () => {
  test("are those of GitLab's models, one for each type (F79)", () => {
    const names = new Map(replicables.map((replicable) => [replicable.name, modelNameOf(replicable)]));
    expect(names.get("job_artifact")).toBe("ci_job_artifacts");
    expect(names.get("package_file")).toBe("packages_package_files");
    expect(names.get("lfs_object")).toBe("lfs_objects");
    expect(new Set(names.values()).size).toBe(replicables.length);
  });

  test.each([
    ["lfs_objects/42/4c/8e", "bGZzX29iamVjdHMvNDIvNGMvOGU"],
    ["a/ü b.png", "YS_DvCBiLnBuZw"],
  ])("identify the record of %j as %j, and lead back to it (F79)", (key, identifier) => {
    expect(recordIdentifier(key)).toBe(identifier);
    expect(keyOfIdentifier(identifier)).toBe(key);
  });

  test.each(["", "bGZzX29iamVjdHMvNDIvNGMvOGU=", "a", "../x", "_w"])("know no record of %j", (identifier) => {
    expect(keyOfIdentifier(identifier)).toBeUndefined();
  });

  test("lead to the page of a record", () => {
    expect(dataManagementPath({ table: "p_ci_job_artifacts" }, "lfs_objects/42/4c/8e")).toBe(
      "/admin/data_management/ci_job_artifacts/bGZzX29iamVjdHMvNDIvNGMvOGU",
    );
  });
});
