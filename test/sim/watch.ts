import { SITE_TABLE_PARTITIONS } from "../../shared/geo/physical-names.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import type { HeadOutcome } from "../../shared/ports/object-store.ts";
import type { OutgoingMessage } from "../../shared/ports/message-queue.ts";
import type { Item, ItemKey, UpdateRequest, WriteOutcome } from "../../shared/ports/table.ts";
import type { Invocation } from "./calls.ts";
import type { Port } from "./faults.ts";
import { Claims } from "./claims.ts";
import { Fence } from "./fence.ts";
import { isPermit } from "./guard.ts";
import type { Sent } from "./leases.ts";
import type { Oracle } from "./oracle.ts";
import { StepCounter } from "./step-counter.ts";
import { Readings } from "./readings.ts";
import { Removals } from "./removals.ts";
import { Resyncs } from "./resyncs.ts";
import { TYPES } from "./source.ts";
import { registryWriteOf } from "./steps.ts";
import { Transitions } from "./transitions.ts";
import type { World } from "./world.ts";

/** What is watched of a world. */
type Watched = Pick<
  World,
  "oracle" | "replicaBucket" | "registry" | "verificationState" | "secondarySiteTable" | "timeline"
>;

/**
 * Everybody who has to hear what a process asks the world and is told by it. The ports tell it; it tells those who watch
 * one rule each. None of them changes anything.
 */
export class Watch {
  readonly steps = new StepCounter();
  readonly fence: Fence;
  readonly resyncs: Resyncs;
  /** Called when somebody has looked at a replica, or written it. */
  onReplicaMet: (key: string) => void = () => {};
  readonly #oracle: Oracle;
  readonly #now: () => number;
  readonly #claims = new Claims();
  /** Writes of the registry that have been sent. */
  readonly #sent = new WeakMap<UpdateRequest, Sent>();
  readonly #transitions: Transitions;
  readonly #removals: Removals;
  readonly #readings: Readings;

