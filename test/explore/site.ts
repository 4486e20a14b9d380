import { createHash } from "node:crypto";
import { SYNC_TIMEOUT_SECONDS } from "../../shared/geo/limits.ts";
import type { ObjectFacts } from "../../shared/geo/object-facts.ts";
import { REMOVAL_GUARD_DEFAULT } from "../../shared/geo/removal-guard.ts";
import { FIRST_STANDING } from "../../shared/geo/site-standing.ts";
import { compile } from "../../shared/memory/expression.ts";
import type {
  CopyOutcome,
  CopyRequest,
  HeadOutcome,
  ReadOutcome,
  RemoveOutcome,
} from "../../shared/ports/object-store.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import type { DeleteRequest, Item, UpdateRequest, WriteOutcome } from "../../shared/ports/table.ts";
import { type Content, currentOf, type LateRequest, type ReplicaVersion, type State } from "./state.ts";
import { abstractRow, NOW } from "./time.ts";

/** What becomes of the one S3 write of a step. */
export type WriteFate = "answered" | "unanswered_carried_out" | "unanswered_late" | "unanswered_never" | "corrupted";

/** The world that steps act on while they are explored. One step runs at a time; it starts from `state` and leaves it. */
export interface Stage {
  state: State;
  fate: WriteFate;
  /** Set when the step came to its S3 write. */
  wrote: boolean;
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
  readonly sourceHead?: (state: State, honest: HeadOutcome) => HeadOutcome;
  /** False: S3 does not look at conditions on the replica. */
  readonly conditionalWrites?: boolean;
}

const CHECKSUMS = Object.fromEntries(
  ["A", "B", "X"].map((content) => [content, createHash("sha256").update(content).digest("base64")]),
);

const facts = (versionId: string, content: Content): ObjectFacts => ({
  versionId,
  etag: `"${content}"`,
  size: 1,
  lastModified: 0,
  checksum: { algorithm: "SHA256", type: "FULL_OBJECT", value: CHECKSUMS[content] ?? "" },
  metadata: {},
  headers: {},
  storageClass: "STANDARD",
  archived: false,
  customerKey: false,
});

/** S3 tells of a delete marker; of a key without any version it says nothing but 404. */
const absence = (versions: State["source"]): HeadOutcome => {
  const top = versions.at(-1);
  return top === undefined ? { outcome: "absent" } : { outcome: "absent", deleteMarkerVersionId: top.v };
};

const contentOfEtag = (etag: string): Content => etag.slice(1, -1) as Content;

const NO_TELEMETRY = { info: () => {}, warn: () => {}, error: () => {}, count: () => {}, duration: () => {} };

/** Carries a late request out now, on the replica as it is now. */
export const land = (state: State, request: LateRequest, conditional: boolean, bytes?: Content): State => {
  const current = currentOf(state.replica)?.says;
  if (conditional && current !== request.onto) return state;
  const v = `r${state.names}`;
  const version: ReplicaVersion =
    request.kind === "copy"
      ? { kind: "object", v, says: request.content, bytes: bytes ?? request.content }
      : { kind: "marker", v };
  return { ...state, replica: [...state.replica, version], names: state.names + 1 };
};

