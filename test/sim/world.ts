import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { copyRules } from "../../shared/geo/copy-limits.ts";
import { FIRST_STANDING } from "../../shared/geo/site-standing.ts";
import {
  FUSED_VERIFICATION_BYTES_MAX,
  leaseMs,
  STOP_BEFORE_TIMEOUT_MS,
  SYNC_TIMEOUT_SECONDS,
} from "../../shared/geo/limits.ts";
import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { MemoryTopic } from "../../shared/memory/topic.ts";
import { everythingOn, everythingWanted } from "../support/everything.ts";
import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import type { PrimarySite, SecondarySite, SiteBase, StandingReader } from "../../shared/ports/site.ts";
import type { Item } from "../../shared/ports/table.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { noticeDrift } from "../../shared/services/notice-drift.ts";
import { publishEvents } from "../../shared/services/publish.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import { sweepDue } from "../../shared/services/sweep-due.ts";
import { whileNotPaused } from "../../shared/services/while-not-paused.ts";
import { Calls, type Invocation, type Machine } from "./calls.ts";
import { Channel } from "./channel.ts";
import { Dice, NamingChance } from "./dice.ts";
import { Faults, FUNCTION_TIMEOUT_MS } from "./faults.ts";
import { Fleet, type Host, Processes } from "./fleet.ts";
import { GuardOperators, guardPolicyOf, watchGuard } from "./guard.ts";
import { reconcileLater, scheduleChanges, scheduleClocks, scheduleRedrives, scheduleRestore } from "./operators.ts";
import { Oracle } from "./oracle.ts";
import { People } from "./people.ts";
import { DAY_MS, type Plan } from "./plan.ts";
import { BucketPort, MachineClock, type StaleAnswers, TablePort, type Tampering, type Wires } from "./ports.ts";
import { ReplicaPort } from "./replica-port.ts";
import { enable, schedulePauses } from "./pauses.ts";
import { become, schedulePromotions } from "./promotion.ts";
import { QueuePort } from "./queue-port.ts";
import { TYPES } from "./source.ts";
import { Stream } from "./stream.ts";
import { Sweeper } from "./sweeper.ts";
import { SILENT } from "./telemetry.ts";
import { Timeline } from "./timeline.ts";
import { copyLimitsOf, Uploads } from "./uploads.ts";
import { Watch } from "./watch.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** Rounds that the retry-sweep workflow makes at most before it leaves the rest to the next minute. */
const SWEEP_ROUNDS_MAX = 10;

const always = (): Promise<boolean> => Promise.resolve(true);

const dueIndex = { name: DUE_INDEX, pk: "due_pk", sk: "due_at", sortType: "number" } as const;

/**
 * A primary and a secondary in one process: the services that ship, on stores in memory, run by machines whose every call
 * goes through the scheduler. Wired as the sites are deployed.
 */
export class World {
  readonly plan: Plan;
  readonly timeline: Timeline;
  readonly faults: Faults;
  readonly calls: Calls;
  readonly oracle: Oracle;
  readonly processes: Processes;
  readonly primaryBucket: MemoryBucket;
  readonly replicaBucket: MemoryBucket;
  readonly registry: MemoryTable;
  readonly verificationState: MemoryTable;
  readonly primarySiteTable: MemoryTable;
  readonly secondarySiteTable: MemoryTable;
  readonly channels: readonly Channel[];
  readonly streams: readonly Stream[];
  readonly replicables: readonly (typeof TYPES)[number][];
  readonly watch: Watch;
  readonly people: People;
  readonly uploads: Uploads;
  readonly trace: ((line: string) => void) | undefined;
  readonly startMs = START_MS;
  /** The queues, by the function that reads them: the publisher's, the primary's checksum function's, the consumer's. */
  readonly ingest: Channel;
  readonly checksums: Channel;
  readonly events: Channel;
  readonly #verification: Channel;
  readonly #drift: Channel;
  readonly #guardOperators: GuardOperators;
  readonly machines: Machine[] = [];
  readonly #knownKeys = new Set<string>();
  #pending = 0;

