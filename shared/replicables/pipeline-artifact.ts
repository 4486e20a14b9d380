import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Reports that a pipeline leaves behind: `ci_pipeline_artifacts/7/42/coverage.json`. */
export const pipelineArtifact = defineReplicable({
  name: "pipeline_artifact",
  model: "Ci::PipelineArtifact",
  table: "ci_pipeline_artifacts",
  shardingKey: "project_id",
  uploader: "Ci::PipelineArtifactUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "13.11",
  enabledByDefault: true,
});
