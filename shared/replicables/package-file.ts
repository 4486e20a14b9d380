import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Files of the package registry, of every package format: `packages_package_files/7/42/widget-1.0.tgz`. */
export const packageFile = defineReplicable({
  name: "package_file",
  model: "Packages::PackageFile",
  table: "packages_package_files",
  shardingKey: "project_id",
  uploader: "Packages::PackageFileUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "13.2",
  enabledByDefault: true,
});
