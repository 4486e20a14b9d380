import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { MemoryBucket, StoredObject } from "../../shared/memory/bucket.ts";
import { crc64nvmeBase64 } from "../../shared/memory/crc64nvme.ts";
import type { MemoryTable, StreamRecord } from "../../shared/memory/table.ts";
import type { Item } from "../../shared/ports/table.ts";
import { Leases } from "./leases.ts";

/** A broken rule. */
export interface Violation {
  /** `S1`…`S7`, `L2`, `L3`, `R29`, `F9`, `F10`, `F18`, `F20`, `counters` or `steps`. */
  readonly rule: string;
  readonly detail: string;
}

const number = (item: Item | undefined, column: string): number => {
  const value = item?.[column];
  return typeof value === "number" ? value : 0;
};

export const text = (item: Item, column: string): string => {
  const value = item[column];
  return typeof value === "string" ? value : "";
};

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a === b || Buffer.compare(a, b) === 0;

/** The ETag of a version that was made of parts: it names no content. */
const OF_PARTS = /-\d+"$/;

/** Whether S3 says the same of two versions' content: of one in parts, by what it computed over them when they came. */
export const saysTheSame = (source: StoredObject, replica: StoredObject): boolean =>
  OF_PARTS.test(replica.etag) ? replica.checksum?.value === crc64nvmeBase64(source.body) : replica.etag === source.etag;

/** A registry row that needs nobody. */
const isSettled = (row: Item): boolean =>
  row["attempt_token"] === undefined &&
  number(row, "gen") === number(row, "done_gen") &&
  row["taint_until"] === undefined &&
  row["state"] === REPLICATION_STATE.synced &&
  row["verification_state"] === VERIFICATION_STATE.succeeded;

/** What one attempt has done so far, as far as its removal of a replica goes. */
interface Witness {
  /** Whether its last look at the primary, after its last claim, was answered by a 404. */
  absent: boolean;
}

/**
 * Whether a row is due when its time comes: it is in the due index, and not in the part of it where the primary's settled
 * rows stand in the order of their age.
 */
export const isDue = (row: Item | undefined): boolean =>
  row?.["due_at"] !== undefined && !(typeof row["due_pk"] === "string" && row["due_pk"].startsWith("verified#"));

/**
 * Watches every write as it happens and checks what must hold at every moment. It sees the world as it is, not as the
 * product is told. Each check costs the row or key that was touched, never a scan.
 */
export class Oracle {
  /** The first rule that was broken. */
  violation: Violation | undefined;
  /** True while the registry is being put back to an older state, which no rule foresees. */
  restoring = false;
  /** Who holds which row until when, told of every write of the registry. */
  readonly leases: Leases;
  readonly #primary: MemoryBucket;
  readonly #replica: MemoryBucket;
  /** Every version that the primary ever held, purged ones too. */
  readonly #sources = new Map<string, StoredObject>();
  /** The ids of every version and marker that the replica's bucket ever held, by key, oldest first. */
  readonly #replicaIds = new Map<string, string[]>();
  /** Every version that the replica's bucket ever held: people may have destroyed it since. */
  readonly #replicas = new Map<string, StoredObject>();
  /** The bytes that were read of a replica version, by version id. */
  readonly #read = new Map<string, readonly Uint8Array[]>();
  readonly #witnesses = new Map<string, Map<string, Witness>>();
  /** Rows that are in the due index, by table and key. */
  readonly #due = new Map<string, Map<string, Item>>();
  /** The same, by table, partition and key. */
  readonly #dueIn = new Map<string, Map<unknown, Map<string, Item>>>();

