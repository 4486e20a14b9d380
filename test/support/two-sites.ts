import { rowKey, parseRegistryRow, parseVerificationStateRow } from "../../shared/geo/registry-row.ts";
import type { RegistryRow, VerificationStateRow } from "../../shared/geo/registry-row.ts";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { COPY_LIMITS, type CopyLimits, copyRules } from "../../shared/geo/copy-limits.ts";
import { FUSED_VERIFICATION_BYTES_MAX, type ReadLimits, SYNC_TIMEOUT_SECONDS } from "../../shared/geo/limits.ts";
import { REMOVAL_GUARD_DEFAULT, type RemovalGuardPolicy } from "../../shared/geo/removal-guard.ts";
import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { ScriptedFaults } from "../../shared/memory/bucket-faults.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { SeededChance } from "../../shared/memory/chance.ts";
import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { MemoryTelemetry } from "../../shared/memory/telemetry.ts";
import { MemoryTopic } from "../../shared/memory/topic.ts";
import type { PrimarySite, SecondarySite } from "../../shared/ports/site.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import type { OutgoingMessage, ReceivedMessage } from "../../shared/ports/message-queue.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { SiteScope } from "../../shared/services/site-scope.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { whileNotPaused } from "../../shared/services/while-not-paused.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { noticeDrift } from "../../shared/services/notice-drift.ts";
import { publishEvents } from "../../shared/services/publish.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import {
  type ListingSite,
  listOldRecords,
} from "../../shared/services/verification-backfill/list-for-reverification.ts";
import type { Reverifying } from "../../shared/services/re-verify.ts";
import { sweepStep } from "../../shared/services/sweep-step.ts";
import { SyncOutcomes } from "../../shared/services/sync-outcomes.ts";

/** Minutes that the queues and functions of these tests are configured with, as milliseconds. */
const FUNCTION_TIMEOUT_MS = 60_000;

/** How long a change of the replica's bucket waits before it is looked into, and how often it may be given back, as deployed. */
const DRIFT_DELAY_SECONDS = 60;
const DRIFT_RECEIVES_MAX = 100;

/** Hands what one queue holds to its function, a batch; true when there was anything. */
const deliver = async (
  from: MemoryQueue,
  work: (messages: readonly ReceivedMessage[]) => Promise<ReadonlySet<string>>,
) => {
  const messages = await from.receive();
  if (messages.length === 0) return false;
  const failed = await work(messages);
  await from.acknowledge(messages.map(({ id }) => id).filter((id) => !failed.has(id)));
  return true;
};
const oneByOne =
  (work: (message: ReceivedMessage) => Promise<{ readonly done: boolean }>) =>
  async (messages: readonly ReceivedMessage[]): Promise<ReadonlySet<string>> => {
    const failed = new Set<string>();
    for (const message of messages) if (!(await work(message)).done) failed.add(message.id);
    return failed;
  };

export interface TwoSitesOptions {
  /** Default 1. */
  readonly seed?: number;
  readonly replicables?: readonly Replicable[];
  /** Default: the product's own limit. */
  readonly fusedVerificationBytesMax?: number;
  /** Default: the product's own. */
  readonly readLimits?: ReadLimits;
  /** How objects are copied, by their size, also by the bucket itself. Default: the product's own. */
  readonly copyLimits?: CopyLimits;
  /** Default: the product's own. */
  readonly removalGuard?: RemovalGuardPolicy;
  /** Default: the product's own. */
  readonly syncTimeoutMs?: number;
  /** Default true. */
  readonly syncObjectStorage?: boolean;
  /** Whether types are on and off as they are declared. Default: all of them are on. */
  readonly flagsOfDeclarations?: boolean;
  /** Whether the replica's bucket reports its changes. Default true. */
  readonly replicaDrift?: boolean;
  /** What the services of both sites tell. Default: it is kept for assertions. */
  readonly telemetry?: (clock: ManualClock) => MemoryTelemetry;
}

