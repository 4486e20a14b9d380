import { createHash } from "node:crypto";
import type { ObjectFacts } from "./object-facts.ts";
import type { RegistryRow } from "./registry-row.ts";

/** What an upload is made of: it may be gone on with only by whoever wants a copy of exactly this. */
export interface UploadPin {
  readonly versionId: string;
  /** A version called `null` can be overwritten: its id alone does not do. */
  readonly etag: string;
  /** `tagsDigest` of the tags that it was begun with: those may change while the version stays the same. */
  readonly tags: string;
}

/** A copy in parts that was begun and, as far as is known, neither completed nor aborted. */
export interface OpenUpload extends UploadPin {
  readonly id: string;
  /** All of its parts but the last have so many bytes. */
  readonly partBytes: number;
}

/** Tells one set of tags from another, in a few characters. */
export const tagsDigest = (tags: Readonly<Record<string, string>>): string => {
  const entries = Object.entries(tags).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(entries)).digest("base64url").slice(0, 22);
};

/** The columns of a row that name its upload. */
export const uploadColumns = ({ id, versionId, etag, tags, partBytes }: OpenUpload) => ({
  upload_id: id,
  upload_src_version_id: versionId,
  upload_src_etag: etag,
  upload_tags: tags,
  upload_part_bytes: partBytes,
});

/** The same columns, of a row that names none. */
export const NO_UPLOAD = {
  upload_id: undefined,
  upload_src_version_id: undefined,
  upload_src_etag: undefined,
  upload_tags: undefined,
  upload_part_bytes: undefined,
} as const satisfies Record<keyof ReturnType<typeof uploadColumns>, undefined>;

/** The upload that a row names. They are written and removed together: one that is missing means none. */
export const uploadOf = (row: RegistryRow): OpenUpload | undefined => {
  const { upload_id: id, upload_src_version_id: versionId, upload_src_etag: etag, upload_tags: tags } = row;
  const { upload_part_bytes: partBytes } = row;
  return id === undefined ||
    versionId === undefined ||
    etag === undefined ||
    tags === undefined ||
    partBytes === undefined
    ? undefined
    : { id, versionId, etag, tags, partBytes };
};

/** Whether an upload is a copy of this source version with these tags: then it may be gone on with. */
export const isUploadOf = (upload: UploadPin, source: Pick<ObjectFacts, "versionId" | "etag">, tags: string): boolean =>
  upload.versionId === source.versionId && upload.etag === source.etag && upload.tags === tags;
