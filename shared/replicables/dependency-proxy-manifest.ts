import { namespaceScope } from "../geo/replicable-scope.ts";
import { defineReplicable } from "../geo/replicable.ts";

/** Manifests of container images that a group has pulled: `dependency_proxy_manifests/7/42/latest.json`. */
export const dependencyProxyManifest = defineReplicable({
  name: "dependency_proxy_manifest",
  model: "DependencyProxy::Manifest",
  table: "dependency_proxy_manifests",
  shardingKey: "group_id",
  uploader: "DependencyProxy::FileUploader",
  strategy: "blob",
  scope: namespaceScope("group_id"),
  milestone: "15.6",
  enabledByDefault: true,
});
