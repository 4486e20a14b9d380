import type { OutgoingMessage } from "../../shared/ports/message-queue.ts";
import type { Invocation, Machine } from "./calls.ts";
import type { Port } from "./faults.ts";
import { NOWHERE, type Reached, type RegistryWrite, type Step, type Told } from "./steps.ts";

/** Which function a machine runs, as far as it walks the protocol's steps. */
type Walker = "sync" | "verify" | "drift" | "none";

const WALKERS: readonly (readonly [string, Walker])[] = [
  ["consumer", "sync"],
  ["verifier", "verify"],
  ["drift", "drift"],
];

const walkerOf = ({ name }: Machine): Walker => WALKERS.find(([prefix]) => name.startsWith(prefix))?.[1] ?? "none";

/**
 * Counts the protocol's steps as they are taken. A step asks the outside world once, so it is known by what it asks of
 * whom; questions that several steps have in common are told apart by the step that the same process took for the same key
 * before. The production code is not asked.
 */
export class StepCounter {
  readonly #counts: Record<Step | Told, number> = { ...NOWHERE };
  /** The last step that a process took for a key. */
  readonly #last = new WeakMap<Invocation, Map<string, Step>>();

  /** Keys whose source's tags a process has read, and not the replica's. */
  readonly #sourceTagsRead = new WeakMap<Invocation, Set<string>>();

  get counts(): Reached {
    return this.#counts;
  }

  /** A row says something that operators search for. */
  told(what: Told): void {
    this.#counts[what] += 1;
  }

  /** A write of the registry is made. */
  wrote(process: Invocation, key: string, write: RegistryWrite): void {
    this.#take(process, key, write.step);
  }

  /** A tombstone is deleted. */
  deletes(process: Invocation, key: string): void {
    this.#take(process, key, "sync purge");
  }

  /** A row is read. */
  gets(process: Invocation, port: Port, key: string): void {
    const walker = walkerOf(process.machine);
    if (port === "registry" && walker === "sync") this.#take(process, key, "sync look_at_row");
    if (port === "registry" && walker === "drift") this.#take(process, key, "drift read_row");
    if (port === "verification_state" && walker === "sync") this.#take(process, key, "sync ask_primary_record");
    if (port === "verification_state" && walker === "verify") this.#take(process, key, this.#asksRecord(process, key));
  }

  /** A bucket is asked about a key. */
  heads(process: Invocation, port: Port, key: string): void {
    const walker = walkerOf(process.machine);
    if (walker === "drift") this.#take(process, key, "drift look");
    if (walker !== "sync") return;
    this.#take(process, key, port === "primary_bucket" ? "sync observe_source" : this.#looksAtReplica(process, key));
  }

  /** Tags are read: of both sides to be compared, of the source alone to begin an upload with, which shows by what follows. */
  readsTags(process: Invocation, port: Port, key: string): void {
    const read = this.#sourceTagsRead.get(process) ?? new Set();
    this.#sourceTagsRead.set(process, read);
    if (port === "primary_bucket") {
      read.add(key);
      return;
    }
    read.delete(key);
    this.#take(process, key, "sync compare_tags");
  }

  /** A version is read from end to end. */
  reads(process: Invocation, port: Port, key: string): void {
    const walker = walkerOf(process.machine);
    if (port !== "replica_bucket") return;
    if (walker === "sync") this.#take(process, key, "sync read_back");
    if (walker === "verify") this.#take(process, key, "verify read_replica");
  }

  copies(process: Invocation, key: string): void {
    this.#take(process, key, "sync copy");
  }

  beginsUpload(process: Invocation, key: string): void {
    this.#prepared(process, key);
    this.#take(process, key, "sync begin_upload");
  }

  listsParts(process: Invocation, key: string): void {
    this.#prepared(process, key);
    this.#take(process, key, "sync list_parts");
  }

  copiesPart(process: Invocation, key: string): void {
    this.#take(process, key, "sync copy_parts");
  }

  completesUpload(process: Invocation, key: string): void {
    this.#take(process, key, "sync complete_upload");
  }

  abortsUpload(process: Invocation, key: string): void {
    this.#take(process, key, "sync abort_upload");
  }

  removes(process: Invocation, key: string): void {
    this.#take(process, key, "sync remove");
  }

  /** The removal guard of a type is asked; the question names no key. */
  asksGuard(): void {
    this.#counts["sync ask_removal_guard"] += 1;
  }

  /** Messages are sent; a request for a verification says how long it is to wait, one that is passed on does not. */
  sends(process: Invocation, queue: string, messages: readonly OutgoingMessage[]): void {
    if (queue !== "verification" || walkerOf(process.machine) !== "sync") return;
    for (const { delaySeconds } of messages) {
      if (delaySeconds !== undefined) this.#counts["sync request_verification"] += 1;
    }
  }

  #prepared(process: Invocation, key: string): void {
    if (this.#sourceTagsRead.get(process)?.delete(key) === true) this.#counts["sync prepare_upload"] += 1;
  }

  #looksAtReplica(process: Invocation, key: string): Step {
    const last = this.#last.get(process)?.get(key);
    if (last === "sync look_at_row") return "sync recheck";
    return last === "sync copy" || last === "sync complete_upload" || last === "sync remove"
      ? "sync resolve_unknown"
      : "sync observe_replica";
  }

  #asksRecord(process: Invocation, key: string): Step {
    const last = this.#last.get(process)?.get(key);
    return last === "verify read_replica" ? "verify weigh_mismatch" : "verify find_primary_checksum";
  }

  #take(process: Invocation, key: string, step: Step): void {
    this.#counts[step] += 1;
    const steps = this.#last.get(process);
    if (steps === undefined) this.#last.set(process, new Map([[key, step]]));
    else steps.set(key, step);
  }
}
