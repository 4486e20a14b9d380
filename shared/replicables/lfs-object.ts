import { metadataScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/**
 * Large files of repositories (Git LFS). A file is shared by the projects that hold it, so that only metadata can name its
 * owners: `lfs_objects/42/4c/8e/31f2`.
 */
export const lfsObject = defineReplicable({
  name: "lfs_object",
  title: "LFS Object",
  model: "LfsObject",
  table: "lfs_objects",
  shardingKey: "none",
  uploader: "LfsObjectUploader",
  strategy: "blob",
  scope: metadataScope,
  milestone: "13.11",
  enabledByDefault: true,
});
