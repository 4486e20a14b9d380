import { projectScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/**
 * External diffs of merge requests: `merge_request_diffs/7/42/diff-42`. A diff that GitLab keeps in its database is none of
 * them; what a program puts beside it, for a cache say, goes under `internal/` and is left alone.
 */
export const mergeRequestDiff = defineReplicable({
  name: "merge_request_diff",
  model: "MergeRequestDiff",
  table: "merge_request_diffs",
  shardingKey: "project_id",
  available: ({ filename }) => filename?.startsWith("internal/") !== true,
  uploader: "ExternalDiffUploader",
  strategy: "blob",
  scope: projectScope(),
  milestone: "13.4",
  enabledByDefault: true,
});
