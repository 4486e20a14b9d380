import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { COPY_LIMITS, copyRules } from "../../shared/geo/copy-limits.ts";
import { FUSED_VERIFICATION_BYTES_MAX } from "../../shared/geo/limits.ts";
import { feedNames, primaryNames, secondaryNames, siteNames } from "../../shared/geo/physical-names.ts";
import { parseRegistryRow, rowKey } from "../../shared/geo/registry-row.ts";
import { redrivableQueues } from "../../shared/geo/redrivable-queues.ts";
import { applySelection } from "../../shared/geo/replicable-selection.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import type { MemoryQueue } from "../../shared/memory/queue.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import { MemoryDestroyableBucket } from "../../shared/memory/destroyable-bucket.ts";
import { MemoryManifestStore } from "../../shared/memory/manifest-store.ts";
import { MemoryDeadLetters } from "../../shared/memory/dead-letters.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { MemoryTopic } from "../../shared/memory/topic.ts";
import type { PrimarySite, SecondarySite } from "../../shared/ports/site.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { SiteScope } from "../../shared/services/site-scope.ts";
import { KeyCapacity } from "../../shared/services/key-capacity.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { whileNotPaused } from "../../shared/services/while-not-paused.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { countRecords } from "../../shared/services/count-records.ts";
import { noticeDrift } from "../../shared/services/notice-drift.ts";
import { publishEvents } from "../../shared/services/publish.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import { keepConsistent } from "../../shared/services/registry-consistency/keep-consistent.ts";
import type { WalkingSite } from "../../shared/services/registry-consistency/walk-range.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import type { Redrivable } from "../../shared/services/redrive.ts";
import { sweepTick, type Ticking } from "../../shared/services/sweep-tick.ts";
import { minuteOf } from "../../shared/geo/sweep-steps.ts";
import { SyncOutcomes } from "../../shared/services/sync-outcomes.ts";
import { backfillRecords, type BackfillingSite } from "../../shared/services/verification-backfill/backfill-records.ts";
import { reportsDrift, type SiteConfig } from "../../shared/config/geo-config.ts";
import type { DemoSite, DemoWorld } from "./demo-world.ts";
import { loadLocalConfig } from "./deploy.ts";
import { SILENT } from "../../shared/memory/silent-telemetry.ts";
import { openApi } from "./embedded-api.ts";
import { backlogOf, each, FUNCTION_TIMEOUT_MS, poll, queueWithDeadLetters } from "./embedded-queues.ts";
import { countInto, dueTable } from "./embedded-tables.ts";
import { DestroyedVersions } from "../../shared/services/batch-destroy/destroyed-versions.ts";
import { noteSecondary } from "../../shared/tables/site/known-secondary.ts";
import { embeddedBulkUpdates } from "./embedded-bulk-updates.ts";
import { embeddedDestroys } from "./embedded-destroys.ts";
import { switchOnExperiments } from "./switch-on.ts";
import { memoryDemoBucket } from "./memory-demo-bucket.ts";
import { EMULATED_ACCOUNT } from "./ministack.ts";
import { buildPage } from "../../web/build.ts";
import { ROOT } from "./paths.ts";
import { atEnd } from "./processes.ts";

/**
 * Both sites in this process: the product's own services on buckets, queues and tables in memory, for machines that can
 * have no cloud. What is left out is AWS itself: its APIs, its limits, the templates and the functions' packaging.
 */

const SWEEP_EVERY_MS = 5_000;

/** Walks go on this often: more often than deployed, since nobody should have to wait here. */
const WALK_EVERY_MS = 10_000;

/** A queue as a sweep sees it: it sends, and asks how much is in it. */
const measured = (queue: MemoryQueue): Ticking["queue"] => ({
  name: queue.name,
  send: (messages) => queue.send(messages),
  backlog: backlogOf(queue),
});

