import type { MemoryBucket } from "../../shared/memory/bucket.ts";
import { type DemoBucket, type UploadChecksum, VersionGoneError } from "./demo-bucket.ts";

/** What the memory bucket keeps for an upload. It knows no CRC32, and one proves nothing: it is as if there were none. */
const KEPT = { CRC64NVME: "crc64nvme", SHA256: "sha256", CRC32: "none" } as const satisfies Record<
  UploadChecksum,
  string
>;

/** A bucket of the embedded world. */
export const memoryDemoBucket = (bucket: MemoryBucket): DemoBucket => {
  const current = (key: string) => {
    const version = bucket.current(key);
    return version?.kind === "object" ? version : undefined;
  };
  return {
    name: bucket.name,
    async put({ key, body, checksum, ...rest }) {
      bucket.put(key, body, { ...rest, checksum: KEPT[checksum] });
    },
    async replaceMetadata(key, metadata, headers) {
      const version = current(key);
      if (version === undefined) throw new Error(`${bucket.name}/${key} does not exist`);
      const { body, etag, checksum, tags, customerKey, archived } = version;
      const kept = { body, etag, tags, customerKey, archived, ...(checksum === undefined ? {} : { checksum }) };
      // Copying an object onto itself puts it into the standard class unless the request names another.
      bucket.store(key, "ObjectCreated:Copy", { ...kept, metadata, headers, storageClass: "STANDARD" });
    },
    async replaceTags(key, tags) {
      bucket.putTags(key, tags);
    },
    async remove(key) {
      return bucket.deleteCurrent(key).versionId;
    },
    async removeVersion(key, versionId) {
      bucket.deleteVersion(key, versionId);
    },
    async *keys() {
      yield* bucket.keys();
    },
    async describe(key) {
      const version = current(key);
      if (version === undefined) return undefined;
      const { versionId, body, headers, metadata, storageClass } = version;
      return { versionId, size: body.byteLength, headers, metadata, storageClass };
    },
    async tags(key, versionId) {
      return bucket.version(key, versionId)?.tags ?? {};
    },
    async read(key, versionId) {
      const version = bucket.version(key, versionId);
      if (version === undefined) throw new VersionGoneError(`${bucket.name}/${key} has no version ${versionId}`);
      return (async function* chunks() {
        yield version.body;
      })();
    },
  };
};
