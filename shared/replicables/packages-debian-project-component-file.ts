import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Indexes of Debian distributions: `packages_debian_project_component_files/7/42/Packages.gz`. */
export const packagesDebianProjectComponentFile = defineReplicable({
  name: "packages_debian_project_component_file",
  title: "Debian Project Component File",
  model: "Packages::Debian::ProjectComponentFile",
  table: "packages_debian_project_component_files",
  shardingKey: "project_id",
  uploader: "Packages::Debian::ComponentFileUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "19.1",
  enabledByDefault: false,
});
