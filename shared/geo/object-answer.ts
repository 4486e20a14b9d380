import { parseChecksum } from "./checksum.ts";
import { failureKindOf } from "./failure-kind.ts";
import type { TypeSwitches } from "./feature-flags.ts";
import type { RegistryRow, VerificationStateRow } from "./registry-row.ts";
import type { RemovalGuardAnswer } from "./removal-guard-answer.ts";
import type { ReplicationState } from "./replication-state.ts";
import type { SelectiveSyncType } from "./selective-sync.ts";
import type { SiteRole } from "./site-status.ts";
import type { VerificationState } from "./verification-state.ts";

/** Everything that one site knows of one key: the answer of `GET …/objects?key=…`. Times: ISO 8601, UTC. Sizes: bytes. */
export interface ObjectAnswer {
  readonly key: string;
  readonly role: SiteRole;
  /** The type whose pattern claims the key now; null when none does. */
  readonly replicable_name: string | null;
  /** Why the type is that, or why there is none, in a sentence. */
  readonly claimed_because: string;
  /** False while this site is paused. */
  readonly enabled: boolean;
  /** What the feature flags say of the type; null without one. */
  readonly type: {
    readonly replication: boolean;
    readonly verification: boolean;
  } | null;
  /** What this site's selective sync says of the key; null at a primary, and without a type. */
  readonly selective_sync: {
    readonly type: SelectiveSyncType | null;
    /** Null: what the object says of its owners decides, and that only S3 knows. */
    readonly wanted: boolean | null;
  } | null;
  /** The guard of the type; null at a primary, and without a type. */
  readonly removal_guard: RemovalGuardAnswer | null;
  /** Null: this site has no row of the key, or there is no type by which to look for it. */
  readonly record: RegistryRecord | OriginalRecord | null;
}

interface VersionAnswer {
  readonly version_id: string | null;
  readonly etag: string | null;
}

/** What both kinds of rows say of the source. */
interface SourceAnswer extends VersionAnswer {
  readonly size: number | null;
  readonly last_modified: string | null;
}

/** What both kinds of rows have. */
interface RecordBase {
  readonly source: SourceAnswer;
  readonly verification_state: VerificationState;
  /** How the digest was made: `sha256`, `crc64nvme`, `attested-…`, `size`; null while there is none. */
  readonly verification_scheme: string | null;
  readonly verification_checksum: string | null;
  readonly verification_failure: string | null;
  readonly verification_retry_count: number;
  readonly verification_retry_at: string | null;
  readonly verification_started_at: string | null;
  readonly verified_at: string | null;
  /** A large object was read to a part by an attempt that ran out of time; the next one goes on from there. */
  readonly partly_read: boolean;
  /** When it is looked at again; null for what is settled. */
  readonly due_at: string | null;
  readonly created_at: string | null;
}

/** Who holds a row, and until when. */
interface HolderAnswer {
  /** The attempt's own name, which its log lines carry too. */
  readonly holder: string;
  readonly until: string | null;
}

/** A secondary's row. */
export interface RegistryRecord extends RecordBase {
  readonly kind: "replica";
  /** `absent` is what a removed object leaves behind for a while. */
  readonly state: ReplicationState;
  readonly replica: VersionAnswer;
  /** Hints that were counted, that an attempt has taken up, and that were followed. */
  readonly generation: { readonly counted: number; readonly claimed: number; readonly done: number };
  /** The primary's digest, as far as this row knows it: while the two differ, or when S3 attests it. */
  readonly primary_checksum: string | null;
  readonly checksum_mismatch: boolean;
  readonly retry_count: number;
  readonly retry_at: string | null;
  readonly last_sync_failure: string | null;
  /** The kind of that failure (`RowFailureKind`); null without one, or for words of another version. */
  readonly failure_kind: string | null;
  /** Why a human is needed. */
  readonly blocked_reason: string | null;
  readonly missing_on_primary: boolean;
  readonly resync_requested: boolean;
  readonly lease: HolderAnswer | null;
  readonly verification_lease: HolderAnswer | null;
  /** Until when an old write may still land; null for a row that nobody suspects. */
  readonly quarantined_until: string | null;
  /** A copy in parts is under way. */
  readonly copied_in_parts: boolean;
  readonly last_synced_at: string | null;
  readonly last_event_at: string | null;
  /** Since when this site has something to follow; null for what is settled. */
  readonly waiting_since: string | null;
}

