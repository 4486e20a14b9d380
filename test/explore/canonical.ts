import type { ReplicaChange } from "../../shared/geo/drift.ts";
import type { Item } from "../../shared/ports/table.ts";
import type { Attempt } from "../../shared/services/blob-sync/attempt.ts";
import type { Verification } from "../../shared/services/verification/verify-replica.ts";
import type { Drifter, State, WorkerSlot } from "./state.ts";

/**
 * Tells states apart: two states get the same fingerprint exactly when nothing can tell them apart. Names of versions and
 * tokens are numbered by where they first appear, workers and verifiers are interchangeable, and columns that decide
 * nothing are left out.
 *
 * A state is a handful of parts (the row, a bucket's versions, where a worker stands), and most actions change one or two
 * of them. So each part is described once, as the number of its shape and the names in it, and a state is a row of such
 * numbers.
 */

const DECIDING = [
  "state",
  "gen",
  "claimed_gen",
  "done_gen",
  "attempt_token",
  "lease_until",
  "taint_until",
  "due_at",
  "retry_at",
  "src_version_id",
  "rep_version_id",
  "src_checksum",
  "upload_id",
  "upload_src_version_id",
  "upload_src_etag",
  "checksum_mismatch",
  "resync_requested",
  "mismatch_excused",
  "verification_state",
  "verification_retry_at",
  "v_token",
  "v_lease",
] as const;

/** Names of versions and tokens: the letter of their kind, and a number. */
const KINDS = "srtu";
const NAME = /^[srtu]\d+$/;

/** A part of a state, without and with its names. */
interface Part {
  /** The same for two parts that differ in their names alone. */
  readonly shape: number;
  readonly names: readonly number[];
}

/** Every shape by its text. */
const shapes = new Map<string, number>();

class Description {
  #text = "";
  readonly #names: number[] = [];
  /** The `rev` of every row in it: no part of the shape, since of a `rev` only matters whether it is still the row's. */
  #revs = "";

