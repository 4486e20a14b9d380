import type { CountedTable } from "../../geo/counters.ts";
import {
  parseRegistryRow,
  parseVerificationStateRow,
  type RegistryRow,
  type VerificationStateRow,
} from "../../geo/registry-row.ts";
import type { ReplicationState } from "../../geo/replication-state.ts";
import type { VerificationState } from "../../geo/verification-state.ts";

/** What a search looks at in a row. */
export interface RowTraits {
  /** A tombstone is nobody's to see. */
  readonly tombstone: boolean;
  /** The primary's records have none. */
  readonly replicationState: ReplicationState | undefined;
  readonly verificationState: VerificationState;
  /** Milliseconds since the epoch. */
  readonly lastSyncedAt: number | undefined;
  readonly verifiedAt: number | undefined;
}

/** A kind of row that can be searched for. */
export interface RowKind<Row> {
  readonly table: CountedTable;
  /** @throws GEO_UNREADABLE_ROW */
  parse(item: unknown): Row;
  traits(row: Row): RowTraits;
}

/** A secondary's rows. */
export const REGISTRY_ROWS: RowKind<RegistryRow> = {
  table: "registry",
  parse: parseRegistryRow,
  traits: (row) => ({
    tombstone: row.state === "absent",
    replicationState: row.state,
    verificationState: row.verification_state,
    lastSyncedAt: row.last_synced_at,
    verifiedAt: row.verified_at,
  }),
};

/** The primary's. */
export const STATE_ROWS: RowKind<VerificationStateRow> = {
  table: "verification_state",
  parse: parseVerificationStateRow,
  traits: (row) => ({
    tombstone: row.tombstone,
    replicationState: undefined,
    verificationState: row.verification_state,
    lastSyncedAt: undefined,
    verifiedAt: row.verified_at,
  }),
};
