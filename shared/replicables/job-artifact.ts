import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Artifacts and archived logs of CI jobs: `p_ci_job_artifacts/7/42/artifacts.zip`. */
export const jobArtifact = defineReplicable({
  name: "job_artifact",
  model: "Ci::JobArtifact",
  table: "p_ci_job_artifacts",
  shardingKey: "project_id",
  uploader: "JobArtifactUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "14.8",
  enabledByDefault: true,
});
