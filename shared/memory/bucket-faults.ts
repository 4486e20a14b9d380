import type { CompleteRequest, CopyRequest, PartRequest, StoreFailure, UploadRequest } from "../ports/object-store.ts";

type MaybeLater<Value> = Value | Promise<Value>;

/** How a mutation goes wrong. */
export type MutationFault =
  | { readonly outcome: "failed"; readonly failure: StoreFailure }
  | {
      readonly outcome: "unknown";
      /** Default `no answer`. */
      readonly detail?: string;
      /**
       * Decides whether and when the request is carried out after all: it is handed the rest of the request, to call now,
       * later (R11) or never. Default: never.
       */
      readonly land?: (carryOut: () => void) => void;
    };

/**
 * Consulted before each operation of a bucket; undefined lets it through. A promise delays the operation: what it does
 * happens when the promise is settled.
 */
export interface BucketFaults {
  head?(key: string): MaybeLater<StoreFailure | undefined>;
  headVersion?(key: string, versionId: string): MaybeLater<StoreFailure | undefined>;
  tags?(key: string, versionId: string): MaybeLater<StoreFailure | undefined>;
  read?(key: string, versionId: string): MaybeLater<StoreFailure | undefined>;
  /** A failed listing is thrown as `StoreUnavailableError`. */
  list?(): MaybeLater<StoreFailure | undefined>;
  copy?(request: CopyRequest): MaybeLater<MutationFault | undefined>;
  remove?(key: string, etag: string): MaybeLater<MutationFault | undefined>;
  beginUpload?(request: UploadRequest): MaybeLater<MutationFault | undefined>;
  copyPart?(request: PartRequest): MaybeLater<MutationFault | undefined>;
  listParts?(key: string, uploadId: string): MaybeLater<StoreFailure | undefined>;
  completeUpload?(request: CompleteRequest): MaybeLater<MutationFault | undefined>;
  abortUpload?(key: string, uploadId: string): MaybeLater<MutationFault | undefined>;
}

type ReadOperation = "head" | "headVersion" | "tags" | "read" | "list" | "listParts";
type MutationOperation = "copy" | "remove" | "beginUpload" | "copyPart" | "completeUpload" | "abortUpload";

/** Faults from a script: each is used once, in the order in which they were given for their operation. */
export class ScriptedFaults implements BucketFaults {
  readonly #reads: Record<ReadOperation, StoreFailure[]> = {
    head: [],
    headVersion: [],
    tags: [],
    read: [],
    list: [],
    listParts: [],
  };
  readonly #mutations: Record<MutationOperation, MutationFault[]> = {
    copy: [],
    remove: [],
    beginUpload: [],
    copyPart: [],
    completeUpload: [],
    abortUpload: [],
  };
  readonly #late: (() => void)[] = [];

  /** The next `operation` fails: `failNext("head", "forbidden")`. */
  failNext(operation: ReadOperation | MutationOperation, kind: StoreFailure["kind"], detail: string = kind): this {
    const failure: StoreFailure = { kind, detail };
    if (isMutation(operation)) this.#mutations[operation].push({ outcome: "failed", failure });
    else this.#reads[operation].push(failure);
    return this;
  }

  /**
   * The next `operation` gives no answer, and is carried out `now`, `never`, or `later`: when `carryOutLate` is called.
   */
  loseNextAnswer(operation: MutationOperation, carriedOut: "now" | "never" | "later"): this {
    const land = {
      now: (carryOut: () => void) => carryOut(),
      never: () => {},
      later: (carryOut: () => void) => void this.#late.push(carryOut),
    }[carriedOut];
    this.#mutations[operation].push({ outcome: "unknown", land });
    return this;
  }

  /** What was held back for later happens now, oldest first. */
  carryOutLate(): void {
    for (const carryOut of this.#late.splice(0)) carryOut();
  }

  head(): StoreFailure | undefined {
    return this.#reads.head.shift();
  }

  headVersion(): StoreFailure | undefined {
    return this.#reads.headVersion.shift();
  }

  tags(): StoreFailure | undefined {
    return this.#reads.tags.shift();
  }

  read(): StoreFailure | undefined {
    return this.#reads.read.shift();
  }

  list(): StoreFailure | undefined {
    return this.#reads.list.shift();
  }

  copy(): MutationFault | undefined {
    return this.#mutations.copy.shift();
  }

  remove(): MutationFault | undefined {
    return this.#mutations.remove.shift();
  }

  beginUpload(): MutationFault | undefined {
    return this.#mutations.beginUpload.shift();
  }

  copyPart(): MutationFault | undefined {
    return this.#mutations.copyPart.shift();
  }

  listParts(): StoreFailure | undefined {
    return this.#reads.listParts.shift();
  }

  completeUpload(): MutationFault | undefined {
    return this.#mutations.completeUpload.shift();
  }

  abortUpload(): MutationFault | undefined {
    return this.#mutations.abortUpload.shift();
  }
}

const READS: ReadonlySet<string> = new Set<ReadOperation>(["head", "headVersion", "tags", "read", "list", "listParts"]);

const isMutation = (operation: ReadOperation | MutationOperation): operation is MutationOperation =>
  !READS.has(operation);