/** Wires both sites and sets them going. They run until this process ends. */
export const embeddedWorld = async (): Promise<DemoWorld> => {
  const config = await loadLocalConfig({ account: EMULATED_ACCOUNT });
  const [secondaryConfig] = config.secondaries;
  if (secondaryConfig === undefined) throw new Error("the local configuration has no secondary site");
  const replicables = applySelection(declared, config.selection);
  const names = {
    primary: primaryNames(config, config.primary),
    feed: feedNames(config, secondaryConfig),
    secondary: secondaryNames(config, secondaryConfig),
  };
  const world = { clock: systemClock, chance: systemChance };
  const bucketOf = (name: string, { region }: SiteConfig) => new MemoryBucket({ name, region, ...world });
  const primaryBucket = bucketOf(names.primary.bucket, config.primary);
  const replicaBucket = bucketOf(names.secondary.bucket, secondaryConfig);
  const state = dueTable(names.primary.verificationStateTable);
  const registry = dueTable(names.secondary.registryTable);
  const primaryTable = new MemoryTable({ name: names.primary.siteTable });
  const secondaryTable = new MemoryTable({ name: names.secondary.siteTable });
  countInto(primaryTable, state, "primary");
  countInto(secondaryTable, registry, "secondary");

  const checksum = queueWithDeadLetters(names.primary.checksumQueue, names.primary.checksumDeadLetterQueue);
  const ingest = queueWithDeadLetters(names.feed.ingestQueue, names.feed.ingestDeadLetterQueue);
  const events = queueWithDeadLetters(names.secondary.eventsQueue, names.secondary.eventsDeadLetterQueue);
  const verification = queueWithDeadLetters(
    names.secondary.verificationQueue,
    names.secondary.verificationDeadLetterQueue,
  );
  const drift = queueWithDeadLetters(names.secondary.driftQueue, names.secondary.driftDeadLetterQueue);
  const bucketEvents = new MemoryTopic(names.primary.bucketEventsTopic);
  const geoEvents = new MemoryTopic(names.primary.geoEventsTopic);
  bucketEvents.subscribe(checksum.queue);
  bucketEvents.subscribe(ingest.queue);
  geoEvents.subscribe(ingest.queue);
  primaryBucket.onEvent((body) => void bucketEvents.send([{ body }]));
  const delaySeconds = config.driftDelaySeconds;
  if (reportsDrift(secondaryConfig)) replicaBucket.onEvent((body) => void drift.queue.send([{ body, delaySeconds }]));

  const record = new CachedSiteRecord(secondaryTable, systemClock);
  const switches = new CachedSwitches(primaryTable, replicables, systemClock);
  const itself = { name: secondaryConfig.name, region: secondaryConfig.region, registryTable: registry.name };
  await primaryTable.update(noteSecondary(itself, systemClock.now()));
  await switchOnExperiments(primaryTable, replicables, systemClock);
  const base = { ...world, telemetry: SILENT, functionTimeoutMs: FUNCTION_TIMEOUT_MS, switches };
  const primary: PrimarySite = {
    ...base,
    name: config.primary.name,
    bucket: new MemoryReadableBucket(primaryBucket),
    verificationState: state,
    checksums: checksumRules(replicables),
    geoEvents,
  };
  const secondary: SecondarySite = {
    ...base,
    name: secondaryConfig.name,
    primary: new MemoryReadableBucket(primaryBucket),
    replica: new MemoryReplicaBucket({ primary: primaryBucket, replica: replicaBucket }),
    registry,
    primaryState: state,
    checksums: checksumRules(replicables),
    verificationQueue: verification.queue,
    fusedVerificationBytesMax: FUSED_VERIFICATION_BYTES_MAX,
    copies: copyRules(),
    siteTable: secondaryTable,
    standing: record.standing,
    scope: new SiteScope(record.settings, replicables, secondaryConfig.syncObjectStorage, SILENT),
    removalGuard: config.removalGuard,
    destroyed: new DestroyedVersions(primaryTable, systemClock),
    syncTimeoutMs: secondaryConfig.syncTimeoutSeconds * 1_000,
  };

  let over = false;
  atEnd(() => void (over = true));
  const publishing = {
    site: secondary,
    replicables,
    primaryBucket: primaryBucket.name,
    events: events.queue,
    verification: verification.queue,
    parking: ingest.deadLetters,
  };
  // Each function runs once here, and has all of its site's capacity.
  const copying = new KeyCapacity(record.settings, "files_max_capacity", 1);
  const verifying = new KeyCapacity(record.settings, "verification_max_capacity", 1);
  const primaryRecord = new CachedSiteRecord(primaryTable, systemClock);
  const digesting = new KeyCapacity(primaryRecord.settings, "verification_max_capacity", 1);
  const recording = { site: primary, replicables, primaryBucket: primaryBucket.name, parking: checksum.deadLetters };
  void poll(
    ingest.queue,
    () => over,
    (messages) => publishEvents(publishing, messages),
  );
  void poll(
    checksum.queue,
    () => over,
    each((message, stopAt) => recordChecksums({ ...recording, capacity: digesting, stopAt }, message)),
  );
  const outcomes = new SyncOutcomes(secondaryTable, systemClock, secondary.telemetry);
  const consuming = { site: secondary, replicables, outcomes };
  void poll(
    events.queue,
    () => over,
    each((message, stopAt) =>
      consumeEvents({ ...consuming, parking: events.deadLetters, capacity: copying, stopAt }, message),
    ),
  );
  void poll(
    verification.queue,
    () => over,
    each((message, stopAt) =>
      consumeVerifications({ ...consuming, parking: verification.deadLetters, capacity: verifying, stopAt }, message),
    ),
  );
  const noticing = { site: secondary, replicables, events: events.queue, parking: drift.deadLetters };
  void poll(
    drift.queue,
    () => over,
    each((message, stopAt) => noticeDrift({ ...noticing, stopAt }, message)),
  );
  const backfill = queueWithDeadLetters(names.secondary.backfillQueue, names.secondary.backfillDeadLetterQueue);
  void poll(
    backfill.queue,
    () => over,
    each((message, stopAt) =>
      consumeEvents({ ...consuming, parking: backfill.deadLetters, capacity: copying, stopAt }, message),
    ),
  );
  const walking: WalkingSite = {
    ...secondary,
    settings: record.settings,
    registry,
    siteTable: secondaryTable,
    backfill: {
      name: backfill.queue.name,
      send: (messages) => backfill.queue.send(messages),
      backlog: backlogOf(backfill.queue),
    },
  };
  const recordsToFill: BackfillingSite = {
    ...primary,
    primary: primary.bucket,
    verificationState: state,
    siteTable: primaryTable,
    settings: primaryRecord.settings,
    recordsCounted: countRecords(primaryTable, "verification_state"),
    backfill: {
      name: checksum.queue.name,
      send: (messages) => checksum.queue.send(messages),
      backlog: backlogOf(checksum.queue),
    },
  };
  const walk = async (): Promise<void> => {
    const stopAt = systemClock.now() + FUNCTION_TIMEOUT_MS;
    await keepConsistent(walking, replicables, WALK_SETTINGS_DEFAULT, stopAt);
    await backfillRecords(recordsToFill, replicables, WALK_SETTINGS_DEFAULT, stopAt);
  };
  setInterval(() => void walk(), WALK_EVERY_MS).unref();

  const sweeping = { replicableNames: replicables.map(({ name }) => name), ...base };
  const at = (flag: "replication" | "primaryChecksumming") => async (name: string) => (await switches.of(name))[flag];
  const atPrimary: Ticking = {
    ...sweeping,
    table: state,
    siteTable: primaryTable,
    queue: measured(checksum.queue),
    isOn: at("primaryChecksumming"),
  };
  const atSecondary: Ticking = {
    ...sweeping,
    table: registry,
    siteTable: secondaryTable,
    queue: measured(events.queue),
    isOn: whileNotPaused(record.standing, at("replication")),
  };
  const sweep = async (): Promise<void> => {
    const minute = minuteOf(systemClock.now());
    await sweepTick(atPrimary, minute);
    await sweepTick(atSecondary, minute);
  };
  setInterval(() => void sweep(), SWEEP_EVERY_MS).unref();

  const updating = { ...base, replicables };
  const bulkWorkflows = {
    primary: embeddedBulkUpdates(siteNames(config, config.primary).bulkUpdate, {
      ...updating,
      role: "primary",
      rows: state,
      siteTable: primaryTable,
      lookQueue: measured(checksum.queue),
      verificationQueue: undefined,
    }),
    secondary: embeddedBulkUpdates(siteNames(config, secondaryConfig).bulkUpdate, {
      ...updating,
      role: "secondary",
      rows: registry,
      siteTable: secondaryTable,
      lookQueue: measured(backfill.queue),
      verificationQueue: measured(verification.queue),
    }),
  };

  const destroys = embeddedDestroys(names.primary.batchDestroy, {
    ...base,
    name: config.primary.name,
    replicables,
    bucket: new MemoryDestroyableBucket(primaryBucket),
    copies: COPY_LIMITS,
    manifests: new MemoryManifestStore(),
    siteTable: primaryTable,
    geoEvents,
    secondaries: () => Promise.resolve([{ name: secondaryConfig.name, registry }]),
  });

  const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { readonly version: string };
  const page = await buildPage();
  const all = { checksum, ingest, "geo-events": events, verification, "replica-drift": drift, backfill };
  const redrivableOf = (site: SiteConfig): readonly Redrivable[] =>
    redrivableQueues(config, site, config.primary.region).flatMap(({ name }) =>
      Object.entries(all).flatMap(([called, { queue, deadLetters }]) =>
        called === name ? [{ name, queue, deadLetters: new MemoryDeadLetters(deadLetters) }] : [],
      ),
    );
  const siteOf = async (site: SiteConfig, bucket: MemoryBucket, table: MemoryTable): Promise<DemoSite> => ({
    name: site.name,
    role: site.role,
    region: site.region,
    bucket: memoryDemoBucket(bucket),
    ...(await openApi(
      site,
      config.primary.name,
      table,
      primaryTable,
      site.role === "primary" ? state : registry,
      replicables,
      { bulkWorkflow: bulkWorkflows[site.role], destroys },
      redrivableOf(site),
      page,
    )),
  });
  return {
    cloud: { name: "embedded", version },
    replicables,
    primary: await siteOf(config.primary, primaryBucket, primaryTable),
    secondary: await siteOf(secondaryConfig, replicaBucket, secondaryTable),
    furtherSecondaries: [],
    async registryRow(ref) {
      const item = await registry.get(rowKey(ref));
      return item === undefined ? undefined : parseRegistryRow(item);
    },
  };
};
