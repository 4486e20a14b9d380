import { StoreUnavailableError, TableUnavailableError } from "../../shared/geo/errors.ts";
import type { StoredObject } from "../../shared/memory/bucket.ts";
import type { MemoryReadableBucket } from "../../shared/memory/readable-bucket.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type { ByteRange } from "../../shared/geo/byte-range.ts";
import type {
  HeadOutcome,
  ListPage,
  PartRequest,
  ReadableBucket,
  ReadOutcome,
  StoreFailure,
  TagsOutcome,
  VersionOutcome,
} from "../../shared/ports/object-store.ts";
import type {
  AttributeValue,
  DeleteOutcome,
  DeleteRequest,
  Item,
  ItemKey,
  QueryPage,
  QueryRequest,
  Table,
  UpdateRequest,
  WriteOutcome,
} from "../../shared/ports/table.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import type { Calls, Invocation } from "./calls.ts";
import type { Faults, Port, Refusal } from "./faults.ts";
import type { Oracle } from "./oracle.ts";
import type { Timeline } from "./timeline.ts";
import type { Watch } from "./watch.ts";

/**
 * Where a test takes a defence away: between the production code and the world, never inside it. Each is handed what would
 * happen and says what happens instead.
 */
export interface Tampering {
  readonly update?: (request: UpdateRequest) => UpdateRequest;
  readonly delete?: (request: DeleteRequest) => DeleteRequest;
  /** What the code is told of a registry row that it wrote or read. */
  readonly item?: (item: Item) => Item;
  readonly head?: (outcome: HeadOutcome) => HeadOutcome;
  /** What a secondary's function that holds replicas equal is given of its site. */
  readonly site?: (site: SecondarySite) => SecondarySite;
  /** Which version a part is copied of. Default: the one that the request names. */
  readonly part?: (asked: PartRequest, current: StoredObject | undefined) => PartRequest;
  /** Whether uploads that nobody knows of are swept. Default true. */
  readonly sweepsUploads?: boolean;
  /** Whether the replica's bucket tells of what happens in it. Default true. */
  readonly drift?: boolean;
}

/** What every port of a process needs. */
export interface Wires {
  readonly calls: Calls;
  readonly faults: Faults;
  readonly oracle: Oracle;
  readonly timeline: Timeline;
  readonly watch: Watch;
  readonly tampering: Tampering;
}

const failure = (refusal: Refusal): StoreFailure => ({ kind: refusal, detail: "simulated" });
export const failed = (refusal: Refusal) => Promise.resolve({ outcome: "failed", failure: failure(refusal) } as const);
const unavailable = (): Promise<never> => Promise.reject(new TableUnavailableError("simulated"));

/** The clock of the machine that a process runs on. */
export class MachineClock implements Clock {
  readonly #timeline: Timeline;
  readonly #process: Invocation;

  constructor(wires: Wires, process: Invocation) {
    this.#timeline = wires.timeline;
    this.#process = process;
  }

  now(): number {
    return Math.floor(this.#timeline.now + this.#process.machine.skewMs);
  }
}

/** The last answers of a table's index, by partition: it may give them again. */
export type StaleAnswers = Map<AttributeValue, QueryPage>;

/** A table as a process reaches it. */
export class TablePort implements Table {
  readonly name: string;
  readonly #wires: Wires;
  readonly #process: Invocation;
  readonly #table: MemoryTable;
  readonly #port: Port;
  readonly #tampering: Tampering;
  readonly #stale: StaleAnswers;

  constructor(wires: Wires, process: Invocation, table: MemoryTable, port: Port, stale: StaleAnswers) {
    this.name = table.name;
    this.#wires = wires;
    this.#process = process;
    this.#table = table;
    this.#port = port;
    this.#tampering = port === "registry" ? wires.tampering : {};
    this.#stale = stale;
  }