  constructor(plan: Plan, tampering: Tampering, trace: ((line: string) => void) | undefined) {
    const { seed } = plan;
    this.plan = plan;
    this.trace = trace;
    this.timeline = new Timeline(START_MS);
    const { timeline } = this;
    this.faults = new Faults(plan, START_MS);
    const { faults } = this;
    this.calls = new Calls(timeline, faults, new Dice(seed, "latency"), trace);
    this.replicables = TYPES.slice(0, plan.types);

    const clock = { now: () => Math.floor(timeline.now) };
    this.primaryBucket = new MemoryBucket({ name: "primary-bucket", clock, chance: new NamingChance(seed, "s") });
    this.replicaBucket = new MemoryBucket({ name: "replica-bucket", clock, chance: new NamingChance(seed, "r") });
    this.registry = new MemoryTable({ name: "registry", indexes: [dueIndex] });
    this.verificationState = new MemoryTable({ name: "verification-state", indexes: [dueIndex] });
    this.primarySiteTable = new MemoryTable({ name: "primary-site" });
    this.secondarySiteTable = new MemoryTable({ name: "secondary-site" });
    const syncTimeoutMs = (plan.syncTimeoutSeconds ?? SYNC_TIMEOUT_SECONDS.standard) * 1_000;
    this.oracle = new Oracle({
      now: () => timeline.now,
      leaseMs: leaseMs(FUNCTION_TIMEOUT_MS, syncTimeoutMs),
      primary: this.primaryBucket,
      replica: this.replicaBucket,
      registry: this.registry,
      verificationState: this.verificationState,
    });

    this.watch = new Watch(this);
    const removalGuard = guardPolicyOf(faults);
    watchGuard(this, removalGuard);
    const messageChance = new NamingChance(seed, "m");
    const channel = (name: string): Channel =>
      new Channel({
        name,
        timeline,
        faults,
        chance: messageChance,
        lost: (keys) => reconcileLater(this, keys),
        hintedByLists: name === "checksum",
        // What drift events are there to find is found by rechecks, too, but only where no event tells of it.
        lossShare: name === "drift" ? 0.3 : 0.03,
      });
    this.ingest = channel("ingest");
    this.checksums = channel("checksum");
    this.events = channel("geo-events");
    this.#verification = channel("verification");
    this.#drift = channel("drift");
    this.channels = [this.ingest, this.checksums, this.events, this.#verification, this.#drift];

    const bucketEvents = new MemoryTopic("bucket-events");
    const geoEvents = new MemoryTopic("geo-events");
    bucketEvents.subscribe(this.ingest);
    bucketEvents.subscribe(this.checksums);
    geoEvents.subscribe(this.ingest);
    this.primaryBucket.onEvent((body) => void bucketEvents.send([{ body }]));
    if (tampering.drift !== false) this.replicaBucket.onEvent((body) => void this.#drift.send([{ body }]));

    const host: Host = { timeline, calls: this.calls, trace };
    this.processes = new Processes(host);
    const { processes } = this;
    const wires: Wires = { calls: this.calls, faults, oracle: this.oracle, timeline, watch: this.watch, tampering };
    const chance = new NamingChance(seed, "t");
    const primaryBucket = new MemoryReadableBucket(this.primaryBucket);
    const copyLimits = copyLimitsOf(plan);
    const replicaBucket = new MemoryReplicaBucket({
      primary: this.primaryBucket,
      replica: this.replicaBucket,
      copyBytesMax: copyLimits.singleCopyBytesMax,
      parts: copyLimits.parts,
    });
    this.uploads = new Uploads(this, replicaBucket, tampering.sweepsUploads ?? true);
    const stale: Record<"registry" | "verificationState", StaleAnswers> = {
      registry: new Map(),
      verificationState: new Map(),
    };

    const base = (process: Invocation, name: string): SiteBase => ({
      name,
      clock: new MachineClock(wires, process),
      chance,
      telemetry: SILENT,
      functionTimeoutMs: FUNCTION_TIMEOUT_MS,
      switches: everythingOn,
    });
    const registry = (process: Invocation) => new TablePort(wires, process, this.registry, "registry", stale.registry);
    const state = (process: Invocation) =>
      new TablePort(wires, process, this.verificationState, "verification_state", stale.verificationState);
    const ownTable = (process: Invocation) =>
      new TablePort(wires, process, this.secondarySiteTable, "site_table", new Map());
    const queue = (process: Invocation, to: Channel | MemoryTopic) => new QueuePort(wires, process, to);
    const parking = (process: Invocation, of: Channel) => new QueuePort(wires, process, of.deadLetters);
    const primary = (process: Invocation): PrimarySite => ({
      ...base(process, "primary"),
      bucket: new BucketPort(wires, process, primaryBucket, "primary_bucket"),
      verificationState: state(process),
      checksums: checksumRules(TYPES),
      geoEvents: queue(process, geoEvents),
    });
    const secondary = (process: Invocation): SecondarySite => ({
      ...base(process, "secondary"),
      siteTable: ownTable(process),
      standing: this.watch.fence.reader(process, ownTable(process), new MachineClock(wires, process)),
      removalGuard,
      syncTimeoutMs,
      scope: everythingWanted,
      primary: new BucketPort(wires, process, primaryBucket, "primary_bucket"),
      replica: new ReplicaPort(wires, process, replicaBucket, this.replicaBucket),
      registry: registry(process),
      primaryState: state(process),
      checksums: checksumRules(TYPES),
      verificationQueue: queue(process, this.#verification),
      copies: copyRules(copyLimits),
      fusedVerificationBytesMax: plan.fused ? FUSED_VERIFICATION_BYTES_MAX : 0,
    });
    // Whoever writes nothing to S3 asks for no more than whether there is a pause, and without one of nobody.
    const standing = (process: Invocation): StandingReader =>
      faults.isOn("pause")
        ? new CachedSiteRecord(ownTable(process), new MachineClock(wires, process)).standing
        : { read: () => Promise.resolve(FIRST_STANDING) };
    const { replicables } = this;
    const primaryBucketName = this.primaryBucket.name;

    const fleet = (
      name: string,
      size: number,
      from: Channel,
      work: (process: Invocation, messages: readonly ReceivedMessage[], stopAt: number) => Promise<ReadonlySet<string>>,
    ): Fleet =>
      new Fleet({
        host,
        processes,
        channel: from,
        machines: Array.from({ length: size }, (_, machine) => this.#machine(`${name}${machine + 1}`)),
        dice: new Dice(seed, name),
        work: (process, messages) =>
          work(
            process,
            messages,
            new MachineClock(wires, process).now() + FUNCTION_TIMEOUT_MS - STOP_BEFORE_TIMEOUT_MS,
          ),
      });
    fleet("publisher", 2, this.ingest, (process, messages) =>
      publishEvents(
        {
          site: base(process, "secondary"),
          replicables,
          primaryBucket: primaryBucketName,
          events: queue(process, this.events),
          verification: queue(process, this.#verification),
          parking: parking(process, this.ingest),
        },
        messages,
      ),
    );
    fleet("checksum", 2, this.checksums, (process, messages, stopAt) => {
      const site = primary(process);
      return eachMessage(SILENT, (message) =>
        recordChecksums(
          { site, replicables, primaryBucket: primaryBucketName, parking: parking(process, this.checksums), stopAt },
          message,
        ),
      )(messages, { stopAt, giveBack: (ids) => this.checksums.giveBack(ids) });
    });
    fleet("consumer", 4, this.events, (process, messages, stopAt) => {
      const site = tampering.site?.(secondary(process)) ?? secondary(process);
      return eachMessage(SILENT, (message) =>
        consumeEvents({ site, replicables, parking: parking(process, this.events), stopAt }, message),
      )(messages, { stopAt, giveBack: (ids) => this.events.giveBack(ids) });
    });
    fleet("verifier", 2, this.#verification, (process, messages, stopAt) => {
      const site = { ...secondary(process), standing: standing(process) };
      return eachMessage(SILENT, (message) =>
        consumeVerifications({ site, replicables, parking: parking(process, this.#verification), stopAt }, message),
      )(messages, { stopAt, giveBack: (ids) => this.#verification.giveBack(ids) });
    });

    fleet("drift", 2, this.#drift, (process, messages, stopAt) => {
      const replica = new BucketPort(wires, process, replicaBucket, "replica_bucket");
      const site = { ...base(process, "secondary"), registry: registry(process), replica };
      const noticing = { site, replicables, events: queue(process, this.events), stopAt };
      return eachMessage(SILENT, (message) =>
        noticeDrift({ ...noticing, parking: parking(process, this.#drift) }, message),
      )(messages, { stopAt, giveBack: (ids) => this.#drift.giveBack(ids) });
    });

    const replicableNames = replicables.map(({ name }) => name);
    const sweeper = (
      name: string,
      table: MemoryTable,
      port: (process: Invocation) => TablePort,
      to: Channel,
      isOn: (process: Invocation) => () => Promise<boolean>,
    ): Sweeper =>
      new Sweeper({
        host,
        processes,
        oracle: this.oracle,
        table,
        machine: this.#machine(name),
        everyMs: plan.sweepMinutes * 60_000,
        sweep: async (process) => {
          const sweeping = {
            table: port(process),
            replicableNames,
            queue: queue(process, to),
            clock: new MachineClock(wires, process),
            telemetry: SILENT,
            isOn: isOn(process),
          };
          let cursor: Parameters<typeof sweepDue>[1];
          for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
            const swept = await sweepDue(sweeping, cursor);
            if (!swept.more) return;
            cursor = swept.cursor;
          }
        },
      });
    sweeper("registry-sweep", this.registry, registry, this.events, (process) => {
      const isOn = whileNotPaused(standing(process), always);
      return () => isOn("any");
    });
    sweeper("state-sweep", this.verificationState, state, this.checksums, () => always);

    const stream = (name: string, table: MemoryTable, counted: "registry" | "verification_state", site: MemoryTable) =>
      new Stream({
        host,
        processes,
        faults,
        table,
        machines: [this.#machine(`${name}1`), this.#machine(`${name}2`)],
        dice: new Dice(seed, name),
        count: async (process, shard, changes) => {
          const siteTable = new TablePort(wires, process, site, "site_table", new Map());
          await countChanges(siteTable, { table: counted, shard, changes });
        },
      });
    this.streams = [
      stream("registry-counter", this.registry, "registry", this.secondarySiteTable),
      stream("state-counter", this.verificationState, "verification_state", this.primarySiteTable),
    ];

    this.people = new People(this);
    this.watch.onReplicaMet = (key) => this.people.tempted(key);
    this.#guardOperators = new GuardOperators(this);
    scheduleChanges(this);
    scheduleClocks(this);
    scheduleRedrives(this);
    scheduleRestore(this);
    schedulePromotions(this);
    schedulePauses(this);
  }

  /** When changes and faults are over, at the latest. */
  get faultsEndAt(): number {
    const last = this.plan.changes.at(-1)?.at ?? 0;
    return START_MS + Math.max(DAY_MS, last + 60_000);
  }

  /** Ends the faults: clocks are right, and what lies in dead letters is put back. */
  endFaults(): void {
    this.faults.active = false;
    for (const machine of this.machines) machine.skewMs = 0;
    if (this.faults.isOn("promotion")) void become(this, "secondary");
    if (this.faults.isOn("pause")) void enable(this, true);
    this.tidyUp();
  }

  /** Operators put back what lies in dead letters, release what is held back, and have read again what nobody has. */
  tidyUp(): void {
    for (const channel of this.channels) channel.redrive();
    this.#guardOperators.releaseAll();
    this.people.reverifyAll();
    void this.uploads.sweep();
  }

  /** Every key that anybody ever named. */
  get keys(): readonly string[] {
    return [...this.#knownKeys];
  }

  /** Notes a key that somebody is going to name. */
  knows(key: string): void {
    this.#knownKeys.add(key);
  }

  /** Nothing is under way and nothing will happen by itself; rows that wait for a human may be tried for ever. */
  get isQuiet(): boolean {
    return (
      this.processes.alive === 0 &&
      this.calls.underWay === 0 &&
      this.#pending === 0 &&
      this.channels.every((channel) => channel.isEmpty) &&
      this.streams.every((stream) => stream.isEmpty) &&
      [...this.oracle.due(this.registry)].every(([key, row]) => this.#waitsForHuman(key, row)) &&
      this.oracle.due(this.verificationState).size === 0 &&
      this.people.unread.length === 0 &&
      this.uploads.open.length === 0
    );
  }

  /** A row that says what is wrong with an object that can not be copied until somebody restores it. */
  #waitsForHuman(key: string, row: Item): boolean {
    const current = this.primaryBucket.current(key);
    return row["blocked_reason"] !== undefined && current?.kind === "object" && current.archived;
  }

  /** Why the world is not quiet. */
  get unrest(): string {
    const due = [this.registry, this.verificationState].flatMap((table) => [...this.oracle.due(table)]);
    return JSON.stringify({
      processes: this.processes.alive,
      calls: this.calls.underWay,
      pending: this.#pending,
      messages: this.channels.filter((channel) => !channel.isEmpty).map(({ name }) => name),
      unread: this.people.unread,
      uploads: this.uploads.open,
      parked: this.channels.flatMap(({ deadLetters }) => deadLetters.bodies),
      uncounted: this.streams.filter((stream) => !stream.isEmpty).length,
      due: due.filter(([key, row]) => !this.#waitsForHuman(key, row)),
    });
  }

  #machine(name: string): Machine {
    const machine: Machine = { name, skewMs: 0 };
    this.machines.push(machine);
    return machine;
  }

  /** Has something of the harness's own happen, which the world is not quiet without. */
  later(at: number, happen: () => void): void {
    this.#pending += 1;
    this.timeline.at(at, () => {
      this.#pending -= 1;
      this.calls.stir();
      happen();
    });
  }
}