  constructor(world: Watched) {
    const { oracle, registry, secondarySiteTable, timeline } = world;
    const report = (rule: string, detail: string): void => oracle.report(rule, detail);
    this.#oracle = oracle;
    this.#now = () => timeline.now;
    this.fence = new Fence(report, secondarySiteTable);
    this.resyncs = new Resyncs(registry, () => timeline.now);
    this.#transitions = new Transitions(report, (told) => this.steps.told(told));
    this.#removals = new Removals(report);
    this.#readings = new Readings(report, (versionId) => oracle.sourceOf(versionId));
    world.verificationState.onChange((record) => this.#transitions.recordChanged(record));
    registry.onChange((record) => {
      if (!oracle.restoring) this.#transitions.changed(record);
    });
  }

  /** A process reads a row. */
  gets(process: Invocation, port: Port, { sk }: ItemKey): void {
    this.steps.gets(process, port, sk);
  }

  /** The world answered. */
  got(process: Invocation, port: Port, { sk }: ItemKey, item: Item | undefined): void {
    if (port === "verification_state") this.#removals.readRecord(process.name, sk, item);
  }

  /** A process writes a row. @param asked as the production code wants it */
  updates(process: Invocation, port: Port, asked: UpdateRequest): void {
    if (port === "site_table" && asked.key.pk === SITE_TABLE_PARTITIONS.removalGuard) this.steps.asksGuard();
    if (port !== "registry") return;
    const token = asked.values?.[":token"];
    const { skewMs } = process.machine;
    this.#sent.set(asked, { token: typeof token === "string" ? token : undefined, at: this.#now(), skewMs });
    const write = registryWriteOf(asked);
    if (write === undefined)
      this.#oracle.report("steps", `a write that no step makes: ${asked.update} IF ${asked.condition ?? ""}`);
    else this.steps.wrote(process, asked.key.sk, write);
  }

  /** The world carries a write out, when it arrives and each time that it does. */
  async carriesOut(
    process: Invocation,
    port: Port,
    asked: UpdateRequest,
    carryOut: () => Promise<WriteOutcome>,
  ): Promise<WriteOutcome> {
    const write = port === "registry" ? registryWriteOf(asked) : undefined;
    const sent = this.#sent.get(asked);
    const carriedOut = () => (sent === undefined ? carryOut() : this.#oracle.leases.carryOut(sent, carryOut));
    const written = await (write === undefined ? carriedOut() : this.#transitions.carryOut(write, carriedOut));
    if (written.outcome !== "written") return written;
    this.#wrote(process, port, asked);
    const said = write?.verification;
    if (said === "succeed" || said === "settle_verified") this.#readings.verified(process.name, written.item);
    return written;
  }

  /** A process deletes a row of the registry. */
  deletes<Answer>(process: Invocation, { sk }: ItemKey, carryOut: () => Answer): Answer {
    this.steps.deletes(process, sk);
    return this.#transitions.carryOut({ step: "sync purge", replication: "purge" }, carryOut);
  }

  heads(process: Invocation, port: Port, key: string): void {
    this.steps.heads(process, port, key);
  }

  headed(process: Invocation, port: Port, key: string, outcome: HeadOutcome): void {
    if (port === "replica_bucket") this.onReplicaMet(key);
    if (port !== "primary_bucket") return;
    this.#claims.looked(process.name, key);
    this.#oracle.looked(process.name, key, outcome.outcome === "absent");
    this.#removals.looked(process.name, key, outcome);
  }

  /** A process was given bytes of a replica's version. @param toTheEnd whether these are the last that there are */
  readReplica(
    process: Invocation,
    key: string,
    versionId: string,
    start: number,
    bytes: Uint8Array,
    toTheEnd: boolean,
  ): void {
    if (toTheEnd) this.#oracle.replicaRead(key, versionId);
    this.#readings.read(process.name, versionId, start, bytes);
  }

  /** A process sends a copy. @param clockNow the time by the clock of its machine */
  copies(process: Invocation, key: string, clockNow: number): void {
    this.steps.copies(process, key);
    this.fence.writes(process, key, clockNow);
  }

  /** A process begins an upload, or copies a part into one: nobody sees it yet, and it is a write all the same. */
  uploads(process: Invocation, key: string, clockNow: number, what: "begin" | "part"): void {
    if (what === "begin") this.steps.beginsUpload(process, key);
    else this.steps.copiesPart(process, key);
    this.fence.writes(process, key, clockNow);
  }

  /** A process makes an upload the replica. */
  completes(process: Invocation, key: string, clockNow: number): void {
    this.steps.completesUpload(process, key);
    this.fence.writes(process, key, clockNow);
  }

  /** A copy has landed. */
  copied(process: Invocation, key: string, versionId: string): void {
    this.resyncs.copied(process.name, key, versionId);
    this.onReplicaMet(key);
  }

  /** A process sends a removal. */
  removes(process: Invocation, key: string, clockNow: number): void {
    const replicableName = matchKey(TYPES, key)?.replicable.name ?? "";
    this.steps.removes(process, key);
    this.#oracle.removes(process.name, key);
    this.#removals.removes(process.name, key, replicableName);
    this.fence.writes(process, key, clockNow);
  }

  sends(process: Invocation, queue: string, messages: readonly OutgoingMessage[]): void {
    this.steps.sends(process, queue, messages);
  }

  #wrote(process: Invocation, port: Port, asked: UpdateRequest): void {
    if (port === "site_table" && isPermit(asked)) this.#removals.permitted(process.name, asked.key.sk);
    if (port !== "registry") return;
    const { sk } = asked.key;
    const token = this.#claims.heardOf(process.name, asked);
    if (token === undefined) return;
    // Every claim but that of another pass sets the token.
    const pass = asked.update.includes("attempt_token = :token") ? "first" : "next";
    this.#oracle.claimed(process.name, sk, token, pass);
    this.#removals.claimed(process.name, sk);
    this.resyncs.claimed(process.name, sk);
    this.fence.claimed(process.name, sk);
  }
}