/** A site whose every port acts on the stage. The code that runs on it is the code that ships. */
export const explorationSite = (
  stage: Stage,
  tampering: Tampering,
  fusedVerificationBytesMax: number,
): SecondarySite => {
  const conditional = tampering.conditionalWrites ?? true;
  const told = (item: Item): Item => tampering.item?.(item) ?? item;

  const update = (asked: UpdateRequest): Promise<WriteOutcome> => {
    const request = tampering.update?.(asked) ?? asked;
    const compiled = compile(request, request.values ?? {});
    const before = stage.state.row;
    if (!compiled.holds(before ?? {}, request.values ?? {})) {
      return Promise.resolve({ outcome: "refused", item: before === undefined ? undefined : told(before) });
    }
    const row = abstractRow({ ...compiled.apply(before ?? {}, request.values ?? {}), ...request.key });
    stage.state = { ...stage.state, row };
    return Promise.resolve({ outcome: "written", item: told(row) });
  };

  const write = <Answer>(request: LateRequest, answer: (landed: State, v: string) => Answer, lost: Answer) => {
    stage.wrote = true;
    const { state, fate } = stage;
    const unanswered = { outcome: "unknown" as const, detail: "" };
    switch (fate) {
      case "unanswered_never":
        return unanswered;
      case "unanswered_late":
        stage.state = { ...state, late: [...state.late, request] };
        return unanswered;
      case "unanswered_carried_out":
        stage.state = land(state, request, conditional);
        return unanswered;
      case "answered":
      case "corrupted": {
        const landed = land(state, request, conditional, fate === "corrupted" ? "X" : undefined);
        stage.state = landed;
        return landed === state ? lost : answer(landed, `r${state.names}`);
      }
    }
  };

  return {
    name: "explored",
    clock: { now: () => NOW },
    chance: {
      token: () => {
        const token = `t${stage.state.names}`;
        stage.state = { ...stage.state, names: stage.state.names + 1 };
        return token;
      },
      // Never the same twice: where a row's `rev` starts is told from every other by it.
      random: () => {
        stage.state = { ...stage.state, names: stage.state.names + 1 };
        return stage.state.names / 2 ** 30;
      },
    },
    telemetry: NO_TELEMETRY,
    functionTimeoutMs: 60_000,
    fusedVerificationBytesMax,
    verificationQueue: { name: "verification", send: () => Promise.resolve({ outcome: "sent" }) },
    primaryState: { get: () => Promise.resolve(undefined) },
    standing: { read: () => Promise.resolve(FIRST_STANDING) },
    siteTable: {
      update: () => Promise.resolve({ outcome: "written", item: {} }),
      query: () => Promise.resolve({ items: [] }),
    },
    removalGuard: REMOVAL_GUARD_DEFAULT,
    syncTimeoutMs: SYNC_TIMEOUT_SECONDS.standard * 1_000,
    syncObjectStorage: true,
    primary: {
      bucket: "primary",
      head: () => {
        const current = currentOf(stage.state.source);
        const honest: HeadOutcome =
          current === undefined
            ? absence(stage.state.source)
            : { outcome: "present", facts: facts(current.v, current.content) };
        return Promise.resolve(tampering.sourceHead?.(stage.state, honest) ?? honest);
      },
      tags: () => Promise.resolve({ outcome: "read", tags: {} }),
      read: () => Promise.resolve({ outcome: "gone" }),
      list: () => Promise.resolve({ objects: [] }),
    },
    replica: {
      bucket: "replica",
      head: () => {
        const current = currentOf(stage.state.replica);
        return Promise.resolve(
          current === undefined ? { outcome: "absent" } : { outcome: "present", facts: facts(current.v, current.says) },
        );
      },
      tags: () => Promise.resolve({ outcome: "read", tags: {} }),
      read: (_key, versionId): Promise<ReadOutcome> => {
        const version = stage.state.replica.find(({ v }) => v === versionId);
        if (version?.kind !== "object") return Promise.resolve({ outcome: "gone" });
        const bytes = new TextEncoder().encode(version.bytes);
        return Promise.resolve({ outcome: "reading", size: 1, body: one(bytes) });
      },
      list: () => Promise.resolve({ objects: [] }),
      copyFromPrimary: (request: CopyRequest): Promise<CopyOutcome> => {
        const source = stage.state.source.find(({ v }) => v === request.sourceVersionId);
        if (source?.kind !== "object") return Promise.resolve({ outcome: "gone" });
        const onto = request.replica.expect === "nothing" ? undefined : contentOfEtag(request.replica.etag);
        return Promise.resolve(
          write<CopyOutcome>(
            { kind: "copy", content: source.content, onto },
            (_landed, v) => ({ outcome: "copied", versionId: v, etag: `"${source.content}"` }),
            { outcome: "lost" },
          ),
        );
      },
      remove: (_key, etag): Promise<RemoveOutcome> =>
        Promise.resolve(
          write<RemoveOutcome>(
            { kind: "remove", onto: contentOfEtag(etag) },
            (_landed, v) => ({ outcome: "removed", deleteMarkerVersionId: v }),
            { outcome: "lost" },
          ),
        ),
    },
    registry: {
      name: "registry",
      get: () => Promise.resolve(stage.state.row === undefined ? undefined : told(stage.state.row)),
      update,
      put: () => Promise.reject(new Error("the protocol does not put whole rows")),
      delete: (asked) => {
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
