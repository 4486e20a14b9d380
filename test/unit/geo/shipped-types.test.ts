import { describe, expect, test } from "vitest";
import { buildKey, matchKeyPattern } from "../../../shared/geo/key-pattern.ts";
import { assertReplicables, findReplicableProblems } from "../../../shared/geo/replicable-problems.ts";
import { replicables } from "../../../shared/replicables/index.ts";

/** Name, table, model, sharding keys, uploaders and milestone of GitLab's partitions of uploads. */
const PARTITIONS = [
  ["abuse_report_upload", "abuse_report_uploads", "AbuseReport", "organization_id", "AttachmentUploader", "18.10"],
  ["achievement_upload", "achievement_uploads", "Achievements::Achievement", "namespace_id", "AvatarUploader", "18.11"],
  [
    "ai_vectorizable_file_upload",
    "ai_vectorizable_file_uploads",
    "Ai::VectorizableFile",
    "project_id",
    "AttachmentUploader",
    "19.0",
  ],
  [
    "alert_management_metric_image_upload",
    "alert_management_alert_metric_image_uploads",
    "AlertManagement::MetricImage",
    "project_id",
    "MetricImageUploader",
    "19.1",
  ],
  ["appearance_upload", "appearance_uploads", "Appearance", "none", "AttachmentUploader FaviconUploader", "19.2"],
  [
    "bulk_import_export_upload_upload",
    "bulk_import_export_upload_uploads",
    "BulkImports::ExportUpload",
    "project_id namespace_id",
    "BulkImports::ExportUploader",
    "19.0",
  ],
  [
    "dependency_list_export_part_upload",
    "dependency_list_export_part_uploads",
    "Dependencies::DependencyListExport::Part",
    "organization_id",
    "AttachmentUploader",
    "19.2",
  ],
  [
    "dependency_list_export_upload",
    "dependency_list_export_uploads",
    "Dependencies::DependencyListExport",
    "organization_id namespace_id project_id",
    "AttachmentUploader",
    "19.1",
  ],
  [
    "design_management_action_upload",
    "design_management_action_uploads",
    "DesignManagement::Action",
    "namespace_id",
    "DesignV432x230Uploader",
    "18.11",
  ],
  ["group_upload", "namespace_uploads", "Namespace", "namespace_id", "NamespaceFileUploader AvatarUploader", "18.11"],
  [
    "import_export_upload_upload",
    "import_export_upload_uploads",
    "ImportExportUpload",
    "project_id namespace_id",
    "ImportExportUploader",
    "19.0",
  ],
  [
    "issuable_metric_image_upload",
    "issuable_metric_image_uploads",
    "IssuableMetricImage",
    "namespace_id",
    "MetricImageUploader",
    "19.1",
  ],
  [
    "organization_detail_upload",
    "organization_detail_uploads",
    "Organizations::OrganizationDetail",
    "organization_id",
    "AvatarUploader",
    "19.2",
  ],
  ["personal_snippet_upload", "snippet_uploads", "Snippet", "organization_id", "PersonalFileUploader", "19.1"],
  [
    "project_import_export_relation_export_upload_upload",
    "project_import_export_relation_export_upload_uploads",
    "Projects::ImportExport::RelationExportUpload",
    "project_id",
    "ImportExportUploader",
    "19.0",
  ],
  ["project_topic_upload", "project_topic_uploads", "Projects::Topic", "organization_id", "AvatarUploader", "19.2"],
  ["project_upload", "project_uploads", "Project", "project_id", "FileUploader AvatarUploader", "18.10"],
  [
    "user_permission_export_upload_upload",
    "user_permission_export_upload_uploads",
    "UserPermissionExportUpload",
    "uploaded_by_user_id",
    "AttachmentUploader",
    "19.1",
  ],
  ["user_upload", "user_uploads", "User", "organization_id", "AvatarUploader PersonalFileUploader", "18.11"],
  [
    "vulnerability_archive_export_upload",
    "vulnerability_archive_export_uploads",
    "Vulnerabilities::ArchiveExport",
    "project_id",
    "AttachmentUploader",
    "19.0",
  ],
  [
    "vulnerability_export_part_upload",
    "vulnerability_export_part_uploads",
    "Vulnerabilities::Export::Part",
    "organization_id",
    "AttachmentUploader",
    "19.1",
  ],
  [
    "vulnerability_export_upload",
    "vulnerability_export_uploads",
    "Vulnerabilities::Export",
    "organization_id",
    "AttachmentUploader",
    "19.0",
  ],
  [
    "vulnerability_remediation_upload",
    "vulnerability_remediation_uploads",
    "Vulnerabilities::Remediation",
    "project_id",
    "AttachmentUploader",
    "19.2",
  ],
] as const;

