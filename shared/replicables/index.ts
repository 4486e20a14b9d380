import type { Replicable } from "../geo/replicable.ts";
import { ciSecureFile } from "./ci-secure-file.ts";
import { coolWidget } from "./cool-widget.ts";
import { dependencyProxyBlob } from "./dependency-proxy-blob.ts";
import { dependencyProxyManifest } from "./dependency-proxy-manifest.ts";
import { jobArtifact } from "./job-artifact.ts";
import { lfsObject } from "./lfs-object.ts";
import { mergeRequestDiff } from "./merge-request-diff.ts";
import { packageFile } from "./package-file.ts";
import { packagesDebianProjectComponentFile } from "./packages-debian-project-component-file.ts";
import { packagesHelmMetadataCache } from "./packages-helm-metadata-cache.ts";
import { packagesNugetSymbol } from "./packages-nuget-symbol.ts";
import { pagesDeployment } from "./pages-deployment.ts";
import { pipelineArtifact } from "./pipeline-artifact.ts";
import { terraformStateVersion } from "./terraform-state-version.ts";
import { upload } from "./upload.ts";
import { uploadPartitions } from "./upload-partitions.ts";

/** Every kind of object that can be replicated. The only list: a type that is added here exists everywhere. */
export const replicables: readonly Replicable[] = [
  ciSecureFile,
  coolWidget,
  dependencyProxyBlob,
  dependencyProxyManifest,
  jobArtifact,
  lfsObject,
  mergeRequestDiff,
  packageFile,
  packagesDebianProjectComponentFile,
  packagesHelmMetadataCache,
  packagesNugetSymbol,
  pagesDeployment,
  pipelineArtifact,
  terraformStateVersion,
  upload,
  ...uploadPartitions,
].toSorted((left, right) => (left.name < right.name ? -1 : 1));
