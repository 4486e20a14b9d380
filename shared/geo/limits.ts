/** Every limit and wait of the protocol, with its unit last and the reason beside it. */

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Texts kept in a row are cut to this many characters, as Geo's columns are (F12). */
export const FAILURE_TEXT_LENGTH_MAX = 255;

/** S3 copies at most 5 GB in one CopyObject (AWS SDK, CopyObject reference); larger objects need a multipart copy. */
export const SINGLE_COPY_BYTES_MAX = 5 * 1_000_000_000;

/**
 * Up to this size an object is read back in the pass that copied it. One read at the 75 MB/s that a small Lambda gets
 * takes about a second, far inside the consumer's timeout; larger replicas go through the verification queue.
 */
export const FUSED_VERIFICATION_BYTES_MAX = 64 * 1024 * 1024;

/** How often one attempt starts over because the key changed while it worked (R4, R5, R39); then the sweep takes it. */
export const PASSES_PER_ATTEMPT_MAX = 3;

/** How often one attempt looks at both sides again because a write was refused (R6, R35). */
export const LOOKS_PER_ATTEMPT_MAX = 4;

/** No attempt takes more steps than this, whatever the world does: a bound against looping, far above what is needed. */
export const STEPS_PER_ATTEMPT_MAX = 64;

/** A lease outlives the function that holds it by this much, so that a live worker is hardly ever taken over (R12). */
const LEASE_MARGIN_MS = 60 * SECOND_MS;

/** The longest that any Lambda function may run. */
const FUNCTION_TIMEOUT_MAX_MS = 15 * MINUTE_MS;

/** Geo's limits of a site's sync timeout (`blob_download_timeout`), seconds, and its default: eight hours (F20). */
export const SYNC_TIMEOUT_SECONDS = { least: 1, most: 86_400, standard: 28_800 } as const;

/**
 * How long a lease lasts: the holder has certainly been ended by then. A shorter sync timeout shortens it: a worker that is
 * taken over while it lives costs work and a quarantine, and nothing else (R12).
 */
export const leaseMs = (functionTimeoutMs: number, syncTimeoutMs = Number.POSITIVE_INFINITY): number =>
  Math.min(functionTimeoutMs + LEASE_MARGIN_MS, syncTimeoutMs);

/**
 * How long a row stays in quarantine after a write whose end nobody saw (R10-R12): twice the longest that its writer can
 * have lived, and an hour for a request that S3 is still carrying out. The hour is an assumption about S3; see
 * docs/protocol.md.
 */
export const quarantineMs = (functionTimeoutMs: number): number =>
  2 * Math.max(functionTimeoutMs, FUNCTION_TIMEOUT_MAX_MS) + HOUR_MS;

/** When a row should be looked at `soon`: after the message that is under way has had its chance. */
export const SOON_MS = MINUTE_MS;

/** A worker stops starting new steps this long before it would be ended, and lets go of its row. */
export const STOP_BEFORE_TIMEOUT_MS = 5 * SECOND_MS;

/**
 * A copy or a removal is begun only if at least this is left before its worker stops: what is under way then is given up on,
 * and the row goes into quarantine. Small objects take a second between regions; five leave room for S3's slow moments.
 */
const WRITE_BUDGET_MIN_MS = 5 * SECOND_MS;

/** How slowly S3 copies between regions: 5 GB in two minutes (see the event-consumer's timeout). */
const COPY_BYTES_PER_MS_MIN = 40_000;

/**
 * How long the write of an object of `size` bytes may take, milliseconds; 0 for a removal. Never more than half of what the
 * function has, or it would not begin however early it comes to it.
 */
export const writeBudgetMs = (size: number, functionTimeoutMs: number): number =>
  Math.min(WRITE_BUDGET_MIN_MS + size / COPY_BYTES_PER_MS_MIN, functionTimeoutMs / 2);

/** A synced row whose verification was asked for by message is due this much later, should the message get lost. */
export const VERIFICATION_GRACE_MS = 5 * MINUTE_MS;

/**
 * After this long a settled row looks whether the primary's checksum is there, should its announcement have come too early
 * or not at all. Enough for the primary to read an object of a gigabyte.
 */
export const PRIMARY_CHECKSUM_LOOK_SECONDS = 20;

/** A row that waits for the primary's checksum looks again after as long as it has waited, between these bounds. */
export const PRIMARY_CHECKSUM_WAIT_MIN_MS = 5 * MINUTE_MS;
export const PRIMARY_CHECKSUM_WAIT_MAX_MS = 4 * HOUR_MS;

/** A due row whose key its type does not claim any more comes back this rarely: only a person can do anything about it. */
export const OUT_OF_PATTERN_WAIT_MS = 24 * HOUR_MS;

