import type { ChecksumRules } from "../geo/checksum-policy.ts";
import type { CopyRules } from "../geo/copy-limits.ts";
import type { TypeSwitches } from "../geo/feature-flags.ts";
import type { ObjectRef } from "../geo/registry-row.ts";
import type { RemovalGuardPolicy } from "../geo/removal-guard.ts";
import type { SiteStanding } from "../geo/site-standing.ts";
import type { Chance, Clock } from "./clock.ts";
import type { DestroyedReader } from "./destroy.ts";
import type { MessageQueue } from "./message-queue.ts";
import type { ReadableBucket, ReplicaBucket } from "./object-store.ts";
import type { Table } from "./table.ts";
import type { Telemetry } from "./telemetry.ts";
import type { Workflow } from "./workflows.ts";

/** Something that changes while a site runs, at most `STANDING_KEPT_MS` old. */
export interface LateReader<T> {
  /** Throws TableUnavailableError when what is known is too old and can not be read again. */
  read(): Promise<T>;
}

/** What the feature flags mean for each type, at most `STANDING_KEPT_MS` old. */
export interface SwitchReader {
  /** Everything is off for a type that nobody declared. Throws as `LateReader.read` does. */
  of(replicableName: string): Promise<TypeSwitches>;
  /** When a flag of the type was last changed, milliseconds since the epoch; 0 when never. */
  changedAt(replicableName: string): Promise<number>;
}

/** Which objects a secondary wants, by settings that are at most `STANDING_KEPT_MS` old. */
export interface ScopeReader {
  /** Whether this site keeps replicas of objects at all. When not, it neither copies nor removes any (F50, F54). */
  keepsObjects(): Promise<boolean>;
  /**
   * Whether selective sync lets this object in (F51-F53). Throws as `LateReader.read` does.
   * @param metadata user metadata, names without `x-amz-meta-`
   */
  wants(ref: ObjectRef, metadata: Readonly<Record<string, string>>): Promise<boolean>;
  /**
   * The key of the object whose presence an upload depends on (F91); undefined when it names none, or is no upload.
   * @param metadata as for `wants`
   */
  ownerOf(ref: ObjectRef, metadata: Readonly<Record<string, string>>): string | undefined;
}

/** What every site's services need of the world. */
export interface SiteBase {
  readonly name: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly telemetry: Telemetry;
  /** How long the function that runs may live, milliseconds: leases and quarantines are derived from it. */
  readonly functionTimeoutMs: number;
  readonly switches: SwitchReader;
}

/** A secondary site, seen by its verification: it reads replicas and writes nothing but its own registry. */
export interface VerifyingSite extends SiteBase {
  readonly replica: ReadableBucket;
  readonly registry: Table;
  /** The primary's verification states, read only. */
  readonly primaryState: Pick<Table, "get">;
  readonly checksums: ChecksumRules;
  readonly standing: StandingReader;
}

/** What a site is for now, and whether it is paused, by its own record. */
export type StandingReader = LateReader<SiteStanding>;

/** A secondary site, seen by its event-consumer. */
export interface SecondarySite extends VerifyingSite {
  /** This site's own table: the removal guard, and the counts that its limit is made from. */
  readonly siteTable: Pick<Table, "update" | "query">;
  readonly removalGuard: RemovalGuardPolicy;
  /** What batch destroys of the primary name: the removal guard lets that through. Absent: it lets nothing through. */
  readonly destroyed?: DestroyedReader;
  /** After how long a row whose holder never came back is given up on, milliseconds; see `leaseMs`. */
  readonly syncTimeoutMs: number;
  readonly scope: ScopeReader;
  /** The primary's bucket: read, never written. */
  readonly primary: ReadableBucket;
  readonly replica: ReplicaBucket;
  readonly verificationQueue: MessageQueue;
  /** Replicas up to this many bytes are read back in the pass that copied them. */
  readonly fusedVerificationBytesMax: number;
  /** How objects are copied, by their size. */
  readonly copies: CopyRules;
  /** The workflow that copies the largest objects, and from which size on. Without one every attempt copies by itself. */
  readonly largeCopies?: { readonly workflow: Pick<Workflow, "start">; readonly fromBytes: number };
  /** Set in the workflow's own function: parts are not copied but handed out, and of this source version only. */
  readonly handsOutPartsOf?: string;
}

/** The primary site, seen by its checksum function. */
export interface PrimarySite extends SiteBase {
  readonly bucket: ReadableBucket;
  readonly verificationState: Table;
  readonly checksums: ChecksumRules;
  /** Where the primary announces what it did itself. */
  readonly geoEvents: MessageQueue;
}
