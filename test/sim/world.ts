import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import {
  FUSED_VERIFICATION_BYTES_MAX,
  quarantineMs,
  STOP_BEFORE_TIMEOUT_MS,
  SYNC_TIMEOUT_SECONDS,
} from "../../shared/geo/limits.ts";
import { REMOVAL_GUARD_DEFAULT } from "../../shared/geo/removal-guard.ts";
import { DUE_INDEX } from "../../shared/geo/physical-names.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { MemoryBucket } from "../../shared/memory/bucket.ts";
import { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { MemoryTopic } from "../../shared/memory/topic.ts";
import type { ReceivedMessage } from "../../shared/ports/message-queue.ts";
import type { PrimarySite, SecondarySite, SiteBase } from "../../shared/ports/site.ts";
import type { Item, QueryPage } from "../../shared/ports/table.ts";
import { CachedStanding } from "../../shared/services/cached-standing.ts";
import { consumeEvents, consumeVerifications } from "../../shared/services/consume.ts";
import { countChanges } from "../../shared/services/count-changes.ts";
import { publishEvents } from "../../shared/services/publish.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import { sweepDue } from "../../shared/services/sweep-due.ts";
import { Calls, type Invocation, type Machine } from "./calls.ts";
import { Channel } from "./channel.ts";
import { Dice, NamingChance } from "./dice.ts";
import { Faults, FUNCTION_TIMEOUT_MS, SKEW_MAX_MS } from "./faults.ts";
import { Fleet, type Host, Processes } from "./fleet.ts";
import { Oracle } from "./oracle.ts";
import { DAY_MS, type Plan } from "./plan.ts";
import { BucketPort, MachineClock, QueuePort, ReplicaPort, TablePort, type Tampering, type Wires } from "./ports.ts";
import { change, keyOf, TYPES } from "./source.ts";
import { Stream } from "./stream.ts";
import { Sweeper } from "./sweeper.ts";
import { SILENT } from "./telemetry.ts";
import { Timeline } from "./timeline.ts";

const START_MS = Date.UTC(2026, 0, 1);

/** Rounds that the retry-sweep workflow makes at most before it leaves the rest to the next minute. */
const SWEEP_ROUNDS_MAX = 10;

/** How long after a hint was lost its key is reconciled. */
const RECONCILED_WITHIN_MS = 6 * 60 * 60 * 1_000;

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
  readonly #machines: Machine[] = [];
  readonly #ingest: Channel;
  readonly #checksum: Channel;
  readonly #events: Channel;
  readonly #verification: Channel;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #knownKeys = new Set<string>();
  #pending = 0;

  constructor(plan: Plan, tampering: Tampering, trace: ((line: string) => void) | undefined) {
    const { seed } = plan;
    this.plan = plan;
    this.#trace = trace;
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
    this.oracle = new Oracle({
      now: () => timeline.now,
      primary: this.primaryBucket,
      replica: this.replicaBucket,
      registry: this.registry,
      verificationState: this.verificationState,
    });

    const messageChance = new NamingChance(seed, "m");
    const channel = (name: string): Channel =>
      new Channel({
        name,
        timeline,
        faults,
        chance: messageChance,
        lost: (keys) => this.#reconcileLater(keys),
        hintedByLists: name === "checksum",
      });
    this.#ingest = channel("ingest");
    this.#checksum = channel("checksum");
    this.#events = channel("geo-events");
    this.#verification = channel("verification");
    this.channels = [this.#ingest, this.#checksum, this.#events, this.#verification];

    const bucketEvents = new MemoryTopic("bucket-events");
    const geoEvents = new MemoryTopic("geo-events");
    bucketEvents.subscribe(this.#ingest);
    bucketEvents.subscribe(this.#checksum);
    geoEvents.subscribe(this.#ingest);
    this.primaryBucket.onEvent((body) => void bucketEvents.send([{ body }]));

    const host: Host = { timeline, calls: this.calls, trace };
    this.processes = new Processes(host);
    const { processes } = this;
    const wires: Wires = { calls: this.calls, faults, oracle: this.oracle, timeline, tampering };
    const chance = new NamingChance(seed, "t");
    const primaryBucket = new MemoryReadableBucket(this.primaryBucket);
    const replicaBucket = new MemoryReplicaBucket({ primary: this.primaryBucket, replica: this.replicaBucket });
    const stale = { registry: new Map<string, QueryPage>(), verificationState: new Map<string, QueryPage>() };

    const base = (process: Invocation, name: string): SiteBase => ({
      name,
      clock: new MachineClock(wires, process),
      chance,
      telemetry: SILENT,
      functionTimeoutMs: FUNCTION_TIMEOUT_MS,
    });
    const registry = (process: Invocation) => new TablePort(wires, process, this.registry, "registry", stale.registry);
    const state = (process: Invocation) =>
      new TablePort(wires, process, this.verificationState, "verification_state", stale.verificationState);
    const ownTable = (process: Invocation) =>
      new TablePort(wires, process, this.secondarySiteTable, "site_table", new Map<string, QueryPage>());
    const queue = (process: Invocation, to: Channel | MemoryTopic) => new QueuePort(wires, process, to);
    const parking = (process: Invocation, of: Channel) => new QueuePort(wires, process, of.deadLetters);
    const primary = (process: Invocation): PrimarySite => ({
      ...base(process, "primary"),
      bucket: new BucketPort(wires, process, primaryBucket, "primary_bucket"),
      verificationState: state(process),
      geoEvents: queue(process, geoEvents),
    });
    const secondary = (process: Invocation): SecondarySite => ({
      ...base(process, "secondary"),
      siteTable: ownTable(process),
      standing: new CachedStanding(ownTable(process), new MachineClock(wires, process)),
      removalGuard: REMOVAL_GUARD_DEFAULT,
      syncTimeoutMs: SYNC_TIMEOUT_SECONDS.standard * 1_000,
      syncObjectStorage: true,
      primary: new BucketPort(wires, process, primaryBucket, "primary_bucket"),
      replica: new ReplicaPort(wires, process, replicaBucket, this.replicaBucket),
      registry: registry(process),
      primaryState: state(process),
      verificationQueue: queue(process, this.#verification),
      fusedVerificationBytesMax: plan.fused ? FUSED_VERIFICATION_BYTES_MAX : 0,
    });
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
    fleet("publisher", 2, this.#ingest, (process, messages) =>
      publishEvents(
        {
          site: base(process, "secondary"),
          replicables,
          primaryBucket: primaryBucketName,
          events: queue(process, this.#events),
          verification: queue(process, this.#verification),
          parking: parking(process, this.#ingest),
        },
        messages,
      ),
    );
    fleet("checksum", 2, this.#checksum, (process, messages, stopAt) => {
      const site = primary(process);
      return eachMessage(SILENT, (message) =>
        recordChecksums(
          { site, replicables, primaryBucket: primaryBucketName, parking: parking(process, this.#checksum), stopAt },
          message,
        ),
      )(messages, { stopAt, giveBack: (ids) => this.#checksum.giveBack(ids) });
    });
    fleet("consumer", 4, this.#events, (process, messages, stopAt) => {
      const site = secondary(process);
      return eachMessage(SILENT, (message) =>
        consumeEvents({ site, replicables, parking: parking(process, this.#events), stopAt }, message),
      )(messages, { stopAt, giveBack: (ids) => this.#events.giveBack(ids) });
    });
    fleet("verifier", 2, this.#verification, (process, messages, stopAt) => {
      const site = secondary(process);
      return eachMessage(SILENT, (message) =>
        consumeVerifications({ site, replicables, parking: parking(process, this.#verification), stopAt }, message),
      )(messages, { stopAt, giveBack: (ids) => this.#verification.giveBack(ids) });
    });

    const replicableNames = replicables.map(({ name }) => name);
    const sweeper = (
      name: string,
      table: MemoryTable,
      port: (process: Invocation) => TablePort,
      to: Channel,
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
          };
          let cursor: Parameters<typeof sweepDue>[1];
          for (let round = 0; round < SWEEP_ROUNDS_MAX; round += 1) {
            const swept = await sweepDue(sweeping, cursor);
            if (!swept.more) return;
            cursor = swept.cursor;
          }
        },
      });
    sweeper("registry-sweep", this.registry, registry, this.#events);
    sweeper("state-sweep", this.verificationState, state, this.#checksum);

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

    this.#scheduleChanges();
    this.#scheduleClocks();
    this.#scheduleRedrives();
    this.#scheduleRestore();
  }

  /** When changes and faults are over, at the latest. */
  get faultsEndAt(): number {
    const last = this.plan.changes.at(-1)?.at ?? 0;
    return START_MS + Math.max(DAY_MS, last + 60_000);
  }

  /** Ends the faults: clocks are right, and what lies in dead letters is put back. */
  endFaults(): void {
    this.faults.active = false;
    for (const machine of this.#machines) machine.skewMs = 0;
    for (const channel of this.channels) channel.redrive();
  }

  /** Operators put back what lies in dead letters, whenever there is anything. */
  redriveAll(): void {
    for (const channel of this.channels) channel.redrive();
  }

  /** Every key that anybody ever named. */
  get keys(): readonly string[] {
    return [...this.#knownKeys];
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
      this.oracle.due(this.verificationState).size === 0
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
      parked: this.channels.flatMap(({ deadLetters }) => deadLetters.bodies),
      uncounted: this.streams.filter((stream) => !stream.isEmpty).length,
      due: due.filter(([key, row]) => !this.#waitsForHuman(key, row)),
    });
  }

  #machine(name: string): Machine {
    const machine: Machine = { name, skewMs: 0 };
    this.#machines.push(machine);
    return machine;
  }

  /** Has something of the harness's own happen, which the world is not quiet without. */
  #later(at: number, happen: () => void): void {
    this.#pending += 1;
    this.timeline.at(at, () => {
      this.#pending -= 1;
      this.calls.stir();
      happen();
    });
  }

  #scheduleChanges(): void {
    const { plan } = this;
    const dice = new Dice(plan.seed, "unattested");
    for (const wanted of plan.changes) {
      const key = keyOf(wanted.key, plan.types);
      const unattested = dice.hits(plan.unattested);
      this.#knownKeys.add(key);
      this.#later(START_MS + wanted.at, () => {
        const done = change(this.primaryBucket, key, wanted, unattested);
        this.oracle.sourceChanged(key);
        if (done)
          this.#trace?.(
            `somebody does: ${wanted.do} ${key} (${wanted.variant}) = ${this.primaryBucket.current(key)?.versionId ?? "nothing"}`,
          );
      });
    }
  }

  #scheduleClocks(): void {
    if (!this.faults.isOn("clock")) return;
    const dice = this.faults.dice("clock");
    for (let jump = 0; jump < 60; jump += 1) {
      const machine = dice.pick(this.#machines);
      const skewMs = Math.floor(dice.between(-SKEW_MAX_MS, SKEW_MAX_MS));
      this.timeline.at(START_MS + dice.between(0, DAY_MS), () => {
        if (!this.faults.active) return;
        machine.skewMs = skewMs;
        this.faults.count("clock");
      });
    }
  }

  #scheduleRedrives(): void {
    if (!this.faults.isOn("redrive")) return;
    const dice = this.faults.dice("redrive");
    for (let time = 0; time < 6; time += 1) {
      this.#later(START_MS + dice.between(0, DAY_MS), () => {
        for (const channel of this.channels) if (channel.redrive() > 0) this.faults.count("redrive");
      });
    }
  }

  /** The registry as it was some hours ago; whoever restores a table reconciles then, and again after the quarantine. */
  #scheduleRestore(): void {
    if (!this.faults.isOn("restore")) return;
    const dice = this.faults.dice("restore");
    const takenAt = START_MS + dice.between(0, DAY_MS * 0.8);
    const restoredAt = takenAt + dice.between(60_000, 5 * 3_600_000);
    this.#later(takenAt, () => {
      const backup = this.registry.export();
      this.#later(restoredAt, () => {
        this.faults.count("restore");
        this.#trace?.("the registry is restored from a backup");
        this.oracle.restoring = true;
        const kept = new Set(backup.items.map(({ sk }) => sk));
        for (const { pk, sk } of this.registry.items())
          if (!kept.has(sk)) void this.registry.delete({ key: { pk, sk } });
        for (const item of backup.items) void this.registry.put(item);
        this.oracle.restoring = false;
        this.#later(restoredAt + dice.between(0, 600_000), () => this.#reconcile(this.keys));
        this.#later(restoredAt + quarantineMs(FUNCTION_TIMEOUT_MS) + 2 * SKEW_MAX_MS, () => this.#reconcile(this.keys));
      });
    });
  }

  #reconcileLater(keys: readonly string[]): void {
    if (keys.length === 0) return;
    const delay = this.faults.dice("loss").between(60_000, RECONCILED_WITHIN_MS);
    this.#later(this.timeline.now + delay, () => this.#reconcile(keys));
  }

  /** What registry consistency does: it names keys to both sites, and does nothing about them itself. */
  #reconcile(keys: readonly string[]): void {
    for (const key of keys) {
      const name = matchKey(this.replicables, key)?.replicable.name ?? "";
      const hint: GeoMessage = {
        version: 1,
        kind: "geo_events",
        events: [
          {
            id: "reconcile",
            replicable_name: name,
            event_name: "updated",
            created_at: Math.floor(this.timeline.now),
            payload: { model_record_id: "1", correlation_id: "reconcile", blob_path: encodeKey(key) },
          },
        ],
      };
      const look: GeoMessage = { version: 1, kind: "due", replicable_name: name, keys: [encodeKey(key)] };
      this.#trace?.(`reconciles ${key}`);
      void this.#events.send([{ body: JSON.stringify(hint) }]);
      void this.#checksum.send([{ body: JSON.stringify(look) }]);
    }
  }
}
