/**
 * Where selective sync finds out to whom an object belongs. Every replicable says it; there is no default, since guessing
 * wrong either leaks data to a site or leaves it out.
 *
 * The key gives at most one owner. What a rule needs beyond it stands in the object's user metadata: the ancestors of
 * a namespace (`geo-namespace: 1/7/42`), its organization (`geo-organization`), its shard (`geo-shard`).
 */
export type SelectiveSyncScope =
  /** Wanted by every site, whatever its rules. */
  | { readonly from: "nothing" }
  /** The key names an owner; user metadata may add to it. */
  | { readonly from: "key"; readonly placeholder: string; readonly owner: "namespace" | "project" | "organization" }
  /** Only user metadata names owners. */
  | { readonly from: "metadata" };

/** For data that belongs to the whole instance: selective sync does not apply. */
export const alwaysReplicated: SelectiveSyncScope = { from: "nothing" };

/** The owner is a namespace, found in the key. */
export const namespaceScope = (placeholder = "namespace_id"): SelectiveSyncScope => ({
  from: "key",
  placeholder,
  owner: "namespace",
});

/** The owner is a project, found in the key; the namespaces above it come from user metadata. */
export const projectScope = (placeholder = "project_id"): SelectiveSyncScope => ({
  from: "key",
  placeholder,
  owner: "project",
});

/**
 * The owner is an organization, found in the key.
 * @public for declarations; none of the shipped ones has such an owner
 */
export const organizationScope = (placeholder = "organization_id"): SelectiveSyncScope => ({
  from: "key",
  placeholder,
  owner: "organization",
});

/** The key says nothing about owners; user metadata does. */
export const metadataScope: SelectiveSyncScope = { from: "metadata" };
