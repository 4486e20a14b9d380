import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { type CopyLimits, copyRules } from "../../shared/geo/copy-limits.ts";
import { SYNC_TIMEOUT_SECONDS } from "../../shared/geo/limits.ts";
import { everythingOn, everythingWanted } from "../support/everything.ts";
import { type ObjectRef, rowKey } from "../../shared/geo/registry-row.ts";
import type { SiteStanding } from "../../shared/geo/site-standing.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { RemovalGuardPolicy } from "../../shared/geo/removal-guard.ts";
import { SILENT } from "../../shared/memory/silent-telemetry.ts";
import { compile } from "../../shared/memory/expression.ts";
import type {
  AbortOutcome,
  BeginUploadOutcome,
  CompleteOutcome,
  CopyOutcome,
  CopyRequest,
  HeadOutcome,
  PartOutcome,
  PartsOutcome,
  ReadOutcome,
  RemoveOutcome,
} from "../../shared/ports/object-store.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import type { DeleteRequest, Item, UpdateRequest, WriteOutcome } from "../../shared/ports/table.ts";
import { rows } from "./canonical.ts";
import type { Notes } from "./knowledge.ts";
import { ASKED } from "./step-memory.ts";
import { type Content, currentOf, type LateRequest, type State, type Upload, withName } from "./state.ts";
import { abstractRow, NOW } from "./time.ts";
import {
  absence,
  contentOfEtag,
  contentOfParts,
  type InParts,
  land,
  presentReplica,
  presentSource,
  textOf,
} from "./versions.ts";

export const REF: ObjectRef = { replicableName: "cool_widget", key: "cool_widgets/1/file" };

/** What becomes of the one S3 write of a step. */
export type WriteFate = "answered" | "unanswered_carried_out" | "unanswered_late" | "unanswered_never" | "corrupted";

/** The world that steps act on while they are explored. One step runs at a time; it starts from `state` and leaves it. */
export interface Stage {
  state: State;
  fate: WriteFate;
  /** Which step runs. */
  step: string;
  /** What the running attempt has seen of the source before its claim, and takes for what it would see now. */
  seenFirst: State["source"] | undefined;
  notes: Notes;
  /** Which parts of the world it has asked: a sum of `ASKED`. */
  asked: number;
}

/** What there is in the world besides the two buckets and the registry. */
export interface Surroundings {
  /** Replicas of up to this many bytes are read back in the pass that copies them. */
  readonly fusedVerificationBytesMax: number;
  /** S3 reports what happens in the replica's bucket. */
  readonly drift: boolean;
  /** The primary's record says what its bucket holds at once, or only after an action of its own. */
  readonly record: "prompt" | "lagging";
  /** The removal guard lets one removal an hour through; when not, it lets all through. */
  readonly guarded: boolean;
  /** Which objects have two bytes, and so are copied in two parts. */
  readonly inParts: InParts;
}

/**
 * Where a test takes a defence away: between the production code and the world, never inside it. Each is handed what
 * would happen and says what happens instead.
 */
export interface Tampering {
  readonly update?: (request: UpdateRequest) => UpdateRequest;
  readonly delete?: (request: DeleteRequest) => DeleteRequest;
  /** What the code is told of a row that it wrote or read. */
  readonly item?: (item: Item) => Item;
  /** True: an attempt looks at the source before it claims the row, and goes by that. */
  readonly looksFirst?: boolean;
  /** True: the `rev` of a row that is made begins where that of any other did. */
  readonly sameFirstRev?: boolean;
  /** What `step` is told of the replica. */
  readonly replicaHead?: (state: State, honest: HeadOutcome, step: string) => HeadOutcome;
  /** What the code is told of the primary's record. */
  readonly primaryRecord?: (honest: Item | undefined) => Item | undefined;
  /** What the removal guard's table answers. */
  readonly guard?: (honest: WriteOutcome) => WriteOutcome;
  readonly standing?: (honest: SiteStanding) => SiteStanding;
  /** An event of the replica's bucket that has to be delivered again is not. */
  readonly driftForgetsLater?: boolean;
  /** What the code is told of a row's upload. */
  readonly uploadTold?: (state: State, item: Item) => Item;
  /** False: parts are copied of whatever the source holds when they are. */
  readonly pinnedParts?: boolean;
  /** False: uploads are completed whatever the replica holds. */
  readonly conditionalCompletion?: boolean;
  /** False: S3 does not look at conditions on the replica. */
  readonly conditionalWrites?: boolean;
}

