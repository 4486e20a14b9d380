import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import * as z from "zod/mini";
import { DESTROY_LIMITS } from "./destroy.ts";
import { GeoError } from "./errors.ts";
import { type GeoEvent, type GeoMessage, KEYS_PER_MESSAGE_MAX } from "./geo-message.ts";
import { encodeKey, quoted } from "./key-codec.ts";
import type { ReplicableMatch } from "./replicable-match.ts";

/**
 * What a destroy is going to hide, object by object, collected before anything goes and never changed afterwards: one JSON
 * document in each line, at most a thousand of them in each slice, keys in the order of the bucket.
 */

const ManifestLine = z.strictObject({
  key: z.string().check(z.minLength(1), z.maxLength(1_024)),
  version_id: z.string().check(z.minLength(1)),
  etag: z.string().check(z.minLength(1)),
  /** Bytes. */
  size: z.number(),
  /** Milliseconds since the epoch. */
  last_modified: z.number(),
  storage_class: z.string(),
  replicable_name: z.string().check(z.minLength(1)),
  /** GitLab's id of the record, as key patterns make it. Never empty: Geo refuses a batch with a nil id (F83). */
  model_record_id: z.string().check(z.minLength(1)),
  uploader_class: z.string(),
});
/** One object of a manifest. */
export type ManifestLine = z.infer<typeof ManifestLine>;

/** What became of one object of a slice. */
const ResultLine = z.discriminatedUnion("outcome", [
  z.strictObject({
    key: z.string(),
    /** It is hidden behind this delete marker, and the version that the manifest names is what it hides. */
    outcome: z.literal("hidden"),
    marker: z.string(),
    /** Its event was sent when the slice was worked on before. */
    told: z.boolean(),
  }),
  /** It was overwritten since the manifest was made, and stays. */
  z.strictObject({ key: z.string(), outcome: z.literal("kept") }),
  /** Somebody else deleted it meanwhile. */
  z.strictObject({ key: z.string(), outcome: z.literal("gone") }),
  z.strictObject({ key: z.string(), outcome: z.literal("failed"), detail: z.string() }),
]);
export type ResultLine = z.infer<typeof ResultLine>;

/** What a key pattern finds, and what S3 lists, as a line of a manifest. */
export const manifestLine = (
  listed: Pick<ManifestLine, "key" | "etag" | "size"> & {
    readonly versionId: string;
    readonly lastModified: number;
    readonly storageClass: string;
  },
  { replicable, modelRecordId }: ReplicableMatch,
): ManifestLine => ({
  key: listed.key,
  version_id: listed.versionId,
  etag: listed.etag,
  size: listed.size,
  last_modified: listed.lastModified,
  storage_class: listed.storageClass,
  replicable_name: replicable.name,
  model_record_id: modelRecordId,
  uploader_class: replicable.uploader,
});

/**
 * Refuses a slice that may not be destroyed (F83): a nil record id, a key of no type or of another one, a key of somebody
 * else. Asked before a slice is frozen, and again before anything of it goes.
 * @param matching to which type a key belongs now
 * @param isOf whether the destroy's parent and types have it
 * @throws GeoError GEO_DESTROY_REFUSED
 */
export const assertDestroyable = (
  lines: readonly ManifestLine[],
  matching: (key: string) => ReplicableMatch | undefined,
  isOf: (match: ReplicableMatch, key: string) => boolean,
): void => {
  if (lines.length > DESTROY_LIMITS.sliceObjects) {
    throw refused(`a slice of ${lines.length} objects, expected at most ${DESTROY_LIMITS.sliceObjects}`);
  }
  for (const line of lines) {
    if (line.model_record_id.trim() === "") {
      throw refused(`${quoted(line.key)} has no model record id, expected one of each object; nothing was destroyed`);
    }
    const match = matching(line.key);
    if (match === undefined || match.replicable.name !== line.replicable_name || !isOf(match, line.key)) {
      throw refused(
        `${quoted(line.key)} is not an object of what is to be destroyed; nothing of its slice was destroyed`,
      );
    }
  }
};

const refused = (message: string): GeoError => new GeoError("GEO_DESTROY_REFUSED", message);

const encodeLines = (lines: readonly object[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

const decodeLines = <T>(text: string, schema: z.ZodMiniType<T>): readonly T[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line, index) => {
      const parsed = z.safeParse(schema, jsonOf(line));
      if (parsed.success) return parsed.data;
      const fields = parsed.error.issues.map((issue) => issue.path.join(".") || "the line").join(", ");
      throw refused(`line ${index + 1} of a manifest can not be read (${fields}): its slice is left as it is`);
    });

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export const encodeManifest = (lines: readonly ManifestLine[]): string => encodeLines(lines);

/** @throws GeoError GEO_DESTROY_REFUSED for anything that `encodeManifest` did not write, and for a nil record id (F83) */
export const decodeManifest = (text: string): readonly ManifestLine[] => decodeLines(text, ManifestLine);

export const encodeResults = (lines: readonly ResultLine[]): string => encodeLines(lines);
export const decodeResults = (text: string): readonly ResultLine[] => decodeLines(text, ResultLine);

/** What a slice's text comes to: a slice that was changed after it was frozen is not destroyed. */
export const textDigest = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/**
 * Names one version of one key in 96 bits. What a secondary's removal guard goes by: a replica of exactly this version may
 * be hidden because of the destroy, and no other.
 */
export const versionDigest = (key: string, versionId: string): string =>
  createHash("sha256").update(`${key}\n${versionId}`, "utf8").digest("base64url").slice(0, VERSION_DIGEST_LENGTH);
export const VERSION_DIGEST_LENGTH = 16;

/**
 * Most bytes of one message of events: a topic takes 256 KiB (API reference of SNS, Publish), and what stands around the
 * events, and what a queue behind it adds, has to fit as well.
 */
export const EVENTS_BYTES_MAX = 240 * 1024;

/** Parts of a list of events, each small enough for one message. */
const messageParts = (events: readonly GeoEvent[]): readonly (readonly GeoEvent[])[] => {
  const parts: GeoEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event), "utf8") + 1;
    const part = parts.at(-1);
    if (part === undefined || part.length === KEYS_PER_MESSAGE_MAX || bytes + size > EVENTS_BYTES_MAX) {
      parts.push([event]);
      bytes = size;
    } else {
      part.push(event);
      bytes += size;
    }
  }
  return parts;
};

/**
 * The `deleted` events of a destroy, up to a hundred in each message (F80): one per record, sent after the objects are
 * hidden. An event's id is made from the destroy and the key, so that one that is sent again is the same event.
 */
export const deletedMessages = (
  destroyId: string,
  lines: readonly ManifestLine[],
  now: number,
): readonly { readonly body: string }[] => {
  const events = lines.map((line): GeoEvent => ({
    id: textDigest(`${destroyId}\n${line.key}`).slice(0, 32),
    replicable_name: line.replicable_name,
    event_name: "deleted",
    created_at: now,
    payload: {
      model_record_id: line.model_record_id,
      correlation_id: destroyId,
      blob_path: encodeKey(line.key),
      uploader_class: line.uploader_class,
    },
  }));
  return messageParts(events).map((part) => {
    const message: GeoMessage = { version: 1, kind: "geo_events", events: [...part] };
    return { body: JSON.stringify(message) };
  });
};