  constructor(world: {
    readonly now: () => number;
    /** How long the lease of a row lasts. */
    readonly leaseMs: number;
    readonly primary: MemoryBucket;
    readonly replica: MemoryBucket;
    readonly registry: MemoryTable;
    readonly verificationState: MemoryTable;
  }) {
    this.leases = new Leases((rule, detail) => this.report(rule, detail), world.now, world.leaseMs);
    this.#primary = world.primary;
    this.#replica = world.replica;
    for (const { name } of [world.registry, world.verificationState]) {
      this.#due.set(name, new Map());
      this.#dueIn.set(name, new Map());
    }
    world.registry.onChange((record) => this.#registryChanged(record));
    world.verificationState.onChange((record) => this.#stateChanged(record));
  }

  /** Notes a broken rule; only the first counts. */
  report(rule: string, detail: string): void {
    this.violation ??= { rule, detail };
  }

  /** Every row that is in the due index of a table, by key. */
  due(table: MemoryTable): ReadonlyMap<string, Item> {
    return this.#due.get(table.name) ?? new Map();
  }

  /** Whether a partition of a table's due index has any row that is due by `now`. */
  isDueIn(table: MemoryTable, partition: unknown, now: number): boolean {
    const rows = this.#dueIn.get(table.name)?.get(partition)?.values() ?? [];
    for (const row of rows) if (number(row, "due_at") <= now) return true;
    return false;
  }

  /** Somebody changed the primary's bucket. */
  sourceChanged(key: string): void {
    const current = this.#primary.current(key);
    if (current?.kind === "object") this.#sources.set(current.versionId, current);
  }

  /** What the primary shows under a key. */
  currentSource(key: string): StoredObject | undefined {
    const current = this.#primary.current(key);
    return current?.kind === "object" ? current : undefined;
  }

  /** A version that the primary holds or once held. */
  sourceOf(versionId: string): StoredObject | undefined {
    return this.#sources.get(versionId);
  }

  /** Something was written to the replica's bucket: S3, nothing that was there may be gone. */
  replicaTouched(key: string): void {
    const versions = this.#replica.versions(key);
    const known = this.#replicaIds.get(key) ?? [];
    const lost = known.find((id, place) => versions[place]?.versionId !== id);
    if (lost !== undefined) this.report("S3", `version ${lost} of ${key} is gone from the replica's bucket`);
    this.peopleTouched(key);
  }

  /** People did something to the replica's bucket, who may destroy what they like: S3 is about what we do. */
  peopleTouched(key: string): void {
    const versions = this.#replica.versions(key);
    this.#replicaIds.set(
      key,
      versions.map(({ versionId }) => versionId),
    );
    const current = versions.at(-1);
    if (current?.kind === "object") this.#replicas.set(current.versionId, current);
  }

  /** S3 for every key. */
  checkNothingDestroyed(): void {
    for (const key of this.#replicaIds.keys()) this.replicaTouched(key);
  }

  /** A replica version was read from end to end. */
  replicaRead(key: string, versionId: string): void {
    const version = this.#replica.version(key, versionId);
    // All that was ever read of it: bytes that rot after somebody read them right make no verdict of before wrong, also when
    // a slower reader, who can not write any more, has seen them since.
    if (version !== undefined) this.#read.set(versionId, [...(this.#read.get(versionId) ?? []), version.body]);
  }

  /** What has been read so far, to go back to with the registry. */
  get readSoFar(): ReadonlyMap<string, readonly Uint8Array[]> {
    return new Map(this.#read);
  }

  /** The registry goes back to when so much had been read: its rows can not speak of readings since. */
  restoreReadings(read: ReadonlyMap<string, readonly Uint8Array[]>): void {
    for (const [versionId, bytes] of read) this.#read.set(versionId, bytes);
  }

  /**
   * A process claimed a row, or claimed it anew for another pass. The same first claim may land once more, late: the process
   * knows nothing of that, and what it was told it was told after the claim that it made.
   */
  claimed(process: string, key: string, token: string, pass: "first" | "next"): void {
    const place = `${process} ${key}`;
    const witnesses = this.#witnesses.get(place) ?? new Map<string, Witness>();
    if (pass === "first" && witnesses.has(token)) return;
    witnesses.set(token, { absent: false });
    this.#witnesses.set(place, witnesses);
  }

  /** A process was told by the primary whether it holds a key. */
  looked(process: string, key: string, absent: boolean): void {
    for (const witness of this.#witnesses.get(`${process} ${key}`)?.values() ?? []) witness.absent = absent;
  }

  /** A process removes a replica: S4, it must have been told that the primary does not hold the key. */
  removes(process: string, key: string): void {
    for (const witness of this.#witnesses.get(`${process} ${key}`)?.values() ?? []) if (witness.absent) return;
    this.report("S4", `${process} removes ${key} without a 404 of its own after its claim`);
  }

  #registryChanged({ key, before, after }: StreamRecord): void {
    this.#noteDue("registry", key.sk, before, after);
    if (after === undefined) {
      if (before !== undefined && !this.restoring) this.#checkPurged(key.sk, before);
      return;
    }
    this.#checkOrder(key.sk, before, after);
    if (!this.restoring) this.leases.changed(key.sk, before, after);
    if (after["due_at"] === undefined && !isSettled(after)) {
      this.report("L2", `the row of ${key.sk} is not settled and not in the due index: ${JSON.stringify(after)}`);
    }
    if ((after["due_at"] === undefined) !== (after["due_pk"] === undefined)) {
      this.report("L2", `the row of ${key.sk} has one of due_at and due_pk without the other`);
    }
    if (after["state"] === REPLICATION_STATE.synced) this.#checkSynced(key.sk, after);
  }

  #stateChanged({ key, before, after }: StreamRecord): void {
    this.#noteDue("verification-state", key.sk, before, after);
    if (after === undefined) return;
    const isSucceeded = after["verification_state"] === VERIFICATION_STATE.succeeded && after["state"] === undefined;
    if (!isSucceeded && !isDue(after)) {
      this.report("L2", `the primary's row of ${key.sk} is not settled and not in the due index`);
    }
    // It is listed for re-verification when its time is near (F30), and asks for nothing before.
    if (isSucceeded && isDue(after)) {
      this.report("L2", `the primary's row of ${key.sk} is settled and due`);
    }
  }

  #noteDue(table: string, key: string, before: Item | undefined, after: Item | undefined): void {
    const [all, byPartition] = [this.#due.get(table), this.#dueIn.get(table)];
    const [left, entered] = [before?.["due_pk"], after?.["due_pk"]];
    if (left !== undefined && left !== entered) byPartition?.get(left)?.delete(key);
    if (after?.["due_at"] === undefined) {
      all?.delete(key);
      byPartition?.get(entered)?.delete(key);
      return;
    }
    if (isDue(after)) all?.set(key, after);
    else all?.delete(key);
    const inPartition = byPartition?.get(entered);
    if (inPartition === undefined) byPartition?.set(entered, new Map([[key, after]]));
    else inPartition.set(key, after);
  }

  #checkPurged(key: string, row: Item): void {
    if (row["taint_until"] !== undefined) this.report("L2", `the row of ${key} was purged while it was tainted`);
    if (row["attempt_token"] !== undefined) this.report("S6", `the row of ${key} was purged while it was held`);
  }

  #checkOrder(key: string, before: Item | undefined, after: Item): void {
    const [gen, claimed, done] = [number(after, "gen"), number(after, "claimed_gen"), number(after, "done_gen")];
    if (done > claimed || claimed > gen) {
      this.report("S5", `${key}: done ${done}, claimed ${claimed}, gen ${gen} are out of order`);
    }
    if (before === undefined || this.restoring) return;
    if (done < number(before, "done_gen")) {
      this.report("S5", `${key}: done_gen went back from ${number(before, "done_gen")} to ${done}`);
    }
  }

  #checkSynced(key: string, row: Item): void {
    const [sourceId, replicaId] = [text(row, "src_version_id"), text(row, "rep_version_id")];
    const source = this.#sources.get(sourceId);
    const replica = this.#replicas.get(replicaId);
    if (replica === undefined) {
      this.report("S1", `${key} is synced and names replica version ${replicaId}, which never existed`);
    } else if (source === undefined) {
      this.report("S1", `${key} is synced and names source version ${sourceId}, which never existed`);
    } else if (!saysTheSame(source, replica) || source.etag !== row["src_etag"]) {
      this.report("S1", `${key} is synced and names ${sourceId} and ${replicaId}, whose content differs`);
    } else if (row["verification_state"] === VERIFICATION_STATE.succeeded) {
      const read = this.#read.get(replicaId);
      if (read === undefined) this.report("S2", `${key} is verified and nobody has read ${replicaId}`);
      else if (!read.some((bytes) => sameBytes(bytes, source.body))) {
        this.report("S2", `${key} is verified and the bytes of ${replicaId} are not those of ${sourceId}`);
      }
    }
  }
}
