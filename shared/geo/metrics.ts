/**
 * Every metric of the product: the one place where a function that records it, a graph that draws it and an alarm that
 * watches it take its name from. Nothing here knows an SDK, so infrastructure code can import it.
 *
 * A metric stands for one site; a replicable is its only further dimension. Keys, ids and messages belong in logs: a
 * dimension with many values costs money for each.
 */

/** The CloudWatch namespace. */
export const METRICS_NAMESPACE = "S3Geo";

/** Names of the two dimensions. */
export const METRIC_DIMENSIONS = { site: "site_name", replicable: "replicable_name" } as const;

/** Counters: how often something happened. Recorded with `Telemetry.count`. */
export const COUNT_METRICS = {
  /** Hints that the event-publisher handed to a secondary's queue. */
  eventPublished: "EventPublished",
  /** A row was committed as equal to the primary, whether by copying, by adopting what was there or by finding no change. */
  syncSucceeded: "SyncSucceeded",
  /** An attempt ended in `failed`; the row will be tried again. */
  syncFailed: "SyncFailed",
  /** An attempt was put off because a service asked for less speed; it does not count as failed. */
  syncThrottled: "SyncThrottled",
  /** A row waits for a human (archived source, missing right, disabled key …). */
  syncBlocked: "SyncBlocked",
  /** A replica was removed, by a delete marker, since the primary does not hold the object any more. */
  replicaRemoved: "ReplicaRemoved",
  /**
   * A removal waits for an operator to release the guard: more objects of one type would go within an hour than usual.
   * Counted again at each retry, and for the whole site: an alarm watches it.
   */
  removalHeldBack: "RemovalHeldBack",
  /**
   * A removal waits because the primary's record still names the object that its bucket does not hold. Counted again at
   * each retry, and for the whole site: an alarm watches it.
   */
  missingOnPrimary: "MissingOnPrimary",
  /** A row's holder never came back: a worker died, and the row is tried again. */
  syncTimedOut: "SyncTimedOut",
  /** A verification's holder never came back. */
  verificationTimedOut: "VerificationTimedOut",
  /** The replica's bucket changed without a row saying so, and the key was driven again. */
  driftFound: "DriftFound",
  /** Keys that walks through both sides handed over to be looked at. */
  backfilled: "Backfilled",
  /** A walk through both sides found an object without a record or a replica: an event was lost, or it is history. */
  consistencyMissing: "ConsistencyMissing",
  /** A walk found a replica or a record of something else than the primary holds. */
  consistencyStale: "ConsistencyStale",
  /** A walk found a replica of an object that the primary does not hold. */
  consistencyOrphan: "ConsistencyOrphan",
  /** Bytes that were copied to the secondary by attempts that succeeded. */
  bytesCopied: "BytesCopied",
  /** An attempt had to start over because the key changed while it worked. Normal at a low rate. */
  superseded: "Superseded",
  /** A message found a live worker on its key and left the rest to it. Normal. */
  claimRefused: "ClaimRefused",
  /** A worker found that it had lost its lease after it had written to S3. */
  leaseLost: "LeaseLost",
  /** Nobody saw the end of a copy or a removal: the write may still land. */
  unknownOutcome: "UnknownOutcome",
  /** An upload that no row named was aborted: a worker died between beginning it and writing it down. */
  uploadLeaked: "UploadLeaked",
  /** A row was quarantined, since a write that nobody holds any more may still land on its replica. */
  taintedRow: "TaintedRow",
  /** A quarantine ended and the replica was found different: it was driven again. Above zero means that it was needed. */
  recheckRepaired: "RecheckRepaired",
  /** The primary has a checksum for a version. */
  checksumSucceeded: "ChecksumSucceeded",
  /** The primary could not get a checksum; it will be tried again. By type, and for the whole site: an alarm watches it. */
  checksumFailed: "ChecksumFailed",
  /**
   * The primary's own bytes are not what was recorded of the very same version. Counted again at each retry, and for the
   * whole site: an alarm watches it.
   */
  primaryDiffers: "PrimaryDiffers",
  /** Verified objects of the primary whose time to be read again has come. */
  reverificationDue: "ReverificationDue",
  /** Objects of the primary that batch destroys have hidden. */
  batchDestroyed: "BatchDestroyed",
  /** Records of the primary that went because the checksums of their type are switched off. */
  recordsRemoved: "RecordsRemoved",
  /** A replica was read back and is equal to the primary's object, byte for byte. */
  verified: "Verified",
  /**
   * A verification ended without an answer, or with a difference; the row will be copied or read again. By type, and for the
   * whole site: an alarm watches it.
   */
  verificationFailed: "VerificationFailed",
  /**
   * A replica was read back and differs from the primary's object. Always worth a look. By type, and for the whole site: an
   * alarm watches it.
   */
  checksumMismatch: "ChecksumMismatch",
  /** A key that no replicable's pattern matches: not replicated. Never an error. */
  unmatchedKey: "UnmatchedKey",
  /** A key whose type is switched off by its feature flag: nothing was done about it. Never an error. */
  switchedOff: "SwitchedOff",
  /** A notification about a bucket that is not this installation's. */
  foreignBucketEvent: "ForeignBucketEvent",
  /** A message that can not be read was put into the dead-letter queue with its reason. */
  parkedMessage: "ParkedMessage",
  /** A due row whose key its type's pattern does not claim any more; counted once a day for each. */
  outOfPattern: "OutOfPattern",
  /** Rows that the retry sweep sent back to the queues. */
  swept: "Swept",
  /**
   * The retries of a type are held back, since everything of it fails. Counted at each sweep, and for the whole site: an
   * alarm watches it.
   */
  retriesHeldBack: "RetriesHeldBack",
  /**
   * A recount of a type's rows found other numbers than its counters hold, which no change meanwhile explains. For the whole
   * site as well: an alarm watches it.
   */
  countsDiffer: "CountsDiffer",
  /** Changes of rows that went into the counters. */
  changesCounted: "ChangesCounted",
  /** Changes that had been counted before and were delivered again. Normal after a retry. */
  changesSkipped: "ChangesSkipped",
  /** A site has looked at itself and written down what it found: once a minute. An alarm watches for its absence. */
  statusGathered: "StatusGathered",
  /** Something of a site's status could not be found out; it stays as it was. */
  statusPartFailed: "StatusPartFailed",
  /** A secondary could not tell the primary of its status. Counted for the whole site: an alarm watches it. */
  statusReportFailed: "StatusReportFailed",
  /** A call of the API that was refused: no token, a bad one, or one without the right. */
  apiCallDenied: "ApiCallDenied",
} as const;

/** Durations in milliseconds. Recorded with `Telemetry.duration`. */
export const DURATION_METRICS = {
  /** From the object's `LastModified` on the primary to the commit of its replica. */
  replicationLag: "ReplicationLag",
  /** From the object's `LastModified` on the primary to its replica being verified. */
  verificationLag: "VerificationLag",
  /** From the claim of a row to its commit. */
  attemptDuration: "AttemptDuration",
  /** From the change of a row to its being counted. */
  countingLag: "CountingLag",
} as const;

/** How much there is of something now. Recorded with `Telemetry.gauge`; what ends in `Age` is in seconds. */
export const GAUGE_METRICS = {
  /**
   * How long the oldest row has waited that is not synced, seconds; 0 when none waits. Of a secondary as a whole, each minute;
   * nothing while it is paused. An alarm watches it.
   */
  backlogAge: "BacklogAge",
} as const;

/** All of them, by the name that code uses. */
export const METRICS = { ...COUNT_METRICS, ...DURATION_METRICS, ...GAUGE_METRICS } as const;

/** The name of a metric, as CloudWatch shows it. */
export type MetricName = (typeof METRICS)[keyof typeof METRICS];