/** The primary's row. */
export interface OriginalRecord extends RecordBase {
  readonly kind: "original";
  /** The object is gone from the primary. */
  readonly tombstone: boolean;
  /** What the bytes came to, while that is not what was recorded of the same version. */
  readonly verification_checksum_found: string | null;
}

const iso = (time: number | undefined): string | null => (time === undefined ? null : new Date(time).toISOString());

const versionOf = (version: string | undefined, etag: string | undefined): VersionAnswer => ({
  version_id: version ?? null,
  etag: etag ?? null,
});

/** How a digest was made, by its own beginning. */
const schemeIn = (checksum: string | undefined): string | null => {
  const parsed = checksum === undefined ? undefined : parseChecksum(checksum);
  return parsed === undefined ? null : parsed.checksum.slice(0, parsed.checksum.indexOf(":"));
};

type AnyRow = RegistryRow | VerificationStateRow;

const baseOf = (row: AnyRow): RecordBase => ({
  source: {
    ...versionOf(row.src_version_id, row.src_etag),
    size: row.src_size ?? null,
    last_modified: iso(row.src_last_modified),
  },
  verification_state: row.verification_state,
  verification_scheme: schemeIn(row.verification_checksum),
  verification_checksum: row.verification_checksum ?? null,
  verification_failure: row.verification_failure ?? null,
  verification_retry_count: row.verification_retry_count,
  verification_retry_at: iso(row.verification_retry_at),
  verification_started_at: iso(row.verification_started_at),
  verified_at: iso(row.verified_at),
  partly_read: row.verification_progress !== undefined,
  due_at: iso(row.due_at),
  created_at: iso(row.created_at),
});

const holderOf = (token: string | undefined, until: number | undefined): HolderAnswer | null =>
  token === undefined ? null : { holder: token, until: iso(until) };

/** A secondary's row in full. */
export const registryRecord = (row: RegistryRow): RegistryRecord => ({
  kind: "replica",
  state: row.state,
  replica: versionOf(row.rep_version_id, row.rep_etag),
  generation: { counted: row.gen, claimed: row.claimed_gen, done: row.done_gen },
  primary_checksum: row.verification_checksum_mismatched ?? row.src_checksum ?? null,
  checksum_mismatch: row.checksum_mismatch,
  retry_count: row.retry_count,
  retry_at: iso(row.retry_at),
  last_sync_failure: row.last_sync_failure ?? null,
  failure_kind: failureKindOf(row) ?? null,
  blocked_reason: row.blocked_reason ?? null,
  missing_on_primary: row.missing_on_primary ?? false,
  resync_requested: row.resync_requested ?? false,
  lease: holderOf(row.attempt_token, row.lease_until),
  verification_lease: holderOf(row.v_token, row.v_lease),
  quarantined_until: iso(row.taint_until),
  copied_in_parts: row.upload_id !== undefined,
  last_synced_at: iso(row.last_synced_at),
  last_event_at: iso(row.last_event_at),
  waiting_since: iso(row.waiting_since),
  ...baseOf(row),
});

/** The primary's row in full. */
export const originalRecord = (row: VerificationStateRow): OriginalRecord => ({
  kind: "original",
  tombstone: row.tombstone,
  verification_checksum_found: row.verification_checksum_found ?? null,
  ...baseOf(row),
});

/** What the flags mean at this kind of site. */
export const typeAnswer = (role: SiteRole, switches: TypeSwitches): NonNullable<ObjectAnswer["type"]> => ({
  replication: switches.replication,
  verification: role === "primary" ? switches.primaryChecksumming : switches.verification,
});
