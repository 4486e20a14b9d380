import { namespaceScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Layers of container images that a group has pulled: `dependency_proxy_blobs/7/42/a3ed95ca.gz`. */
export const dependencyProxyBlob = defineReplicable({
  name: "dependency_proxy_blob",
  model: "DependencyProxy::Blob",
  table: "dependency_proxy_blobs",
  shardingKey: "group_id",
  uploader: "DependencyProxy::FileUploader",
  strategy: "blob",
  scope: namespaceScope("group_id"),
  milestone: "15.6",
  enabledByDefault: true,
});
