import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { BuiltPage } from "../../functions/admin-page/built-page.ts";
import { withPage } from "../../functions/admin-page/page-app.ts";
import { admitted } from "../../functions/status-api/admitted.ts";
import { statusApp } from "../../functions/status-api/app.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { copyRules } from "../../shared/geo/copy-limits.ts";
import { FUSED_VERIFICATION_BYTES_MAX } from "../../shared/geo/limits.ts";
import { DUE_INDEX, feedNames, primaryNames, secondaryNames, siteNames } from "../../shared/geo/physical-names.ts";
import { parseRegistryRow, rowKey } from "../../shared/geo/registry-row.ts";
import { redrivableQueues } from "../../shared/geo/redrivable-queues.ts";
import { applySelection } from "../../shared/geo/replicable-selection.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { countedTable, type RowChange } from "../../shared/geo/counters.ts";
import type { WebApp } from "../../shared/lambda/http-handler.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import { MemoryDestroyableBucket } from "../../shared/memory/destroyable-bucket.ts";
import { MemoryManifestStore } from "../../shared/memory/manifest-store.ts";
import { MemoryDeadLetters } from "../../shared/memory/dead-letters.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { MemoryTopic } from "../../shared/memory/topic.ts";
import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import type { PrimarySite, SecondarySite } from "../../shared/ports/site.ts";
import type { Workflow } from "../../shared/ports/workflows.ts";
import type { Telemetry } from "../../shared/ports/telemetry.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { SiteScope } from "../../shared/services/site-scope.ts";
import { KeyCapacity } from "../../shared/services/key-capacity.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { whileNotPaused } from "../../shared/services/while-not-paused.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { countRecords } from "../../shared/services/count-records.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { UsageLedger } from "../../shared/services/daily-usage.ts";
import { issueToken } from "../../shared/services/issue-token.ts";
import { gatherStatus } from "../../shared/services/gather-status.ts";
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
import type { WorkedThrough } from "../../shared/services/work-through.ts";
import { reportsDrift, type SiteConfig } from "../../shared/config/geo-config.ts";
import type { DemoSite, DemoWorld } from "./demo-world.ts";
import { loadLocalConfig } from "./deploy.ts";
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

/** As the deployed functions have it, so that leases and quarantines are as long as there. */
const FUNCTION_TIMEOUT_MS = 120_000;
const MAX_RECEIVE_COUNT = 5;
const IDLE_POLL_MS = 20;
const SWEEP_EVERY_MS = 5_000;

/** Walks go on this often: more often than deployed, since nobody should have to wait here. */
const WALK_EVERY_MS = 10_000;

/** Sites look at themselves this often: more often than deployed, so that the primary shows what is so. */
const STATUS_EVERY_MS = 3_000;

const backlogOf = (queue: MemoryQueue) => (): Promise<number> => Promise.resolve(queue.size);

/** Logs nothing: what happens is in the tables, and the demonstration reads it there. */
const SILENT: Telemetry = { debug() {}, info() {}, warn() {}, error() {}, count() {}, gauge() {}, duration() {} };

type Work = (messages: readonly ReceivedMessage[], stopAt: number) => Promise<ReadonlySet<string>>;

/** Turns a handler of one message into one of a batch; a message that throws has to come again. */
const each =
  (work: (message: ReceivedMessage, stopAt: number) => Promise<WorkedThrough>): Work =>
  async (messages, stopAt) => {
    const again = new Set<string>();
    await Promise.all(
      messages.map(async (message) => {
        const { done } = await work(message, stopAt).catch(() => ({ done: false }));
        if (!done) again.add(message.id);
      }),
    );
    return again;
  };

/** Feeds a queue to a handler, as an event source mapping does, until `isOver`. */
const poll = async (queue: MemoryQueue, isOver: () => boolean, work: Work): Promise<void> => {
  while (!isOver()) {
    const messages = await queue.receive();
    if (messages.length === 0) {
      await new Promise((tick) => setTimeout(tick, IDLE_POLL_MS));
      continue;
    }
    const again = await work(messages, systemClock.now() + FUNCTION_TIMEOUT_MS).catch(() => undefined);
    // What failed stays hidden until its visibility timeout, as in SQS.
    if (again !== undefined) await queue.acknowledge(messages.flatMap(({ id }) => (again.has(id) ? [] : [id])));
    await new Promise((tick) => setImmediate(tick)); // the API is served by this very process
  }
};

