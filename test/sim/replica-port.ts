import type { MemoryBucket } from "../../shared/memory/bucket.ts";
import type { MemoryReplicaBucket } from "../../shared/memory/replica-bucket.ts";
import type { Clock } from "../../shared/ports/clock.ts";
import type {
  AbortOutcome,
  BeginUploadOutcome,
  CompleteOutcome,
  CompleteRequest,
  CopyOutcome,
  CopyRequest,
  PartOutcome,
  PartRequest,
  PartsOutcome,
  RemoveOutcome,
  ReplicaBucket,
  UploadRequest,
  UploadsPage,
} from "../../shared/ports/object-store.ts";
import type { Invocation } from "./calls.ts";
import { BucketPort, failed, MachineClock, type Wires } from "./ports.ts";

/** What arrives instead of the source's bytes. */
const WRONG_BYTES = new TextEncoder().encode("rot");

/** The replica's bucket as a process writes it. */
export class ReplicaPort extends BucketPort implements ReplicaBucket {
  readonly #replica: MemoryReplicaBucket;
  readonly #objects: MemoryBucket;
  readonly #clock: Clock;

  constructor(wires: Wires, process: Invocation, replica: MemoryReplicaBucket, objects: MemoryBucket) {
    super(wires, process, replica, "replica_bucket");
    this.#clock = new MachineClock(wires, process);
    this.#replica = replica;
    this.#objects = objects;
  }

  copyFromPrimary(request: CopyRequest): Promise<CopyOutcome> {
    const { key, sourceVersionId } = request;
    this.wires.watch.copies(this.process, key, this.#clock.now());
    const copy = async (): Promise<CopyOutcome> => {
      const outcome = await this.#replica.copyFromPrimary(request);
      if (outcome.outcome === "copied") this.#landed(key, outcome.versionId);
      return outcome;
    };
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `copy ${key} ${sourceVersionId} onto ${onto(request)}`,
      carryOut: copy,
      refuse: failed,
      unanswered: (land) =>
        this.#unanswered(
          key,
          land,
          (fault) => {
            this.#replica.faults = { copy: () => fault };
          },
          () => this.#replica.copyFromPrimary(request),
        ),
    });
  }

  beginUpload(request: UploadRequest): Promise<BeginUploadOutcome> {
    const { key } = request;
    this.wires.watch.uploads(this.process, key, this.#clock.now(), "begin");
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `begin an upload of ${key}`,
      carryOut: () => this.#replica.beginUpload(request),
      refuse: failed,
      unanswered: (land) =>
        this.#unanswered(
          key,
          land,
          (fault) => {
            this.#replica.faults = { beginUpload: () => fault };
          },
          () => this.#replica.beginUpload(request),
        ),
    });
  }

  copyPart(asked: PartRequest): Promise<PartOutcome> {
    const { tampering, oracle } = this.wires;
    const request = tampering.part?.(asked, oracle.currentSource(asked.key)) ?? asked;
    const { key, number, uploadId, sourceVersionId } = request;
    this.wires.watch.uploads(this.process, key, this.#clock.now(), "part");
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `copy part ${number} of ${key} ${sourceVersionId} into ${uploadId}`,
      carryOut: () => this.#replica.copyPart(request),
      refuse: failed,
    });
  }

  listParts(key: string, uploadId: string): Promise<PartsOutcome> {
    this.wires.watch.steps.listsParts(this.process, key);
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `list the parts of ${uploadId} of ${key}`,
      carryOut: () => this.#replica.listParts(key, uploadId),
      refuse: failed,
    });
  }

  completeUpload(request: CompleteRequest): Promise<CompleteOutcome> {
    const { key, uploadId } = request;
    this.wires.watch.completes(this.process, key, this.#clock.now());
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `complete ${uploadId} of ${key} onto ${onto(request)}`,
      carryOut: async () => {
        const outcome = await this.#replica.completeUpload(request);
        if (outcome.outcome === "completed") this.#landed(key, outcome.versionId);
        return outcome;
      },
      refuse: failed,
      unanswered: (land) =>
        this.#unanswered(
          key,
          land,
          (fault) => {
            this.#replica.faults = { completeUpload: () => fault };
          },
          () => this.#replica.completeUpload(request),
        ),
    });
  }

  abortUpload(key: string, uploadId: string): Promise<AbortOutcome> {
    this.wires.watch.steps.abortsUpload(this.process, key);
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `abort ${uploadId} of ${key}`,
      carryOut: () => this.#replica.abortUpload(key, uploadId),
      refuse: failed,
    });
  }

  listUploads(): Promise<UploadsPage> {
    throw new Error("no worker lists uploads");
  }

  remove(key: string, etag: string): Promise<RemoveOutcome> {
    this.wires.watch.removes(this.process, key, this.#clock.now());
    return this.wires.calls.call(this.process, {
      port: "replica_bucket",
      what: () => `remove ${key} ${etag}`,
      carryOut: async () => {
        const outcome = await this.#replica.remove(key, etag);
        this.wires.oracle.replicaTouched(key);
        return outcome;
      },
      refuse: failed,
      unanswered: (land) =>
        this.#unanswered(
          key,
          land,
          (fault) => {
            this.#replica.faults = { remove: () => fault };
          },
          () => this.#replica.remove(key, etag),
        ),
    });
  }

  #unanswered<Answer>(
    key: string,
    land: (rest: () => void) => void,
    arm: (fault: { readonly outcome: "unknown"; readonly land: (carryOut: () => void) => void }) => void,
    ask: () => Promise<Answer>,
  ): Promise<Answer> {
    arm({
      outcome: "unknown",
      land: (carryOut) =>
        land(() => {
          const before = this.#objects.current(key);
          carryOut();
          const current = this.#objects.current(key);
          if (current?.kind === "object" && current !== before) this.#landed(key, current.versionId);
          else this.wires.oracle.replicaTouched(key);
        }),
    });
    // The fault is asked for before the call first waits.
    const answer = ask();
    this.#replica.faults = {};
    return answer;
  }

  #landed(key: string, versionId: string): void {
    if (this.wires.faults.hits("corruption", 0.05)) this.#objects.corrupt(key, versionId, WRONG_BYTES);
    this.wires.watch.copied(this.process, key, versionId);
    this.wires.oracle.replicaTouched(key);
  }
}

const onto = ({ replica }: Pick<CopyRequest, "replica">): string =>
  replica.expect === "nothing" ? "nothing" : replica.etag;
