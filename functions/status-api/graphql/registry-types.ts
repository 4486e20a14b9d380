import { dataManagementPath } from "../../../shared/geo/data-management.ts";
import type { ReplicableMatch } from "../../../shared/geo/replicable-match.ts";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import type { Builder } from "./builder.ts";
import type { GraphQLCall, RegistryParent } from "./call.ts";
import { idOf } from "./connection.ts";
import type { Enums } from "./enums.ts";

/** Names that GitLab gave to a type's record before they followed from the type's own name. */
const EARLIER_RECORD_FIELDS: Readonly<Record<string, string>> = { upload: "fileId", job_artifact: "artifactId" };

/** The field that names the record of a type's registry: `coolWidgetId`. */
export const recordFieldOf = ({ name, names }: Replicable): string =>
  EARLIER_RECORD_FIELDS[name] ?? names.foreignKeyField;

/** How GitLab marks what may still change: it is shown, and says so. */
export const experimentOf = ({ experiment }: Pick<Replicable, "experiment">) =>
  experiment === undefined
    ? {}
    : {
        deprecationReason: `**Status**: Experiment. Introduced in ${experiment.milestone}.`,
        extensions: { experiment },
      };

const matchOf = async (
  { row, replicable }: RegistryParent,
  call: GraphQLCall,
): Promise<ReplicableMatch | undefined> => {
  const match = await call.match(row.sk);
  return match?.replicable.name === replicable.name ? match : undefined;
};

/** The type of one replicable's registries. */
export const registryTypeOf = (builder: Builder, enums: Enums, replicable: Replicable) => {
  const { names } = replicable;
  return builder.objectRef<RegistryParent>(names.registryClass).implement({
    description: `What a secondary knows of one of ${names.titlePlural}.`,
    fields: (t) => ({
      id: t.id({ nullable: false, description: "Global id of the registry.", resolve: idOf }),
      state: t.field({
        type: enums.registryState,
        description: "State of the replica.",
        // A search never finds a tombstone, and one that was asked for by its id is not there.
        resolve: ({ row }) => (row.state === "absent" ? null : row.state),
      }),
      retryCount: t.int({ description: "Failed attempts in a row.", resolve: ({ row }) => row.retry_count }),
      retryAt: t.field({ type: "Time", description: "When it is tried again.", resolve: ({ row }) => row.retry_at }),
      lastSyncFailure: t.string({
        description: "Why the last attempt failed.",
        resolve: ({ row }) => row.last_sync_failure,
      }),
      lastSyncedAt: t.field({
        type: "Time",
        description: "When the replica was last made, or found to be right.",
        resolve: ({ row }) => row.last_synced_at,
      }),
      createdAt: t.field({
        type: "Time",
        description: "When the secondary first heard of the object.",
        resolve: ({ row }) => row.created_at,
      }),
      verificationState: t.field({
        type: enums.verificationState,
        description: "State of the replica's verification.",
        resolve: ({ row }) => row.verification_state,
      }),
      verificationChecksum: t.string({
        description: "What the replica's content came to, with the kind of checksum in front.",
        resolve: ({ row }) => row.verification_checksum,
      }),
      verificationChecksumMismatched: t.string({
        description: "The primary's checksum, while the two differ.",
        resolve: ({ row }) => row.verification_checksum_mismatched,
      }),
      verificationFailure: t.string({
        description: "Why the last verification failed.",
        resolve: ({ row }) => row.verification_failure,
      }),
      verificationRetryAt: t.field({
        type: "Time",
        description: "When it is verified again.",
        resolve: ({ row }) => row.verification_retry_at,
      }),
      verificationRetryCount: t.int({
        description: "Failed verifications in a row.",
        resolve: ({ row }) => row.verification_retry_count,
      }),
      verificationStartedAt: t.field({
        type: "Time",
        description: "When the last verification began.",
        resolve: ({ row }) => row.verification_started_at,
      }),
      verifiedAt: t.field({
        type: "Time",
        description: "When the replica was last verified.",
        resolve: ({ row }) => row.verified_at,
      }),
      checksumMismatch: t.boolean({
        description: "Whether the checksums of both sides differ.",
        resolve: ({ row }) => row.checksum_mismatch,
      }),
      missingOnPrimary: t.boolean({
        description: "Whether the primary's record names an object that its bucket does not hold.",
        resolve: ({ row }) => row.missing_on_primary ?? false,
      }),
      forceToRedownload: t.boolean({
        description: "Always null.",
        deprecationReason: "Nothing is forced any more: a resync copies whatever the replica holds.",
        resolve: () => null,
      }),
      modelRecordId: t.string({
        description:
          "Everything that the type's pattern finds in the key. Null when the type does not claim the key any more.",
        resolve: async (parent, _args, call) => (await matchOf(parent, call))?.modelRecordId,
      }),
      dataManagementDetailsPath: t.string({
        description: "Path of the primary's page about the record.",
        resolve: ({ row }) => dataManagementPath(replicable, row.sk),
      }),
      [recordFieldOf(replicable)]: t.id({
        description: `Id of the record in ${replicable.table}. Null when the type does not claim the key any more.`,
        resolve: async (parent, _args, call) => (await matchOf(parent, call))?.attributes["id"],
      }),
    }),
  });
};
export type RegistryType = ReturnType<typeof registryTypeOf>;