/** Counts a table's changes in order, one batch at a time, as the stream's mapping does. */
const countInto = (site: MemoryTable, table: MemoryTable, role: "primary" | "secondary"): void => {
  let waiting: RowChange[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    if (running) return;
    running = true;
    while (waiting.length > 0) {
      const changes = waiting;
      waiting = [];
      await countChanges(site, { table: countedTable(role), shard: "memory", changes });
    }
    running = false;
  };
  table.onChange(({ sequenceNumber, before, after }) => {
    waiting.push({
      sequenceNumber: String(sequenceNumber),
      changedAt: systemClock.now(),
      ...(before === undefined ? {} : { before }),
      ...(after === undefined ? {} : { after }),
    });
    setImmediate(() => void run());
  });
};

/** Serves a web app on a free port of this machine. */
const serve = (app: WebApp): Promise<{ readonly url: string; readonly server: Server }> =>
  new Promise((listening) => {
    let url = "";
    const server = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
        const method = request.method ?? "GET";
        const hasBody = method !== "GET" && method !== "HEAD"; // a web request may have none then
        const asked = { method, headers, ...(hasBody && { body: await buffer(request) }) };
        const result = await app.fetch(new Request(`${url}${request.url ?? "/"}`, asked), { apiUrl: url });
        response.writeHead(result.status, Object.fromEntries(result.headers)).end(await result.text());
      };
      answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
      listening({ url, server });
    });
  });

const dueTable = (name: string): MemoryTable =>
  new MemoryTable({
    name,
    indexes: [{ name: DUE_INDEX, pk: "due_pk", sk: "due_at", include: [] }],
  });

const queueWithDeadLetters = (name: string, deadLettersName: string) => {
  const common = { clock: systemClock, chance: systemChance };
  const deadLetters = new MemoryQueue({ name: deadLettersName, ...common });
  const queue = new MemoryQueue({
    name,
    ...common,
    visibilityTimeoutSeconds: (6 * FUNCTION_TIMEOUT_MS) / 1_000,
    deadLetters: { queue: deadLetters, maxReceiveCount: MAX_RECEIVE_COUNT },
  });
  return { queue, deadLetters };
};

/** The API of a site, with a token for it; and its look at itself, for which it has to know where its API is. */
const openApi = async (
  site: SiteConfig,
  primaryName: string,
  siteTable: MemoryTable,
  primarySiteTable: MemoryTable,
  rows: MemoryTable,
  replicables: readonly Replicable[],
  workflows: {
    readonly bulkWorkflow: Workflow;
    readonly destroys: Workflow;
  },
  redrivable: readonly Redrivable[],
  page: BuiltPage,
): Promise<Pick<DemoSite, "apiUrl" | "adminToken">> => {
  const { syncObjectStorage, syncTimeoutSeconds } = site;
  const deployed = { syncObjectStorage, syncTimeoutSeconds };
  const behind = { siteTable, primarySiteTable, rows, ...workflows, chance: systemChance, randomBytes };
  const served = {
    site,
    replicables,
    ...behind,
    ...deployed,
    redrivable,
    switches: new CachedSwitches(primarySiteTable, replicables, systemClock),
    primary: site.role === "primary" ? undefined : { name: primaryName, siteTable: primarySiteTable },
    clock: systemClock,
    telemetry: SILENT,
  };
  const { url, server } = await serve(
    withPage(page, admitted(statusApp(served), { site: siteTable, clock: systemClock })),
  );
  server.unref();
  atEnd(() => server.closeAllConnections());
  const look = () => gatherStatus({ ...served, apiUrl: url }, systemClock.now() + STATUS_EVERY_MS);
  const ledger = new UsageLedger(served);
  await look();
  await ledger.note();
  setInterval(() => void look().then(() => ledger.note()), STATUS_EVERY_MS).unref();
  const { token } = await issueToken(
    { site: siteTable, clock: systemClock, randomBytes },
    { name: "local", scope: "admin_geo", days: 1 },
  );
  return { apiUrl: url, adminToken: token };
};

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
  const measured = (queue: MemoryQueue): Ticking["queue"] => ({
    name: queue.name,
    send: (messages) => queue.send(messages),
    backlog: backlogOf(queue),
  });
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
    async registryRow(ref) {
      const item = await registry.get(rowKey(ref));
      return item === undefined ? undefined : parseRegistryRow(item);
    },
  };
};
