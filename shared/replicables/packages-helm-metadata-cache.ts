import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Indexes of Helm channels: `packages_helm_metadata_caches/7/42/index.yaml`. */
export const packagesHelmMetadataCache = defineReplicable({
  name: "packages_helm_metadata_cache",
  title: "Helm Metadata Cache",
  model: "Packages::Helm::MetadataCache",
  table: "packages_helm_metadata_caches",
  shardingKey: "project_id",
  uploader: "Packages::Helm::MetadataCacheUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "18.10",
  enabledByDefault: true,
});