  add(value: unknown): void {
    if (typeof value === "string" && NAME.test(value)) {
      this.#text += "*,";
      this.#names.push(Number(value.slice(1)) * KINDS.length + KINDS.indexOf(value.charAt(0)));
    } else if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      this.#text += `${String(value)},`;
    } else {
      this.#text += ",";
    }
  }

  /** By its deciding columns. */
  addRow(row: Readonly<Record<string, unknown>>): void {
    for (const column of DECIDING) this.add(row[column]);
    this.#revs += `,${String(row["rev"])}`;
  }

  /** Values inside an attempt: rows and facts by what decides, the rest as it is. */
  addValue(name: string, value: unknown): void {
    if (name === "ref" || name === "stopAt" || name === "detail" || name === "text") return;
    if (typeof value !== "object" || value === null) {
      this.add(value);
    } else if (name === "row") {
      this.addRow(value as Readonly<Record<string, unknown>>);
    } else if (name === "upload" && "id" in value && "versionId" in value && "etag" in value) {
      this.add(value.id);
      this.add(value.versionId);
      this.add(value.etag);
    } else if ("versionId" in value) {
      this.add(value.versionId);
      if ("etag" in value) this.add(value.etag);
    } else {
      for (const [key, inner] of Object.entries(value)) {
        this.#text += `${key}:`;
        this.addValue(key, inner);
      }
      this.#text += ";";
    }
  }

  part(): Part {
    let shape = shapes.get(this.#text);
    if (shape === undefined) {
      shape = shapes.size;
      shapes.set(this.#text, shape);
    }
    return { shape, names: this.#names };
  }

  /** The same for two parts between which there is no difference at all. */
  identity(): string {
    return `${this.part().shape};${this.#names.join()};${this.#revs}`;
  }
}

type Describe<Whole> = (description: Description, whole: Whole) => void;

/** Parts of one kind. They are never changed once they are made, so each is described once. */
class Parts<Whole extends object> {
  readonly #describe: Describe<Whole>;
  readonly #known = new WeakMap<Whole, Part>();
  readonly #same = new Map<string, Whole>();

  constructor(describe: Describe<Whole>) {
    this.#describe = describe;
  }

  partOf(whole: Whole): Part {
    let part = this.#known.get(whole);
    if (part === undefined) {
      part = this.#described(whole).part();
      this.#known.set(whole, part);
    }
    return part;
  }

  /** The first whole that was equal to this one: what is equal is the same, so that what is known of one is known of all. */
  same(whole: Whole): Whole {
    if (this.#known.has(whole)) return whole;
    const description = this.#described(whole);
    const identity = description.identity();
    const first = this.#same.get(identity);
    if (first !== undefined) return first;
    this.#same.set(identity, whole);
    this.#known.set(whole, description.part());
    return whole;
  }

  #described(whole: Whole): Description {
    const description = new Description();
    this.#describe(description, whole);
    return description;
  }
}

/** Parts that are told apart by all that is in them. */
const plainly = <Whole extends object>(): Parts<Whole> =>
  new Parts<Whole>((description, whole) => description.addValue("", whole));

export const rows = new Parts<Item>((description, row) => description.addRow(row));

export const stacks = new Parts<State["source"] | State["replica"]>((description, versions) => {
  for (const version of versions) {
    description.add(version.v);
    if (version.kind === "marker") description.add("marker");
    else if ("says" in version) description.add(version.says + version.bytes);
    else description.add(version.content);
  }
});

export const attempts = plainly<Attempt>();

export const verifications = plainly<Verification>();

const lateRequests = new Parts<State["late"]>((description, requests) => {
  const texts = requests.map((request) => ({
    text: `${request.kind} ${"content" in request ? request.content : ""} ${request.onto ?? ""}`,
    u: "u" in request ? request.u : undefined,
  }));
  for (const { text, u } of texts.sort((a, b) => (a.text < b.text ? -1 : 1))) {
    description.add(text);
    description.add(u);
  }
});

const uploads = new Parts<State["uploads"]>((description, open) => {
  for (const { u, parts, unheard } of open) {
    description.add(u);
    for (const part of parts) description.add(part);
    description.add(unheard);
  }
});

/** Only of a new object is it asked which version it is. */
const addChange = (description: Description, { eventName, versionId }: ReplicaChange): void => {
  description.add(eventName);
  if (eventName.startsWith("ObjectCreated:")) description.add(versionId);
};

const drifts = new Parts<State["drifts"]>((description, changes) => {
  for (const change of changes.toSorted((a, b) => (a.eventName < b.eventName ? -1 : 1))) addChange(description, change);
});

const drifters = new Parts<Drifter>((description, { drift, change }) => {
  description.add(drift.at);
  if (drift.at === "look") description.add(drift.row?.rep_version_id);
  addChange(description, change);
});

const plain = plainly<object>();

/** Whether the row is still the one that a worker has read: what it is going to write may depend on that (`rev`). */
const isAsRead = ({ attempt }: WorkerSlot, rev: unknown): number =>
  attempt !== undefined && "row" in attempt ? (attempt.row.rev === rev ? 1 : 2) : 0;

/** A number of 53 bits that is made from numbers of 32: two states in 10⁷ share one by accident with a chance below 1 in 100. */
class Fingerprint {
  #a = 0;
  #b = 0;
  /** By name: its number in this state, valid where `#seen` holds the present round. */
  #numbers = new Int32Array(256);
  #seen = new Int32Array(256);
  #round = 0;
  #next = 0;

  begin(): void {
    this.#a = 0x9747b28c | 0;
    this.#b = 0x41c6ce57;
    this.#round += 1;
    this.#next = 0;
  }

  add(value: number): void {
    let a = Math.imul(this.#a ^ value, 0x85ebca6b);
    a ^= a >>> 13;
    this.#a = Math.imul(a, 0xc2b2ae35) + this.#b;
    let b = Math.imul(this.#b ^ value, 0x27d4eb2f);
    b ^= b >>> 15;
    this.#b = Math.imul(b, 0x165667b1) + 0x9e3779b9;
  }

  addPart({ shape, names }: Part): void {
    this.add(shape);
    for (const name of names) this.add(this.#numberOf(name));
  }

  end(): number {
    this.add(0);
    this.add(0);
    return 4_294_967_296 * (2_097_151 & this.#b) + (this.#a >>> 0);
  }

  #numberOf(name: number): number {
    if (name >= this.#numbers.length) {
      const numbers = new Int32Array(name * 2);
      const seen = new Int32Array(name * 2);
      numbers.set(this.#numbers);
      seen.set(this.#seen);
      this.#numbers = numbers;
      this.#seen = seen;
    }
    if (this.#seen[name] !== this.#round) {
      this.#seen[name] = this.#round;
      this.#numbers[name] = this.#next;
      this.#next += 1;
    }
    return this.#numbers[name] ?? 0;
  }
}

const print = new Fingerprint();

const NOTHING: Part = { shape: -1, names: [] };

const ABSENCE = { unseen: 0, bare: 1, witnessed: 2 } as const;
const MESSAGE = { none: 0, hint: 1, resync: 2 } as const;
const RESYNC = { none: 0, asked: 1, done: 2 } as const;

/** What is about a worker beside its attempt. */
const aboutWorker = ({ message, knowledge }: WorkerSlot): number =>
  ABSENCE[knowledge.absence] +
  3 * MESSAGE[message ?? "none"] +
  9 * (knowledge.permit ? 1 : 0) +
  18 * (knowledge.afterRequest ? 1 : 0);

const addWorkers = (state: State): void => {
  const rev = state.row?.["rev"];
  const workers = state.workers
    .map((worker) => ({
      part: worker.attempt === undefined ? NOTHING : attempts.partOf(worker.attempt),
      seenFirst: worker.seenFirst === undefined ? undefined : stacks.partOf(worker.seenFirst),
      about: aboutWorker(worker) + 36 * isAsRead(worker, rev),
    }))
    .sort((a, b) => a.part.shape - b.part.shape || a.about - b.about);
  for (const { part, seenFirst, about } of workers) {
    print.addPart(part);
    if (seenFirst !== undefined) print.addPart(seenFirst);
    print.add(about);
  }
};

const addVerifiers = (state: State): void => {
  const parts = state.verifiers.map((verifier) => (verifier === undefined ? NOTHING : verifications.partOf(verifier)));
  for (const part of parts.sort((a, b) => a.shape - b.shape)) print.addPart(part);
};

/** The fingerprint of a state. */
export const fingerprint = (state: State): number => {
  print.begin();
  print.addPart(state.row === undefined ? NOTHING : rows.partOf(state.row));
  print.addPart(stacks.partOf(state.source));
  print.addPart(stacks.partOf(state.replica));
  print.addPart(lateRequests.partOf(state.late));
  print.addPart(uploads.partOf(state.uploads));
  addWorkers(state);
  addVerifiers(state);
  print.addPart(drifts.partOf(state.drifts));
  print.addPart(state.drifter === undefined ? NOTHING : drifters.partOf(state.drifter));
  print.addPart(state.guard === undefined ? NOTHING : plain.partOf(state.guard));
  print.addPart(plain.partOf(state.standing));
  print.addPart(plain.partOf(state.budget));
  print.add(state.hints + 8 * state.resyncs);
  print.add(
    (state.unreconciled ? 1 : 0) +
      (state.recorded ? 2 : 0) +
      (state.broken === undefined ? 0 : 4) +
      8 * RESYNC[state.resync],
  );
  return print.end();
};