/** The primary's record of an object, as far as anything here reads it. */
const RECORD: Item = { ...rowKey(REF), src_version_id: "recorded", verification_state: VERIFICATION_STATE.succeeded };

/** One conditional write of one item, as DynamoDB does it. */
const written = (before: Item | undefined, request: UpdateRequest): Item | undefined => {
  const compiled = compile(request, request.values ?? {});
  if (!compiled.holds(before ?? {}, request.values ?? {})) return undefined;
  return { ...compiled.apply(before ?? {}, request.values ?? {}), ...request.key };
};

/** Objects of two bytes are copied in two parts, and an attempt looks around after each. */
const TWO_PARTS: CopyLimits = {
  singleCopyBytesMax: 1,
  parts: { usualBytes: 1, leastBytes: 1, mostBytes: 1, granuleBytes: 1, partsMax: 2, objectBytesMax: 2 },
  partsInFlight: 1,
  partsInFlightBeside: 1,
  partsPerStep: 1,
};

/** One removal an hour: the second is held back. */
const ONE_REMOVAL: RemovalGuardPolicy = { floor: 1, percent: 0, most: 1 };

/** Whether the guard may let a removal through, by the item's own columns and not by its conditions. */
const isOpen = (guard: Item | undefined): boolean => {
  const left = guard?.["released_removals"];
  return guard?.["paused_at"] === undefined || (typeof left === "number" && left > 0);
};

/** Carries out a write of the guard's item. */
export const writeGuard = (
  state: State,
  request: UpdateRequest,
): { readonly state: State; readonly outcome: WriteOutcome } => {
  const item = written(state.guard, request);
  return item === undefined
    ? { state, outcome: { outcome: "refused", item: state.guard } }
    : { state: { ...state, guard: item }, outcome: { outcome: "written", item } };
};

