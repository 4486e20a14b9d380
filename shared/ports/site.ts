import type { Chance, Clock } from "./clock.ts";
import type { MessageQueue } from "./message-queue.ts";
import type { ReadableBucket, ReplicaBucket } from "./object-store.ts";
import type { Table } from "./table.ts";
import type { Telemetry } from "./telemetry.ts";

/** What every site's services need of the world. */
export interface SiteBase {
  readonly name: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly telemetry: Telemetry;
  /** How long the function that runs may live, milliseconds: leases and quarantines are derived from it. */
  readonly functionTimeoutMs: number;
}

/** A secondary site, seen by its verification: it reads replicas and writes nothing but its own registry. */
export interface VerifyingSite extends SiteBase {
  readonly replica: ReadableBucket;
  readonly registry: Table;
  /** The primary's verification states, read only. */
  readonly primaryState: Pick<Table, "get">;
}

/** A secondary site, seen by its event-consumer. */
export interface SecondarySite extends VerifyingSite {
  /** The primary's bucket: read, never written. */
  readonly primary: ReadableBucket;
  readonly replica: ReplicaBucket;
  readonly verificationQueue: MessageQueue;
  /** Replicas up to this many bytes are read back in the pass that copied them. */
  readonly fusedVerificationBytesMax: number;
}

/** The primary site, seen by its checksum function. */
export interface PrimarySite extends SiteBase {
  readonly bucket: ReadableBucket;
  readonly verificationState: Table;
  /** Where the primary announces what it did itself. */
  readonly geoEvents: MessageQueue;
}
