import { attested } from "./checksum.ts";
import { type ContentHeaders, type ObjectFacts, replicaStorageClass } from "./object-facts.ts";
import type { RegistryRow } from "./registry-row.ts";

/** What one side holds under a key. */
export type Seen = { readonly found: "present"; readonly facts: ObjectFacts } | { readonly found: "absent" };

/** What the replica must look like when a write lands on it. */
export type Expectation =
  { readonly expect: "nothing" } | { readonly expect: "version_with_etag"; readonly etag: string };

/** What has to be done about a key that the primary does not hold. */
export type AbsentDecision =
  /** Neither side holds the key. */
  | { readonly do: "settle_absent" }
  /** The replica does: hide it behind a delete marker. */
  | { readonly do: "remove"; readonly etag: string };

/** What has to be done to make the replica equal to a source that is there. */
export type PresentDecision =
  /** The replica already holds it, by the row's word (`named`) or by S3's (`adopt`). Tags are still to be compared. */
  | {
      readonly do: "settle_synced";
      readonly because: "named" | "adopt";
      readonly versionId: string;
      readonly etag: string;
    }
  | { readonly do: "copy"; readonly replica: Expectation };

const HEADERS = [
  "contentType",
  "contentEncoding",
  "contentDisposition",
  "contentLanguage",
  "cacheControl",
  "expires",
] as const satisfies readonly (keyof ContentHeaders)[];

const sameHeaders = (a: ContentHeaders, b: ContentHeaders): boolean =>
  HEADERS.every((header) => a[header] === b[header]);

/** Equal as sets of name and value: user metadata, or tags. */
export const sameEntries = (a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean => {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => Object.hasOwn(b, name) && a[name] === b[name]);
};

/**
 * Whether S3 itself says that two versions hold the same bytes and the same metadata. A digest that a copy carried over
 * proves no more than that, which is why an adopted replica is read back like any other.
 */
const adoptable = (source: ObjectFacts, replica: ObjectFacts): boolean => {
  const digest = attested(source);
  return (
    digest !== undefined &&
    digest === attested(replica) &&
    source.size === replica.size &&
    // Another storage class is another object to its owner's bill. A class that changes later, by lifecycle, makes no new
    // version and so never comes here.
    replicaStorageClass(source) === replica.storageClass &&
    sameEntries(source.metadata, replica.metadata) &&
    sameHeaders(source.headers, replica.headers)
  );
};

/** The row says that exactly this replica version was made from exactly this source version. */
const named = (row: RegistryRow, source: ObjectFacts, replica: ObjectFacts): boolean =>
  row.rep_version_id === replica.versionId && row.src_version_id === source.versionId && row.src_etag === source.etag;

/**
 * T3 for a key that the primary does not hold. With `decidePresent` a total function of what the row says and what the two
 * sides hold, all seen after the row was claimed. Old and new hints, duplicates and replays all end here, with the same
 * answer (R1-R3, R7, R20).
 */
export const decideAbsent = (replica: Seen): AbsentDecision =>
  replica.found === "absent" ? { do: "settle_absent" } : { do: "remove", etag: replica.facts.etag };

/** T3 for a key that the primary holds. */
export const decidePresent = (row: RegistryRow, source: ObjectFacts, replica: Seen): PresentDecision => {
  if (replica.found === "absent") return { do: "copy", replica: { expect: "nothing" } };
  const { versionId, etag } = replica.facts;
  // A replica that was read and found wrong is not trusted again on anybody's word, or it would never be repaired (F26);
  // nor is any when somebody has asked for a fresh copy (F18).
  if (!row.checksum_mismatch && row.resync_requested !== true) {
    if (named(row, source, replica.facts)) return { do: "settle_synced", because: "named", versionId, etag };
    if (adoptable(source, replica.facts)) return { do: "settle_synced", because: "adopt", versionId, etag };
  }
  return { do: "copy", replica: { expect: "version_with_etag", etag } };
};
