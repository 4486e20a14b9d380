import { metadataScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** All uploads as one type, as before there were partitions. Its objects are theirs; see shared/geo/upload-partitions.ts. */
export const upload = defineReplicable({
  name: "upload",
  model: "Upload",
  table: "uploads",
  shardingKey: ["organization_id", "namespace_id", "project_id", "uploaded_by_user_id"],
  partitioned: true,
  uploader: ["FileUploader", "AvatarUploader"],
  strategy: "blob",
  scope: metadataScope,
  milestone: "14.4",
  enabledByDefault: true,
});
