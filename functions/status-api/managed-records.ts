import { Buffer } from "node:buffer";
import type { ManagedRecord } from "../../shared/client/data-management-contract.ts";
import { findKeyProblem } from "../../shared/geo/key-codec.ts";
import type { ReplicableNames } from "../../shared/geo/naming.ts";
import type { VerificationStateRow } from "../../shared/geo/registry-row.ts";

/** The identifier of an object's record: its S3 key in URL-safe base64. It grants nothing. */
export const recordIdentifier = (key: string): string => Buffer.from(key, "utf8").toString("base64url");

/** The key that an identifier names; nothing when it is none. Only one spelling of each is taken. */
export const keyOfIdentifier = (identifier: string): string | undefined => {
  const key = Buffer.from(identifier, "base64url").toString("utf8");
  return findKeyProblem(key) === undefined && recordIdentifier(key) === identifier ? key : undefined;
};

const timeOf = (at: number | undefined): string | null => (at === undefined ? null : new Date(at).toISOString());

/** A record as it is told. */
export const managedRecord = (
  { pascalCase }: Pick<ReplicableNames, "pascalCase">,
  row: VerificationStateRow,
): ManagedRecord => ({
  record_identifier: recordIdentifier(row.sk),
  model_class: pascalCase,
  created_at: timeOf(row.created_at),
  file_size: row.src_size ?? null,
  checksum_information: {
    checksum: row.verification_checksum ?? null,
    last_checksum: timeOf(row.verified_at),
    checksum_state: row.verification_state,
    checksum_retry_count: row.verification_retry_count,
    checksum_retry_at: timeOf(row.verification_retry_at),
    checksum_failure: row.verification_failure ?? null,
  },
});
