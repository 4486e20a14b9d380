import { namespaceScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Files in issues and epics of a group, and its avatar: `namespace_uploads/7/42/avatar.png`. */
export const groupUpload = defineReplicable({
  name: "group_upload",
  model: "Group",
  table: "namespace_uploads",
  shardingKey: "namespace_id",
  uploader: ["NamespaceFileUploader", "AvatarUploader"],
  strategy: "blob",
  scope: namespaceScope(),
  milestone: "18.11",
  enabledByDefault: false,
});