/** Removals that the guard holds back are asked about again after 15 to 30 minutes: spread, since they come in crowds. */
export const GUARDED_RETRY_MIN_MS = 15 * MINUTE_MS;
export const GUARDED_RETRY_SPREAD_MS = 15 * MINUTE_MS;

/** The removal guard counts removals of a type in windows of this length. */
export const REMOVAL_WINDOW_MS = HOUR_MS;

/** How old what a worker knows of its site's role and epoch may be when it writes to S3: the soft fence of a promotion. */
export const STANDING_KEPT_MS = 10 * SECOND_MS;

/** A row that can not progress without a human (archived, forbidden by lock, too large) is tried again this rarely. */
export const BLOCKED_RETRY_MS = 4 * HOUR_MS;

/** A throttled attempt is tried again after 5 to 35 seconds and does not count as a failure. */
export const THROTTLE_RETRY_MIN_MS = 5 * SECOND_MS;
export const THROTTLE_RETRY_SPREAD_MS = 30 * SECOND_MS;

/** How often a conditional write of the primary's state row is tried again after losing to another worker. */
export const STATE_WRITE_TRIES_MAX = 5;

/**
 * The due index is spread over this many partitions per type: 16 take 16,000 writes a second of one type, more than a
 * site can fail in, and an idle sweep asks each of them once.
 */
export const DUE_PARTITIONS = 16;

/** Most rows that one run of the sweep sends back to the queues before it starts over. */
export const SWEEP_ROWS_MAX = 5_000;

/** Most objects of the primary whose time to be read again one pass says has come, of all types together: Geo's own (F30). */
export const REVERIFIED_PER_PASS_MAX = 1_000;

/**
 * No object's time comes while this many messages wait for the primary's checksum function: a shortened interval makes
 * millions due at once, and what changes today is not to wait behind them.
 */
export const REVERIFICATION_BACKLOG_MESSAGES_MAX = 100;

/**
 * Most settled rows that one query asks for, so that a pass over 16 partitions reads no more than it can use twice over.
 * What is older than the last row of every page is known exactly; a pass takes no more than that.
 */
export const REVERIFICATION_PAGE = 125;

/** Most records that one pass removes because the checksums of their types are switched off: Geo's own (F47). */
export const RECORDS_REMOVED_PER_PASS_MAX = 1_000;

/** Records on one page of a round through all of a type's: below the megabyte that one answer holds. */
export const RECORDS_PER_PAGE = 1_000;

/**
 * For how long records stay when the checksums of their type were switched off. Not at once: another type may take the same
 * objects over with what was read of them (F92), and who switched the wrong one off may switch it on again and lose nothing.
 */
export const RECORDS_KEPT_MS = 24 * HOUR_MS;

/**
 * An object of the primary without a record is not missed for this long: its event is on its way, behind a function that
 * may be reading others. S3 says that some take a minute or longer.
 */
export const EVENT_ON_ITS_WAY_MS = 20 * MINUTE_MS;

/** Keys of one message that are worked on at the same time. Each holds one socket or two, and at most one chunk in memory. */
export const KEYS_IN_FLIGHT = 16;

/**
 * Messages of a batch that are worked on at the same time: with `KEYS_IN_FLIGHT` each, fewer keys than the 50 sockets that
 * the SDK opens per client. A write that waits for a socket until its deadline would count as one without an answer.
 */
export const MESSAGES_IN_FLIGHT = 3;

/** How the bytes of an object are read to be digested. Sizes in bytes. */
export interface ReadLimits {
  /** Pieces of a tree digest. The scheme's name says 64 MiB: anything else is for tests alone. */
  readonly treeChunkBytes: number;
  /** From this size on an object is read in ranges of `rangeBytes`, several at a time, where its scheme allows that. */
  readonly parallelFromBytes: number;
  readonly rangeBytes: number;
  readonly rangesInFlight: number;
  /** From this size on a plain SHA-256 is computed so that it can be saved and taken up again, which costs processor time. */
  readonly resumableFromBytes: number;
}

const MIB = 1024 * 1024;

/**
 * Below 256 MiB there are too few ranges to gain anything. Two ranges more than the one that every key has leave the
 * keys in flight below the sockets of a client, since one object at a time is read in parallel. A gigabyte is read
 * within four minutes even where sixteen keys share 75 MB/s, and above it a function may run out of time.
 */
export const READ_LIMITS: ReadLimits = {
  treeChunkBytes: 64 * MIB,
  parallelFromBytes: 256 * MIB,
  rangeBytes: 64 * MIB,
  rangesInFlight: 3,
  resumableFromBytes: 1024 * MIB,
};

/** How often one read is begun, the first included: a connection that breaks is taken up where it broke. */
export const READ_TRIES_MAX = 5;
