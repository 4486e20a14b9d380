import {
  alwaysReplicated,
  metadataScope,
  namespaceScope,
  organizationScope,
  projectScope,
  type SelectiveSyncScope,
} from "../geo/replicable-scope.ts";
import { defineReplicable, type Replicable, type ReplicableDeclaration, type ShardingKey } from "../geo/replicable.ts";

/** What sets one partition apart from another. */
type Partition = Pick<ReplicableDeclaration, "name" | "model" | "table" | "shardingKey" | "uploader" | "milestone">;

/** Who uploaded a file does not say where it belongs; the file's metadata may. */
const SCOPES: Readonly<Record<ShardingKey, SelectiveSyncScope>> = {
  namespace_id: namespaceScope(),
  group_id: namespaceScope("group_id"),
  project_id: projectScope(),
  organization_id: organizationScope(),
  uploaded_by_user_id: metadataScope,
  none: alwaysReplicated,
};

/** With several sharding keys, the first would be wrong for the records that have another: these say it in metadata. */
const scopeOf = (shardingKey: Partition["shardingKey"]): SelectiveSyncScope =>
  typeof shardingKey === "string" ? SCOPES[shardingKey] : metadataScope;

const partition = (declared: Partition): Replicable =>
  defineReplicable({
    ...declared,
    strategy: "blob",
    scope: scopeOf(declared.shardingKey),
    partitionOf: "upload",
    enabledByDefault: false,
  });

/** Files in issues and epics of a group, and its avatar: `namespace_uploads/7/42/avatar.png`. */
export const groupUpload = partition({
  name: "group_upload",
  model: "Namespace",
  table: "namespace_uploads",
  shardingKey: "namespace_id",
  uploader: ["NamespaceFileUploader", "AvatarUploader"],
  milestone: "18.11",
});

/**
 * The partitions of GitLab's table of uploads, one for each class of record that files are uploaded to:
 * `achievement_uploads/7/42/avatar.png`. While `upload` is replicated, their objects are of that type.
 */
export const uploadPartitions: readonly Replicable[] = [
  partition({
    name: "abuse_report_upload",
    model: "AbuseReport",
    table: "abuse_report_uploads",
    shardingKey: "organization_id",
    uploader: "AttachmentUploader",
    milestone: "18.10",
  }),
  partition({
    name: "achievement_upload",
    model: "Achievements::Achievement",
    table: "achievement_uploads",
    shardingKey: "namespace_id",
    uploader: "AvatarUploader",
    milestone: "18.11",
  }),
  partition({
    name: "ai_vectorizable_file_upload",
    model: "Ai::VectorizableFile",
    table: "ai_vectorizable_file_uploads",
    shardingKey: "project_id",
    uploader: "AttachmentUploader",
    milestone: "19.0",
  }),
  partition({
    name: "alert_management_metric_image_upload",
    model: "AlertManagement::MetricImage",
    table: "alert_management_alert_metric_image_uploads",
    shardingKey: "project_id",
    uploader: "MetricImageUploader",
    milestone: "19.1",
  }),
  partition({
    name: "appearance_upload",
    model: "Appearance",
    table: "appearance_uploads",
    shardingKey: "none",
    uploader: ["AttachmentUploader", "FaviconUploader"],
    milestone: "19.2",
  }),
  partition({
    name: "bulk_import_export_upload_upload",
    model: "BulkImports::ExportUpload",
    table: "bulk_import_export_upload_uploads",
    shardingKey: ["project_id", "namespace_id"],
    uploader: "BulkImports::ExportUploader",
    milestone: "19.0",
  }),
  partition({
    name: "dependency_list_export_part_upload",
    model: "Dependencies::DependencyListExport::Part",
    table: "dependency_list_export_part_uploads",
    shardingKey: "organization_id",
    uploader: "AttachmentUploader",
    milestone: "19.2",
  }),
  partition({
    name: "dependency_list_export_upload",
    model: "Dependencies::DependencyListExport",
    table: "dependency_list_export_uploads",
    shardingKey: ["organization_id", "namespace_id", "project_id"],
    uploader: "AttachmentUploader",
    milestone: "19.1",
  }),
  partition({
    name: "design_management_action_upload",
    model: "DesignManagement::Action",
    table: "design_management_action_uploads",
    shardingKey: "namespace_id",
    uploader: "DesignV432x230Uploader",
    milestone: "18.11",
  }),
  groupUpload,
  partition({
    name: "import_export_upload_upload",
    model: "ImportExportUpload",
    table: "import_export_upload_uploads",
    shardingKey: ["project_id", "namespace_id"],
    uploader: "ImportExportUploader",
    milestone: "19.0",
  }),
  partition({
    name: "issuable_metric_image_upload",
    model: "IssuableMetricImage",
    table: "issuable_metric_image_uploads",
    shardingKey: "namespace_id",
    uploader: "MetricImageUploader",
    milestone: "19.1",
  }),
  partition({
    name: "organization_detail_upload",
    model: "Organizations::OrganizationDetail",
    table: "organization_detail_uploads",
    shardingKey: "organization_id",
    uploader: "AvatarUploader",
    milestone: "19.2",
  }),
  partition({
    name: "personal_snippet_upload",
    model: "Snippet",
    table: "snippet_uploads",
    shardingKey: "organization_id",
    uploader: "PersonalFileUploader",
    milestone: "19.1",
  }),
  partition({
    name: "project_import_export_relation_export_upload_upload",
    model: "Projects::ImportExport::RelationExportUpload",
    table: "project_import_export_relation_export_upload_uploads",
    shardingKey: "project_id",
    uploader: "ImportExportUploader",
    milestone: "19.0",
  }),
  partition({
    name: "project_topic_upload",
    model: "Projects::Topic",
    table: "project_topic_uploads",
    shardingKey: "organization_id",
    uploader: "AvatarUploader",
    milestone: "19.2",
  }),
  partition({
    name: "project_upload",
    model: "Project",
    table: "project_uploads",
    shardingKey: "project_id",
    uploader: ["FileUploader", "AvatarUploader"],
    milestone: "18.10",
  }),
  partition({
    name: "user_permission_export_upload_upload",
    model: "UserPermissionExportUpload",
    table: "user_permission_export_upload_uploads",
    shardingKey: "uploaded_by_user_id",
    uploader: "AttachmentUploader",
    milestone: "19.1",
  }),
  partition({
    name: "user_upload",
    model: "User",
    table: "user_uploads",
    shardingKey: "organization_id",
    uploader: ["AvatarUploader", "PersonalFileUploader"],
    milestone: "18.11",
  }),
  partition({
    name: "vulnerability_archive_export_upload",
    model: "Vulnerabilities::ArchiveExport",
    table: "vulnerability_archive_export_uploads",
    shardingKey: "project_id",
    uploader: "AttachmentUploader",
    milestone: "19.0",
  }),
  partition({
    name: "vulnerability_export_part_upload",
    model: "Vulnerabilities::Export::Part",
    table: "vulnerability_export_part_uploads",
    shardingKey: "organization_id",
    uploader: "AttachmentUploader",
    milestone: "19.1",
  }),
  partition({
    name: "vulnerability_export_upload",
    model: "Vulnerabilities::Export",
    table: "vulnerability_export_uploads",
    shardingKey: "organization_id",
    uploader: "AttachmentUploader",
    milestone: "19.0",
  }),
  partition({
    name: "vulnerability_remediation_upload",
    model: "Vulnerabilities::Remediation",
    table: "vulnerability_remediation_uploads",
    shardingKey: "project_id",
    uploader: "AttachmentUploader",
    milestone: "19.2",
  }),
];
