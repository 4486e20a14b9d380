import { describe, expect, test } from "vitest";
import {
  dataManagementPath,
  modelNameOf,
  recordIdentifierOf,
  recordIdOf,
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
    ["42", "42"],
    ["7/42/a%20b.png", "Ny80Mi9hJTIwYi5wbmc"],
    ["007", "MDA3"],
  ])("identify the record %j as %j, and lead back to it (F79)", (id, identifier) => {
    expect(recordIdentifierOf(id)).toBe(identifier);
    expect(recordIdOf(identifier)).toBe(id);
  });

  test.each(["", "Ny80Mi9hJTIwYi5wbmc=", "NDI", "007", "a", "../x", "_w"])("know no record of %j", (identifier) => {
    expect(recordIdOf(identifier)).toBeUndefined();
  });

  test("lead to the page of a record", () => {
    expect(dataManagementPath({ table: "p_ci_job_artifacts" }, "42")).toBe(
      "/admin/data_management/ci_job_artifacts/42",
    );
  });
});
