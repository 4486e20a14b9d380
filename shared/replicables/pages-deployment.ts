import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Websites, as archives: `pages_deployments/7/42/artifacts.zip`. */
export const pagesDeployment = defineReplicable({
  name: "pages_deployment",
  model: "PagesDeployment",
  table: "pages_deployments",
  shardingKey: "project_id",
  uploader: "Pages::DeploymentUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "14.3",
  enabledByDefault: true,
});