const BLOBS = [
  ["lfs_object", "lfs_objects", "LfsObject", "none", "LfsObjectUploader", "13.11"],
  ["job_artifact", "p_ci_job_artifacts", "Ci::JobArtifact", "project_id", "JobArtifactUploader", "14.8"],
  [
    "pipeline_artifact",
    "ci_pipeline_artifacts",
    "Ci::PipelineArtifact",
    "project_id",
    "Ci::PipelineArtifactUploader",
    "13.11",
  ],
  ["ci_secure_file", "ci_secure_files", "Ci::SecureFile", "project_id", "Ci::SecureFileUploader", "15.2"],
  [
    "package_file",
    "packages_package_files",
    "Packages::PackageFile",
    "project_id",
    "Packages::PackageFileUploader",
    "13.2",
  ],
  [
    "packages_helm_metadata_cache",
    "packages_helm_metadata_caches",
    "Packages::Helm::MetadataCache",
    "project_id",
    "Packages::Helm::MetadataCacheUploader",
    "18.10",
  ],
  [
    "packages_nuget_symbol",
    "packages_nuget_symbols",
    "Packages::Nuget::Symbol",
    "project_id",
    "Packages::Nuget::SymbolUploader",
    "18.10",
  ],
  [
    "terraform_state_version",
    "terraform_state_versions",
    "Terraform::StateVersion",
    "project_id",
    "Terraform::StateUploader",
    "13.5",
  ],
  ["merge_request_diff", "merge_request_diffs", "MergeRequestDiff", "project_id", "ExternalDiffUploader", "13.4"],
  ["pages_deployment", "pages_deployments", "PagesDeployment", "project_id", "Pages::DeploymentUploader", "14.3"],
  [
    "dependency_proxy_blob",
    "dependency_proxy_blobs",
    "DependencyProxy::Blob",
    "group_id",
    "DependencyProxy::FileUploader",
    "15.6",
  ],
  [
    "dependency_proxy_manifest",
    "dependency_proxy_manifests",
    "DependencyProxy::Manifest",
    "group_id",
    "DependencyProxy::FileUploader",
    "15.6",
  ],
] as const;

const find = (name: string) => replicables.find((each) => each.name === name);
const placesOf = (name: string) => [find(name)?.keyPattern.text, find(name)?.scope.from];

describe("the types that are shipped (F89)", () => {
  test("can start together", () => {
    expect(findReplicableProblems(replicables)).toEqual([]);
    expect(() => assertReplicables(replicables)).not.toThrow();
  });

  test("are GitLab's types of objects, and the example", () => {
    const names = [...PARTITIONS, ...BLOBS].map(([name]) => name);
    const others = ["packages_debian_project_component_file", "upload", "cool_widget"];
    expect(replicables.map(({ name }) => name)).toEqual(expect.arrayContaining([...names, ...others]));
    expect(PARTITIONS).toHaveLength(23);
  });

  test.each([...PARTITIONS, ...BLOBS])(
    "%s is declared as Geo has it",
    (name, table, model, keys, uploaders, milestone) => {
      const replicable = find(name);
      expect(replicable).toMatchObject({ table, model, milestone, strategy: "blob" });
      expect(replicable?.shardingKeys).toEqual(keys.split(" "));
      expect(replicable?.uploaders).toEqual(uploaders.split(" "));
    },
  );

  test("are on when GitLab has released them", () => {
    for (const [name] of PARTITIONS) expect(find(name)?.enabledByDefault).toBe(false);
    for (const [name] of BLOBS) expect(find(name)?.enabledByDefault).toBe(true);
    expect(find("upload")?.enabledByDefault).toBe(true);
    expect(find("packages_debian_project_component_file")?.enabledByDefault).toBe(false);
  });

  test("have the plurals that status fields are made of", () => {
    expect(find("dependency_list_export_part_upload")?.names.plural).toBe("dependency_list_export_part_uploads");
    expect(find("packages_helm_metadata_cache")?.names.plural).toBe("packages_helm_metadata_caches");
    expect(find("personal_snippet_upload")?.names.plural).toBe("personal_snippet_uploads");
  });

  test("tell owners by their keys where a key names one, and else leave it to metadata", () => {
    expect(placesOf("group_upload")).toEqual(["namespace_uploads/{namespace_id}/{id}/{filename+}", "key"]);
    expect(placesOf("dependency_proxy_blob")).toEqual(["dependency_proxy_blobs/{group_id}/{id}/{filename+}", "key"]);
    expect(placesOf("import_export_upload_upload")).toEqual([
      "import_export_upload_uploads/{id}/{filename+}",
      "metadata",
    ]);
    expect(placesOf("user_permission_export_upload_upload")[1]).toBe("metadata");
    expect(placesOf("appearance_upload")).toEqual(["appearance_uploads/{id}/{filename+}", "nothing"]);
  });

  test.each(replicables.filter(({ partitioned }) => !partitioned))(
    "$name finds back what it builds",
    ({ keyPattern }) => {
      const attributes = Object.fromEntries(keyPattern.placeholders.map((name) => [name, `${name} 1`]));
      expect(matchKeyPattern(keyPattern, buildKey(keyPattern, attributes))?.attributes).toEqual(attributes);
    },
  );

  test("are in alphabetical order, so that what is made of them stays in place", () => {
    const names = replicables.map(({ name }) => name);
    expect(names).toEqual(names.toSorted());
  });
});
