import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Versions of Terraform states: `terraform_state_versions/7/42/12.tfstate`. */
export const terraformStateVersion = defineReplicable({
  name: "terraform_state_version",
  model: "Terraform::StateVersion",
  table: "terraform_state_versions",
  shardingKey: "project_id",
  uploader: "Terraform::StateUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "13.5",
  enabledByDefault: true,
});