/** A queue that can say how much waits in it. */
const measured = (queue: MemoryQueue) => ({
  name: queue.name,
  send: (messages: readonly OutgoingMessage[]) => queue.send(messages),
  backlog: () => Promise.resolve(queue.size),
});

/**
 * A primary and a secondary in one process, wired as they are deployed, around the services that ship. Nothing happens by
 * itself: `settle` carries messages until every queue is empty, `sweep` does what the scheduler does each minute. What the
 * replica's bucket reports waits for a minute first, as it does when it is deployed.
 */
export const twoSites = (options: TwoSitesOptions = {}) => {
  const clock = new ManualClock();
  const chance = new SeededChance(options.seed ?? 1);
  const telemetry = options.telemetry?.(clock) ?? new MemoryTelemetry();
  const replicables = options.replicables ?? declared;
  const primaryFaults = new ScriptedFaults();
  const replicaFaults = new ScriptedFaults();

  const primaryBucket = new MemoryBucket({ name: "primary-bucket", clock, chance });
  const replicaBucket = new MemoryBucket({ name: "replica-bucket", clock, chance, region: "eu-west-1" });

  const queue = (name: string, maxReceiveCount = 10) => {
    const deadLetters = new MemoryQueue({ name: `${name}-dead-letters`, clock, chance });
    const live = new MemoryQueue({
      name,
      clock,
      chance,
      visibilityTimeoutSeconds: (6 * FUNCTION_TIMEOUT_MS) / 1_000,
      deadLetters: { queue: deadLetters, maxReceiveCount },
    });
    return { live, deadLetters };
  };
  const ingest = queue("ingest");
  const checksum = queue("checksum");
  const events = queue("geo-events");
  const verification = queue("verification");
  const drift = queue("replica-drift", DRIFT_RECEIVES_MAX);

  const bucketEvents = new MemoryTopic("bucket-events");
  const geoEvents = new MemoryTopic("geo-events");
  bucketEvents.subscribe(ingest.live);
  bucketEvents.subscribe(checksum.live);
  geoEvents.subscribe(ingest.live);
  const announcements: Promise<unknown>[] = [];
  primaryBucket.onEvent((body) => void announcements.push(bucketEvents.send([{ body }])));
  if (options.replicaDrift ?? true) {
    const delaySeconds = DRIFT_DELAY_SECONDS;
    replicaBucket.onEvent((body) => void announcements.push(drift.live.send([{ body, delaySeconds }])));
  }

  const dueIndex = { name: DUE_INDEX, pk: "due_pk", sk: "due_at", sortType: "number" as const };
  const registry = new MemoryTable({ name: "registry", indexes: [dueIndex] });
  const verificationState = new MemoryTable({ name: "verification-state", indexes: [dueIndex] });

  const siteTable = new MemoryTable({ name: "site" });

  const primarySiteTable = new MemoryTable({ name: "primary-site" });
  const record = new CachedSiteRecord(siteTable, clock);
  const switches = new CachedSwitches(primarySiteTable, replicables, clock);
  /** Every type is on, whatever it is declared to be, and partitions for what they are parts of: most tests are not about flags. */
  const switchedOn = Promise.all(
    (options.flagsOfDeclarations ?? false)
      ? []
      : replicables.map(({ names, partitioned }) =>
          primarySiteTable.update(setFlag(names.flags.replication, !partitioned, 0)),
        ),
  );

  const base = { clock, chance, telemetry, functionTimeoutMs: FUNCTION_TIMEOUT_MS, switches };
  const primary: PrimarySite = {
    ...base,
    name: "primary",
    bucket: new MemoryReadableBucket(primaryBucket, primaryFaults),
    verificationState,
    checksums: checksumRules(replicables, options.readLimits),
    geoEvents,
  };
  const copyLimits = options.copyLimits ?? COPY_LIMITS;
  const replica = new MemoryReplicaBucket({
    primary: primaryBucket,
    replica: replicaBucket,
    faults: replicaFaults,
    copyBytesMax: copyLimits.singleCopyBytesMax,
    parts: copyLimits.parts,
  });
  const secondary: SecondarySite = {
    ...base,
    name: "secondary",
    primary: new MemoryReadableBucket(primaryBucket, primaryFaults),
    replica,
    copies: copyRules(copyLimits),
    registry,
    primaryState: verificationState,
    checksums: checksumRules(replicables, options.readLimits),
    verificationQueue: verification.live,
    fusedVerificationBytesMax: options.fusedVerificationBytesMax ?? FUSED_VERIFICATION_BYTES_MAX,
    siteTable,
    standing: record.standing,
    scope: new SiteScope(record.settings, replicables, options.syncObjectStorage ?? true, telemetry),
    removalGuard: options.removalGuard ?? REMOVAL_GUARD_DEFAULT,
    syncTimeoutMs: options.syncTimeoutMs ?? SYNC_TIMEOUT_SECONDS.standard * 1_000,
  };

  const outcomes = new SyncOutcomes(siteTable, clock, telemetry);
  const stopAt = () => clock.now() + FUNCTION_TIMEOUT_MS - 5_000;
  const publishing = {
    site: { ...base, name: "secondary" },
    replicables,
    primaryBucket: primaryBucket.name,
    events: events.live,
    verification: verification.live,
    parking: ingest.deadLetters,
  };

  const deliverOnce = async (): Promise<boolean> => {
    await switchedOn;
    await Promise.all(announcements.splice(0));
    const delivered = [
      await deliver(ingest.live, (messages) => publishEvents(publishing, messages)),
      await deliver(
        checksum.live,
        oneByOne((message) =>
          recordChecksums(
            {
              site: primary,
              replicables,
              primaryBucket: primaryBucket.name,
              parking: checksum.deadLetters,
              stopAt: stopAt(),
            },
            message,
          ),
        ),
      ),
      await deliver(
        events.live,
        oneByOne((message) =>
          consumeEvents(
            { site: secondary, replicables, parking: events.deadLetters, stopAt: stopAt(), outcomes },
            message,
          ),
        ),
      ),
      await deliver(
        verification.live,
        oneByOne((message) =>
          consumeVerifications(
            { site: secondary, replicables, parking: verification.deadLetters, stopAt: stopAt() },
            message,
          ),
        ),
      ),
      await deliver(
        drift.live,
        oneByOne((message) =>
          noticeDrift(
            { site: secondary, replicables, events: events.live, parking: drift.deadLetters, stopAt: stopAt() },
            message,
          ),
        ),
      ),
    ];
    await Promise.all(announcements.splice(0));
    return delivered.some(Boolean);
  };

  /** Carries messages until no queue has a visible one. */
  const settle = async (): Promise<void> => {
    for (let rounds = 0; rounds < 1_000; rounds += 1) if (!(await deliverOnce())) return;
    throw new Error("the queues do not come to rest within 1,000 rounds");
  };

  const replicableNames = replicables.map(({ name }) => name);
  const at = (flag: "replication" | "primaryChecksumming") => async (name: string) => (await switches.of(name))[flag];
  const reverifying: Reverifying = {
    ...base,
    verificationState,
    replicables,
    settings: new CachedSiteRecord(primarySiteTable, clock).settings,
    queue: {
      name: checksum.live.name,
      send: (messages) => checksum.live.send(messages),
      backlog: () => Promise.resolve(checksum.live.size),
    },
  };
  /** Types of which a table may have rows: asking for those of all others takes most of a test's time, and finds none. */
  const presentIn = (table: MemoryTable) => {
    const names = new Set(table.items().map(({ pk }) => pk.split("#")[0]));
    return replicables.filter(({ name }) => name === "cool_widget" || names.has(name));
  };
  const recorded = () => presentIn(verificationState);
  const listing: ListingSite = {
    ...base,
    verificationState,
    siteTable: primarySiteTable,
    settings: reverifying.settings,
  };
  const sweeping = { replicableNames, clock, telemetry };
  /** The retry sweeps of both sites. What their executions would do, a test does by `sweepStep`. */
  const sweeps = {
    secondary: {
      ...sweeping,
      table: registry,
      queue: measured(events.live),
      isOn: whileNotPaused(record.standing, at("replication")),
      siteTable,
      workflow: new MemoryWorkflow({ name: "secondary-retry-sweep", clock }),
    },
    primary: {
      ...sweeping,
      table: verificationState,
      queue: measured(checksum.live),
      isOn: at("primaryChecksumming"),
      siteTable: primarySiteTable,
      workflow: new MemoryWorkflow({ name: "primary-retry-sweep", clock }),
      reverifying,
    },
  };
  /** What the scheduler does each minute, at both sites; walks apart. */
  const sweep = async (): Promise<void> => {
    const step = { action: "tick" };
    const [rows, records] = [presentIn(registry), recorded()];
    await listOldRecords(listing, records, clock.now() + FUNCTION_TIMEOUT_MS);
    await sweepStep({ ...sweeps.secondary, replicableNames: rows.map(({ name }) => name) }, step);
    await sweepStep(
      {
        ...sweeps.primary,
        replicableNames: records.map(({ name }) => name),
        reverifying: { ...reverifying, replicables: records },
      },
      step,
    );
  };

  const refOf = (key: string) => {
    const match = matchKey(replicables, key);
    if (match === undefined) throw new Error(`no replicable claims ${key}`);
    return { replicableName: match.replicable.name, key };
  };

  return {
    clock,
    chance,
    telemetry,
    replicables,
    primary,
    secondary,
    primaryBucket,
    replicaBucket,
    primaryFaults,
    replicaFaults,
    /** Uploads to the replica's bucket that were begun and neither completed nor aborted. */
    openUploads: () => replica.openUploads,
    registry,
    verificationState,
    siteTable,
    primarySiteTable,
    settings: record.settings,
    reverifying,
    sweeps,
    listing,
    recorded,
    queues: { ingest, checksum, events, verification, drift },
    publishing,
    refOf,
    settle,
    sweep,
    /** Carries what S3 has sent as far as the secondary's queue; nobody reads it there yet. */
    publish: async (): Promise<void> => {
      await Promise.all(announcements.splice(0));
      await deliver(ingest.live, (messages) => publishEvents(publishing, messages));
    },
    /** Every message that is under way vanishes, those that S3 is about to send included. */
    loseMessages: async (): Promise<void> => {
      await Promise.all(announcements.splice(0));
      for (const { live } of [ingest, checksum, events, verification, drift]) live.import([]);
    },
    /** Lets time pass minute by minute, sweeping and carrying messages as it goes. */
    live: async (milliseconds: number): Promise<void> => {
      const end = clock.now() + milliseconds;
      while (clock.now() < end) {
        clock.advance(Math.min(60_000, end - clock.now()));
        await sweep();
        await settle();
      }
    },
    /** The secondary's record of a key; undefined when there is none. */
    row: async (key: string): Promise<RegistryRow | undefined> => {
      const item = await registry.get(rowKey(refOf(key)));
      return item === undefined ? undefined : parseRegistryRow(item);
    },
    /** The primary's record of a key. */
    state: async (key: string): Promise<VerificationStateRow | undefined> => {
      const item = await verificationState.get(rowKey(refOf(key)));
      return item === undefined ? undefined : parseVerificationStateRow(item);
    },
    /** The bytes that the replica's bucket shows under a key; undefined when it shows none. */
    replicaText: (key: string): string | undefined => {
      const current = replicaBucket.current(key);
      return current?.kind === "object" ? new TextDecoder().decode(current.body) : undefined;
    },
  };
};

export type TwoSites = ReturnType<typeof twoSites>;
