import { coolWidget } from "../../shared/replicables/cool-widget.ts";
import { groupUpload } from "../../shared/replicables/upload-partitions.ts";
import { packageFile } from "../../shared/replicables/package-file.ts";
import type { MemoryBucket } from "../../shared/memory/bucket.ts";
import type { Change } from "./plan.ts";

/** The types that keys are spread over. */
export const TYPES = [coolWidget, packageFile, groupUpload] as const;

const KEYS: readonly ((key: number) => string)[] = [
  (key) => `cool_widgets/${key}/file`,
  (key) => `packages_package_files/7/${key}/widget-1.0.tgz`,
  // What has to be encoded on its way through messages and notifications.
  (key) => `namespace_uploads/7/${key}/100% a+b ü.png`,
];

/** The S3 key of the plan's key of that number. */
export const keyOf = (key: number, types: number): string => (KEYS[key % types] ?? KEYS[0])?.(key) ?? "";

const CONTENTS = ["", "A", "B", "something longer"].map((text) => new TextEncoder().encode(text));

/** Does to a bucket what somebody does; nothing, and false, when it can not be done there. */
export const change = (bucket: MemoryBucket, key: string, wanted: Change, unattested: boolean): boolean => {
  const current = bucket.current(key);
  switch (wanted.do) {
    case "put": {
      // Variants count through contents first, then metadata: some puts change nothing but metadata, or nothing at all.
      const metadata = wanted.variant % 3;
      bucket.put(key, CONTENTS[wanted.variant % CONTENTS.length] ?? "", {
        checksum: unattested ? "none" : wanted.variant % 2 === 0 ? "crc64nvme" : "sha256",
        ...(metadata === 0 ? {} : { metadata: { owner: `team-${metadata}` }, headers: { cacheControl: "no-store" } }),
        ...(wanted.variant < 8 ? {} : { tags: { class: `c${wanted.variant}` } }),
      });
      return true;
    }
    case "tag":
      if (current?.kind !== "object") return false;
      bucket.putTags(key, wanted.variant % 3 === 0 ? {} : { class: `c${wanted.variant}` });
      return true;
    case "delete":
      // On an absent key, too: S3 adds a marker.
      bucket.deleteCurrent(key);
      return true;
    case "purge":
      if (current?.kind !== "object") return false;
      bucket.deleteVersion(key, current.versionId);
      return true;
    case "undelete":
      if (current?.kind !== "delete_marker") return false;
      bucket.deleteVersion(key, current.versionId);
      return true;
    case "destroy": {
      const versions = bucket.versions(key);
      const version = versions[wanted.variant % Math.max(1, versions.length)];
      if (version === undefined) return false;
      bucket.deleteVersion(key, version.versionId);
      return true;
    }
    case "archive":
      bucket.put(key, "cold", { storageClass: "GLACIER" });
      return true;
    case "restore":
      if (current?.kind !== "object" || !current.archived) return false;
      bucket.restore(key);
      return true;
    // Not done by anybody to a bucket.
    case "rot":
    case "resync":
      return false;
  }
};
