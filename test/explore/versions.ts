import { createHash } from "node:crypto";
import type { ObjectFacts } from "../../shared/geo/object-facts.ts";
import type { HeadOutcome } from "../../shared/ports/object-store.ts";
import { stacks } from "./canonical.ts";
import {
  type Content,
  currentOf,
  type LateRequest,
  type ReplicaVersion,
  type SourceVersion,
  type State,
  withName,
} from "./state.ts";

/** What the two buckets hold and show, and what becomes of a request that lands. */

/** Which objects have two bytes, and so are copied in two parts. */
export type InParts = "none" | "all" | "A";

/** The bytes of a content. */
export const textOf = (content: Content, inParts: InParts): string => {
  if (content === "M") return "AB";
  return inParts === "all" || inParts === content ? content.repeat(2) : content;
};

const checksums = new Map<string, string>();

const checksumOf = (text: string): string => {
  const known = checksums.get(text) ?? createHash("sha256").update(text).digest("base64");
  checksums.set(text, known);
  return known;
};

const facts = (versionId: string, content: Content, text: string): ObjectFacts => ({
  versionId,
  etag: `"${content}"`,
  size: text.length,
  lastModified: 0,
  checksum: { algorithm: "SHA256", type: "FULL_OBJECT", value: checksumOf(text) },
  metadata: {},
  headers: {},
  storageClass: "STANDARD",
  archived: false,
  customerKey: false,
});

/** What a HEAD of the replica says that shows this version. */
export const presentReplica = (
  { v, says }: Extract<ReplicaVersion, { kind: "object" }>,
  inParts: InParts = "none",
): HeadOutcome => ({
  outcome: "present",
  facts: facts(v, says, textOf(says, inParts)),
});

/** What a HEAD of the source says that shows this version. */
export const presentSource = (
  { v, content }: Extract<SourceVersion, { kind: "object" }>,
  inParts: InParts = "none",
): HeadOutcome => ({
  outcome: "present",
  facts: facts(v, content, textOf(content, inParts)),
});

/** S3 tells of a delete marker; of a key without any version it says nothing but 404. */
export const absence = (versions: State["source"]): HeadOutcome => {
  const top = versions.at(-1);
  return top === undefined ? { outcome: "absent" } : { outcome: "absent", deleteMarkerVersionId: top.v };
};

export const contentOfEtag = (etag: string): Content => etag.slice(1, -1) as Content;

/** The same array for the same versions. */
export const replicaStack = (versions: State["replica"]): State["replica"] => stacks.same(versions) as State["replica"];

/** Puts a version on top of the replica; S3 reports it where it reports anything. */
export const changeReplica = (
  state: State,
  reported: boolean,
  eventName: string,
  version: Omit<Extract<ReplicaVersion, { kind: "object" }>, "v"> | { readonly kind: "marker" },
): State => {
  const [named, v] = withName(state, "r");
  return {
    ...named,
    replica: replicaStack([...state.replica, { ...version, v }]),
    drifts: reported ? [...state.drifts, { eventName, versionId: v }] : state.drifts,
  };
};

/** Carries a request out now, on the replica as it is now. */
export const land = (
  state: State,
  request: LateRequest,
  { conditional, reported }: { readonly conditional: boolean; readonly reported: boolean },
  bytes?: Content,
): State => {
  if (conditional && currentOf(state.replica)?.says !== request.onto) return state;
  switch (request.kind) {
    case "copy": {
      const { content } = request;
      const version = { kind: "object", says: content, bytes: bytes ?? content } as const;
      return changeReplica(state, reported, "ObjectCreated:Copy", version);
    }
    case "complete": {
      const content = contentOfParts(state, request.u);
      if (content === undefined) return state;
      const uploads = state.uploads.filter(({ u }) => u !== request.u);
      const version = { kind: "object", says: content, bytes: bytes ?? content } as const;
      return changeReplica({ ...state, uploads }, reported, "ObjectCreated:CompleteMultipartUpload", version);
    }
    case "remove":
      return changeReplica(state, reported, "ObjectRemoved:DeleteMarkerCreated", { kind: "marker" });
  }
};

/** What an upload comes to; undefined when there is none, or not all of it. */
export const contentOfParts = ({ uploads }: State, name: string): Content | undefined => {
  const [first, second] = uploads.find(({ u }) => u === name)?.parts ?? [];
  return first === undefined || second === undefined || first === second ? first && second : "M";
};
