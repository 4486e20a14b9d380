import { createHash } from "node:crypto";
import { quoted } from "./key-codec.ts";
import type { Replicable } from "./replicable.ts";
import type { ReplicableMatch } from "./replicable-match.ts";
import { ownersOf } from "./selective-sync.ts";
import { keyPrefixesOf } from "./upload-partitions.ts";
import { compareUtf8 } from "./utf8-order.ts";

/**
 * Batch destroy (F80-F83): all objects of a parent are hidden on the primary, and so on every secondary. What is going to
 * happen is frozen first and shown; only what was shown, and confirmed by its number, is done.
 */

/** Bounds of a destroy. */
export const DESTROY_LIMITS = {
  /** Objects in one slice: as many as S3 deletes in one request (API reference, DeleteObjects). */
  sliceObjects: 1_000,
  /** Objects in one destroy. Above that a mistake is likelier than a wish, and its parts can be destroyed one by one. */
  objects: 10_000_000,
  /** Keys that a caller may name one by one: they are kept in the destroy's record, which holds 400 KB (DynamoDB). */
  keys: 1_000,
  /** Bytes of those keys together. */
  keysBytes: 256 * 1024,
  /** For how long what was shown may be confirmed, milliseconds: after a day nobody remembers what it was. */
  confirmableMs: 24 * 60 * 60 * 1_000,
  /** For how long the removal guards of secondaries let a destroy through, milliseconds. A region may be down for days. */
  releasedMs: 30 * 24 * 60 * 60 * 1_000,
  /** Keys that are shown of a destroy before it is confirmed. */
  samples: 10,
} as const;

/** Whose objects are to go. Ids are those of GitLab's records, as they stand in keys and in the objects' metadata. */
export type DestroyParent =
  /** A namespace with all its descendants, a project, an organization. */
  | { readonly kind: "namespace" | "project" | "organization"; readonly id: string }
  /** Every key that begins so, and is of one of the types. */
  | { readonly kind: "prefix"; readonly prefix: string }
  /** These keys and no others. */
  | { readonly kind: "keys"; readonly keys: readonly string[] };

/** Where a destroy stands. */
export const DESTROY_STATES = [
  /** The objects are being listed. */
  "planning",
  /** Listed and frozen: waits to be confirmed. */
  "planned",
  /** Nothing was found, too much, or something that may not be destroyed; `problem` says it. */
  "refused",
  /** Confirmed: slices are being hidden, and then the secondaries are watched. */
  "destroying",
  /** Every slice is hidden and told. */
  "destroyed",
  /** It ended with slices or objects that could not be hidden. To be confirmed again. */
  "incomplete",
  /** Somebody ended it; what was hidden stays hidden. */
  "cancelled",
  /** What it hid is being brought back. */
  "undoing",
  /** What could be brought back is back. */
  "undone",
] as const;
export type DestroyState = (typeof DESTROY_STATES)[number];

/** Characters of an id: letters and digits, so that it can be typed and be part of every name. */
export const DESTROY_ID = /^[a-z0-9]{12}$/;

/** An id for a destroy, made from a fresh token. */
export const destroyIdOf = (token: string): string =>
  BigInt(`0x${createHash("sha256").update(token).digest("hex").slice(0, 24)}`)
    .toString(36)
    .padStart(12, "0")
    .slice(-12);

/** The parent in words. */
export const parentText = (parent: DestroyParent): string => {
  switch (parent.kind) {
    case "prefix":
      return `keys that begin with ${quoted(parent.prefix)}`;
    case "keys":
      return `${parent.keys.length} keys`;
    case "namespace":
    case "project":
    case "organization":
      return `${parent.kind} ${parent.id}`;
  }
};

/** The same for the same parent and types: two destroys of it do not run at once. */
export const parentDigest = (replicableNames: readonly string[], parent: DestroyParent): string =>
  createHash("sha256")
    .update(JSON.stringify([[...replicableNames].sort(), parent]))
    .digest("hex")
    .slice(0, 32);

/**
 * What of the bucket has to be listed, as prefixes in the bucket's order: no key of the parent is elsewhere, and none is
 * listed twice.
 * @param chosen the types that are to be destroyed
 */
export const destroyRanges = (
  replicables: readonly Replicable[],
  chosen: readonly Replicable[],
  parent: DestroyParent,
): readonly string[] => {
  if (parent.kind === "keys") return [];
  const prefixes = chosen.flatMap((replicable) =>
    keyPrefixesOf(replicables, replicable).map((prefix) => prefix + ownerPart(replicable, prefix, parent)),
  );
  const narrowed =
    parent.kind === "prefix"
      ? prefixes.flatMap((prefix) => {
          if (parent.prefix.startsWith(prefix)) return [parent.prefix];
          return prefix.startsWith(parent.prefix) ? [prefix] : [];
        })
      : prefixes;
  return [...new Set(narrowed)]
    .filter((prefix, _index, all) => !all.some((other) => other !== prefix && prefix.startsWith(other)))
    .sort(compareUtf8);
};

/**
 * Projects own objects by their keys alone, so that a pattern whose owner follows its text needs no more than that project's
 * part of the bucket. Namespaces and organizations own by metadata as well, and all of the type has to be looked at.
 */
const ownerPart = ({ scope, keyPattern }: Replicable, prefix: string, parent: DestroyParent): string => {
  if (parent.kind !== "project" || scope.from !== "key" || scope.owner !== "project") return "";
  return keyPattern.text.startsWith(`${prefix}{${scope.placeholder}}/`) ? `${parent.id}/` : "";
};

/** Whether an object is the parent's. `by_metadata`: its key does not say so, and its metadata may. */
export type Belongs = "yes" | "no" | "by_metadata";

/** What the key says of it. */
export const belongsByKey = (parent: DestroyParent, match: ReplicableMatch, key: string): Belongs => {
  const { scope } = match.replicable;
  switch (parent.kind) {
    case "prefix":
      return key.startsWith(parent.prefix) ? "yes" : "no";
    case "keys":
      return parent.keys.includes(key) ? "yes" : "no";
    case "project":
      return scope.from === "key" && scope.owner === "project" && match.attributes[scope.placeholder] === parent.id
        ? "yes"
        : "no";
    case "namespace":
    case "organization":
      if (belongsByMetadata(parent, match, {})) return "yes";
      return scope.from === "nothing" ? "no" : "by_metadata";
  }
};

/** What the key and the metadata say together. */
export const belongsByMetadata = (
  parent: Extract<DestroyParent, { id: string }>,
  { replicable, attributes }: ReplicableMatch,
  metadata: Readonly<Record<string, string>>,
): boolean => {
  const owners = ownersOf(replicable, attributes, metadata);
  return (parent.kind === "namespace" ? owners.namespaces : owners.organizations).includes(parent.id);
};
