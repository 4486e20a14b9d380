import { namespaceScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Pictures of achievements: `achievement_uploads/7/42/avatar.png`. */
export const achievementUpload = defineReplicable({
  name: "achievement_upload",
  model: "Achievements::Achievement",
  table: "achievement_uploads",
  shardingKey: "namespace_id",
  uploader: "AvatarUploader",
  strategy: "blob",
  scope: namespaceScope(),
  milestone: "18.11",
  enabledByDefault: false,
});