  get(key: ItemKey): Promise<Item | undefined> {
    const { calls, watch } = this.#wires;
    watch.gets(this.#process, this.#port, key);
    return calls.call(this.#process, {
      port: this.#port,
      what: () => `get ${this.name} ${key.sk}`,
      carryOut: async () => {
        const item = await this.#table.get(key);
        watch.got(this.#process, this.#port, key, item);
        return item === undefined ? undefined : this.#told(item);
      },
      refuse: unavailable,
    });
  }

  update(asked: UpdateRequest): Promise<WriteOutcome> {
    const request = this.#tampering.update?.(asked) ?? asked;
    const { calls, watch } = this.#wires;
    watch.updates(this.#process, this.#port, asked);
    return calls.call(this.#process, {
      port: this.#port,
      what: () => `update ${this.name} ${request.key.sk}: ${request.update} IF ${request.condition ?? ""}`,
      carryOut: async () => {
        const written = await watch.carriesOut(this.#process, this.#port, asked, () => this.#table.update(request));
        return written.item === undefined ? written : { ...written, item: this.#told(written.item) };
      },
      refuse: unavailable,
      repeatable: true,
    });
  }

  put(item: Item & ItemKey): Promise<WriteOutcome> {
    throw new Error(`nothing puts whole items: ${item.sk}`);
  }

  delete(asked: DeleteRequest): Promise<DeleteOutcome> {
    const request = this.#tampering.delete?.(asked) ?? asked;
    return this.#wires.calls.call(this.#process, {
      port: this.#port,
      what: () => `delete ${this.name} ${request.key.sk} IF ${request.condition ?? ""}`,
      carryOut: () =>
        this.#port === "registry"
          ? this.#wires.watch.deletes(this.#process, request.key, () => this.#table.delete(request))
          : this.#table.delete(request),
      refuse: unavailable,
      repeatable: true,
    });
  }

  query(request: QueryRequest): Promise<QueryPage> {
    const { oracle, faults } = this.#wires;
    const partition = request.values[":partition"] ?? "";
    const known = this.#stale.get(partition);
    // Nothing is due in most partitions most of the time: an empty answer, stale or not, needs no turn of its own.
    const now = Number(request.values[":now"]);
    const canOnlyBeEmpty = (known?.items ?? []).length === 0 && !oracle.isDueIn(this.#table, partition, now);
    if (request.index !== undefined && canOnlyBeEmpty) return EMPTY;
    return this.#wires.calls.call(this.#process, {
      port: this.#port,
      what: () => `query ${this.name} ${JSON.stringify(partition)}`,
      carryOut: async () => {
        const page = await this.#table.query(request);
        if (request.index === undefined) return page;
        const stale = known !== undefined && faults.hits("stale_index", 0.5) ? known : page;
        if (faults.isOn("stale_index")) this.#stale.set(partition, page);
        return stale;
      },
      refuse: unavailable,
    });
  }

  #told(item: Item): Item {
    return this.#tampering.item?.(item) ?? item;
  }
}

const EMPTY: Promise<QueryPage> = Promise.resolve({ items: [] });

/** A bucket as a process reads it. */
export class BucketPort implements ReadableBucket {
  readonly bucket: string;
  protected readonly wires: Wires;
  protected readonly process: Invocation;
  protected readonly port: Port;
  readonly #bucket: MemoryReadableBucket;

  constructor(wires: Wires, process: Invocation, bucket: MemoryReadableBucket, port: Port) {
    this.bucket = bucket.bucket;
    this.wires = wires;
    this.process = process;
    this.#bucket = bucket;
    this.port = port;
  }

  head(key: string): Promise<HeadOutcome> {
    this.wires.watch.heads(this.process, this.port, key);
    const asked = this.wires.calls.call<HeadOutcome>(this.process, {
      port: this.port,
      what: () => `head ${this.bucket} ${key}`,
      carryOut: async () => {
        const outcome = await this.#bucket.head(key);
        this.wires.watch.headed(this.process, this.port, key, outcome);
        return outcome;
      },
      refuse: failed,
    });
    const { head } = this.wires.tampering;
    return head === undefined || this.port !== "primary_bucket" ? asked : asked.then(head);
  }

  headVersion(key: string, versionId: string): Promise<VersionOutcome> {
    return this.wires.calls.call(this.process, {
      port: this.port,
      what: () => `head ${this.bucket} ${key} ${versionId}`,
      carryOut: () => this.#bucket.headVersion(key, versionId),
      refuse: failed,
    });
  }

  tags(key: string, versionId: string): Promise<TagsOutcome> {
    this.wires.watch.steps.readsTags(this.process, this.port, key);
    return this.wires.calls.call(this.process, {
      port: this.port,
      what: () => `tags ${this.bucket} ${key} ${versionId}`,
      carryOut: () => this.#bucket.tags(key, versionId),
      refuse: failed,
    });
  }

  read(key: string, versionId: string, range?: ByteRange): Promise<ReadOutcome> {
    this.wires.watch.steps.reads(this.process, this.port, key);
    return this.wires.calls.call(this.process, {
      port: this.port,
      what: () => `read ${this.bucket} ${key} ${versionId} from ${range?.start ?? 0}`,
      carryOut: async () => {
        const outcome = await this.#bucket.read(key, versionId, range);
        if (outcome.outcome !== "reading") return outcome;
        const chunks: Uint8Array[] = [];
        for await (const chunk of outcome.body) chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        const isCut = this.wires.faults.hits("cut_body", 0.15);
        const given = isCut ? bytes.subarray(0, bytes.byteLength >> 1) : bytes;
        if (this.port === "replica_bucket") {
          this.wires.watch.readReplica(this.process, key, versionId, range?.start ?? 0, given, !isCut);
        }
        return { ...outcome, body: handedOver(given, isCut) };
      },
      refuse: failed,
    });
  }

  list(): Promise<ListPage> {
    throw new Error("nothing lists");
  }
}

/** The bytes; where the body is cut, some of them, and then the connection is gone. */
const handedOver = async function* (bytes: Uint8Array, isCut: boolean): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
  if (isCut) throw new StoreUnavailableError("simulated: the body ended in the middle");
};