/** A site whose every port acts on the stage. The code that runs on it is the code that ships. */
export const explorationSite = (stage: Stage, surroundings: Surroundings, tampering: Tampering): SecondarySite => {
  const landing = { conditional: tampering.conditionalWrites ?? true, reported: surroundings.drift };
  const { inParts } = surroundings;
  const told = (item: Item): Item => {
    const itemTold = tampering.item?.(item) ?? item;
    if (tampering.uploadTold === undefined) return itemTold;
    stage.asked |= ASKED.other;
    return tampering.uploadTold(stage.state, itemTold);
  };

  const update = (asked: UpdateRequest): Promise<WriteOutcome> => {
    stage.asked |= ASKED.row;
    const request = tampering.update?.(asked) ?? asked;
    const before = stage.state.row;
    const item = written(before, request);
    if (item === undefined) {
      return Promise.resolve({ outcome: "refused", item: before === undefined ? undefined : told(before) });
    }
    const row = rows.same(abstractRow(item));
    if (before === undefined) {
      stage.asked |= ASKED.other;
      stage.state = withName(stage.state, "rows")[0];
    }
    stage.state = { ...stage.state, row };
    return Promise.resolve({ outcome: "written", item: told(row) });
  };

  const write = <Answer>(request: LateRequest, answer: (v: string) => Answer, lost: Answer) => {
    stage.asked |= ASKED.other;
    stage.notes.sent = request.kind === "remove" ? "remove" : "copy";
    const { state, fate } = stage;
    const landed = (bytes?: Content): State => {
      const isBlind = request.kind === "complete" && tampering.conditionalCompletion === false;
      stage.state = land(state, request, isBlind ? { ...landing, conditional: false } : landing, bytes);
      if (stage.state !== state && request.kind !== "remove") stage.notes.copied = true;
      if (stage.state !== state && isBlind) stage.notes.unseen = currentOf(state.replica)?.says !== request.onto;
      return stage.state;
    };
    const unanswered = { outcome: "unknown" as const, detail: "" };
    switch (fate) {
      case "unanswered_never":
        return unanswered;
      case "unanswered_late":
        stage.state = { ...state, late: [...state.late, request] };
        return unanswered;
      case "unanswered_carried_out":
        landed();
        return unanswered;
      case "answered":
      case "corrupted": {
        const after = landed(fate === "corrupted" ? "X" : undefined);
        return after === state ? lost : answer(after.replica.at(-1)?.v ?? "");
      }
    }
  };

  return {
    name: "explored",
    clock: { now: () => NOW },
    chance: {
      token: () => {
        stage.asked |= ASKED.other;
        const [state, token] = withName(stage.state, "t");
        stage.state = state;
        return token;
      },
      // How long a retry waits makes no difference here; but where a row's `rev` starts tells it from every other.
      random: () => (tampering.sameFirstRev === true ? 0 : stage.state.named.rows / 2 ** 30),
    },
    telemetry: SILENT,
    functionTimeoutMs: 60_000,
    switches: everythingOn,
    fusedVerificationBytesMax: surroundings.fusedVerificationBytesMax,
    copies: copyRules(TWO_PARTS),
    verificationQueue: { name: "verification", send: () => Promise.resolve({ outcome: "sent" }) },
    primaryState: {
      get: () => {
        stage.asked |= surroundings.record === "prompt" ? ASKED.source : ASKED.other;
        const { source, recorded: known } = stage.state;
        const recorded = surroundings.record === "lagging" ? known : currentOf(source) !== undefined;
        stage.notes.recorded = recorded;
        const honest = recorded ? RECORD : undefined;
        return Promise.resolve(tampering.primaryRecord === undefined ? honest : tampering.primaryRecord(honest));
      },
    },
    checksums: checksumRules([]),
    standing: {
      read: () => {
        stage.asked |= ASKED.other;
        const honest = stage.state.standing;
        return Promise.resolve(tampering.standing?.(honest) ?? honest);
      },
    },
    siteTable: {
      update: (request) => {
        if (!surroundings.guarded) {
          stage.notes.permit = "open";
          return Promise.resolve({ outcome: "written", item: {} });
        }
        stage.asked |= ASKED.other;
        const open = isOpen(stage.state.guard);
        const { state, outcome } = writeGuard(stage.state, request);
        stage.state = state;
        const said = tampering.guard?.(outcome) ?? outcome;
        if (said.outcome === "written") {
          stage.notes.permit = open && outcome.outcome === "written" ? "open" : "held_back";
        }
        return Promise.resolve(said);
      },
      query: () => Promise.resolve({ items: [] }),
    },
    removalGuard: ONE_REMOVAL,
    syncTimeoutMs: SYNC_TIMEOUT_SECONDS.standard * 1_000,
    scope: everythingWanted,
    primary: {
      bucket: "primary",
      head: () => {
        stage.asked |= tampering.looksFirst === true ? ASKED.other : ASKED.source;
        const { source } = stage.state;
        stage.notes.source = currentOf(source) === undefined ? (source.length === 0 ? "bare" : "marker") : "present";
        const seen = stage.seenFirst ?? source;
        const current = currentOf(seen);
        return Promise.resolve(current === undefined ? absence(seen) : presentSource(current, inParts));
      },
      tags: () => Promise.resolve({ outcome: "read", tags: {} }),
      headVersion: () => Promise.reject(new Error("no version of the source is asked about")),
      read: () => Promise.resolve({ outcome: "gone" }),
      list: () => Promise.resolve({ objects: [] }),
    },
    replica: {
      bucket: "replica",
      head: () => {
        stage.asked |= tampering.replicaHead === undefined ? ASKED.replica : ASKED.other;
        const current = currentOf(stage.state.replica);
        const honest: HeadOutcome = current === undefined ? { outcome: "absent" } : presentReplica(current, inParts);
        return Promise.resolve(tampering.replicaHead?.(stage.state, honest, stage.step) ?? honest);
      },
      tags: () => Promise.resolve({ outcome: "read", tags: {} }),
      headVersion: () => Promise.reject(new Error("replicas of one byte are read, and not asked about")),
      read: (_key, versionId): Promise<ReadOutcome> => {
        stage.asked |= ASKED.replica;
        const version = stage.state.replica.find(({ v }) => v === versionId);
        if (version?.kind !== "object") return Promise.resolve({ outcome: "gone" });
        const bytes = new TextEncoder().encode(textOf(version.bytes, inParts));
        return Promise.resolve({ outcome: "reading", size: bytes.byteLength, body: one(bytes) });
      },
      list: () => Promise.resolve({ objects: [] }),
      copyFromPrimary: (request: CopyRequest): Promise<CopyOutcome> => {
        stage.asked |= ASKED.other;
        const source = stage.state.source.find(({ v }) => v === request.sourceVersionId);
        if (source?.kind !== "object") return Promise.resolve({ outcome: "gone" });
        const onto = request.replica.expect === "nothing" ? undefined : contentOfEtag(request.replica.etag);
        return Promise.resolve(
          write<CopyOutcome>(
            { kind: "copy", content: source.content, onto },
            (v) => ({ outcome: "copied", versionId: v, etag: `"${source.content}"` }),
            { outcome: "lost" },
          ),
        );
      },
      beginUpload: (): Promise<BeginUploadOutcome> => {
        stage.asked |= ASKED.other;
        stage.notes.sent = "upload";
        const [state, u] = withName(stage.state, "u");
        const unheard = stage.fate !== "answered";
        stage.state = { ...state, uploads: [...state.uploads, { u, parts: [undefined, undefined], unheard }] };
        return Promise.resolve(unheard ? { outcome: "unknown", detail: "" } : { outcome: "begun", uploadId: u });
      },
      copyPart: ({ uploadId, sourceVersionId, number }): Promise<PartOutcome> => {
        stage.asked |= ASKED.other;
        stage.notes.sent = "upload";
        const { state } = stage;
        const upload = state.uploads.find(({ u }) => u === uploadId);
        if (upload === undefined) return Promise.resolve({ outcome: "upload_gone" });
        const pinned = state.source.find(({ v }) => v === sourceVersionId);
        const source = tampering.pinnedParts === false ? currentOf(state.source) : pinned;
        if (source?.kind !== "object") return Promise.resolve({ outcome: "gone" });
        const { content } = source;
        const [first, second] = upload.parts;
        const parts: Upload["parts"] = number === 1 ? [content, second] : [first, content];
        stage.state = {
          ...state,
          uploads: state.uploads.map((one) => (one.u === uploadId ? { ...one, parts } : one)),
        };
        return Promise.resolve({ outcome: "copied", part: { number, etag: `"${content}"`, size: 1 } });
      },
      listParts: (_key, uploadId): Promise<PartsOutcome> => {
        stage.asked |= ASKED.other;
        const upload = stage.state.uploads.find(({ u }) => u === uploadId);
        if (upload === undefined) return Promise.resolve({ outcome: "upload_gone" });
        const parts = upload.parts.flatMap((content, index) =>
          content === undefined ? [] : [{ number: index + 1, etag: `"${content}"`, size: 1 }],
        );
        return Promise.resolve({ outcome: "listed", parts });
      },
      completeUpload: ({ uploadId, replica }): Promise<CompleteOutcome> => {
        stage.asked |= ASKED.other;
        if (stage.state.uploads.every(({ u }) => u !== uploadId)) return Promise.resolve({ outcome: "upload_gone" });
        const content = contentOfParts(stage.state, uploadId);
        const onto = replica.expect === "nothing" ? undefined : contentOfEtag(replica.etag);
        return Promise.resolve(
          write<CompleteOutcome>(
            { kind: "complete", u: uploadId, onto },
            (v) => ({ outcome: "completed", versionId: v, etag: `"${content ?? ""}"` }),
            { outcome: "lost" },
          ),
        );
      },
      abortUpload: (_key, uploadId): Promise<AbortOutcome> => {
        stage.asked |= ASKED.other;
        const { state } = stage;
        stage.state = { ...state, uploads: state.uploads.filter(({ u }) => u !== uploadId) };
        return Promise.resolve({ outcome: "over" });
      },
      listUploads: () => Promise.reject(new Error("no worker lists uploads")),
      remove: (_key, etag): Promise<RemoveOutcome> =>
        Promise.resolve(
          write<RemoveOutcome>(
            { kind: "remove", onto: contentOfEtag(etag) },
            (v) => ({ outcome: "removed", deleteMarkerVersionId: v }),
            { outcome: "lost" },
          ),
        ),
    },
    registry: {
      name: "registry",
      get: () => {
        stage.asked |= ASKED.row;
        return Promise.resolve(stage.state.row === undefined ? undefined : told(stage.state.row));
      },
      update,
      put: () => Promise.reject(new Error("the protocol does not put whole rows")),
      delete: (asked) => {
        stage.asked |= ASKED.row;
        const request = tampering.delete?.(asked) ?? asked;
        const compiled = compile(
          {
            ...(request.condition === undefined ? {} : { condition: request.condition }),
            ...(request.names === undefined ? {} : { names: request.names }),
          },
          request.values ?? {},
        );
        const before = stage.state.row;
        if (!compiled.holds(before ?? {}, request.values ?? {}))
          return Promise.resolve({ outcome: "refused", item: before });
        stage.state = { ...stage.state, row: undefined };
        return Promise.resolve({ outcome: "deleted" });
      },
      query: () => Promise.resolve({ items: [] }),
    },
  };
};

const one = async function* (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
  await Promise.resolve();
};
