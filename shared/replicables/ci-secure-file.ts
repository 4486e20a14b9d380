import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Keys and certificates for CI jobs, encrypted by GitLab: `ci_secure_files/7/42/profile.mobileprovision`. */
export const ciSecureFile = defineReplicable({
  name: "ci_secure_file",
  title: "CI Secure File",
  model: "Ci::SecureFile",
  table: "ci_secure_files",
  shardingKey: "project_id",
  uploader: "Ci::SecureFileUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "15.2",
  enabledByDefault: true,
});
