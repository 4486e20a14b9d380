import type { Registry } from "../../shared/client/registry-contract.ts";
import { parseGlobalId } from "../../shared/geo/global-id.ts";
import { printable } from "../output/texts.ts";

/** A registry as this command's JSON has it: stable, in snake case, states as the rest of the API spells them. */
export interface RegistryAnswer {
  readonly id: string;
  readonly key: string;
  readonly replicable_name: string;
  readonly record_id: string | null;
  readonly state: string | null;
  readonly verification_state: string | null;
  readonly last_synced_at: string | null;
  readonly verified_at: string | null;
  readonly retry_count: number;
  /** When it is tried again: the copy, or when that is done the verification. */
  readonly retry_at: string | null;
  readonly last_sync_failure: string | null;
  readonly verification_retry_count: number;
  readonly verification_retry_at: string | null;
  readonly verification_failure: string | null;
  readonly verification_checksum: string | null;
  readonly primary_checksum: string | null;
  readonly missing_on_primary: boolean;
  readonly created_at: string | null;
}

/** A registry of a type, as it is told here. */
export const registryAnswer = (replicableName: string, registry: Registry): RegistryAnswer => {
  const named = parseGlobalId(registry.id);
  return {
    id: registry.id,
    key: "key" in named ? named.key : "",
    replicable_name: replicableName,
    record_id: registry.modelRecordId,
    state: registry.state?.toLowerCase() ?? null,
    verification_state: registry.verificationState?.toLowerCase() ?? null,
    last_synced_at: registry.lastSyncedAt,
    verified_at: registry.verifiedAt,
    retry_count: registry.retryCount ?? 0,
    retry_at: registry.retryAt,
    last_sync_failure: registry.lastSyncFailure,
    verification_retry_count: registry.verificationRetryCount ?? 0,
    verification_retry_at: registry.verificationRetryAt,
    verification_failure: registry.verificationFailure,
    verification_checksum: registry.verificationChecksum,
    primary_checksum: registry.verificationChecksumMismatched,
    missing_on_primary: registry.missingOnPrimary ?? false,
    created_at: registry.createdAt,
  };
};

/** `2026-11-21 22:15:03Z`; a dash for none. */
export const timeText = (iso: string | null): string =>
  iso === null ? "-" : iso.replace("T", " ").replace(/(\.\d+)?Z$/, "Z");

/** A text of a site's, or a dash. */
export const cellText = (text: string | null): string => (text === null || text === "" ? "-" : printable(text));

/** Why it has failed: the copy, or what was found in the copy. */
const failureOf = ({ last_sync_failure: sync, verification_failure: verification }: RegistryAnswer): string | null =>
  sync ?? verification;

/** Headings of a list. */
export const LIST_HEADINGS = [
  "key",
  "state",
  "verification",
  "last synced",
  "retries",
  "next retry",
  "failure",
  "id",
] as const;

/** A registry's cells beneath them. */
export const listCells = (registry: RegistryAnswer): readonly string[] => [
  cellText(registry.key),
  cellText(registry.state),
  cellText(registry.verification_state),
  timeText(registry.last_synced_at),
  String(registry.retry_count + registry.verification_retry_count),
  timeText(registry.retry_at ?? registry.verification_retry_at),
  cellText(failureOf(registry)),
  registry.id,
];

/** Everything that is known of one, a line each. */
export const detailLines = (registry: RegistryAnswer): readonly (readonly [string, string])[] => [
  ["key", cellText(registry.key)],
  ["type", registry.replicable_name],
  ["record", cellText(registry.record_id)],
  ["state", cellText(registry.state)],
  ["last synced", timeText(registry.last_synced_at)],
  ["retries", String(registry.retry_count)],
  ["next retry", timeText(registry.retry_at)],
  ["failure", cellText(registry.last_sync_failure)],
  ["missing on primary", registry.missing_on_primary ? "yes" : "no"],
  ["verification", cellText(registry.verification_state)],
  ["verified", timeText(registry.verified_at)],
  ["checksum", cellText(registry.verification_checksum)],
  ["primary's checksum", cellText(registry.primary_checksum)],
  ["verification retries", String(registry.verification_retry_count)],
  ["next verification", timeText(registry.verification_retry_at)],
  ["verification failure", cellText(registry.verification_failure)],
  ["first heard of", timeText(registry.created_at)],
  ["id", registry.id],
];
