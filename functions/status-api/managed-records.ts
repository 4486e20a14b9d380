import type { ManagedRecord } from "../../shared/client/data-management-contract.ts";
import { recordIdentifier } from "../../shared/geo/data-management.ts";
import type { ReplicableNames } from "../../shared/geo/naming.ts";
import type { VerificationStateRow } from "../../shared/geo/registry-row.ts";

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
