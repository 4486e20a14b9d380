import { type DefaultConnectionArguments, resolveArrayConnection } from "@pothos/plugin-relay";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import type { SiteAnswer } from "../../../shared/geo/site-answer.ts";
import type { Builder } from "./builder.ts";
import { registriesOf } from "./connection.ts";
import type { Enums } from "./enums.ts";
import { PAGE_ROWS_MAX } from "../../../shared/services/find-rows/row-search.ts";
import { experimentOf, type RegistryType } from "./registry-types.ts";

/** What a list of registries costs before any row of it is read: its search. */
export const SEARCH_COST = 100;

/** The connection of a type, on a site. */
const registriesField = (
  builder: Builder,
  enums: Enums,
  node: ReturnType<typeof nodeRef>,
  replicable: Replicable,
  registryType: RegistryType,
): void => {
  const { names } = replicable;
  const { registryClass } = names;
  builder.objectField(node, names.registriesField, (t) =>
    t.connection(
      {
        type: registryType,
        description:
          `Find registries of ${names.titlePlural} on this site. ` +
          `Ignored if the ${names.flags.replication} feature flag is disabled.`,
        ...experimentOf(replicable),
        args: {
          ids: t.arg.idList({ description: `Only these registries, at most ${PAGE_ROWS_MAX}, by their ids.` }),
          replicationState: t.arg({ type: enums.replicationState, description: "Only registries in this state." }),
          verificationState: t.arg({
            type: enums.verificationState,
            description: "Only registries whose verification is in this state.",
          }),
          keyword: t.arg.string({
            description: "The whole S3 key, or the modelRecordId.",
            deprecationReason: "Use ids.",
          }),
          sort: t.arg({ type: enums.sort, description: "Order of the list. Default: ID_ASC." }),
        },
        complexity: ({ first, last }) => ({ field: SEARCH_COST, multiplier: last ?? first ?? PAGE_ROWS_MAX }),
        resolve: ({ current }, args, call) => registriesOf(call, current, replicable, args),
      },
      { name: `${registryClass}Connection`, description: `A list of ${names.titlePlural}' registries.` },
      { name: `${registryClass}Edge`, description: `One of ${names.titlePlural}' registries in a list.` },
    ),
  );
};

const nodeRef = (builder: Builder) => builder.objectRef<SiteAnswer>("GeoNode");

/** What a site is restricted to, as GitLab's own records: this product knows no more of them than their ids. */
const ownerTypes = (builder: Builder) => {
  const ofClass = (name: string, what: string) =>
    builder.objectRef<string>(name).implement({
      description: `${what} of GitLab, by its id.`,
      fields: (t) => ({
        id: t.id({
          nullable: false,
          description: "Global id, as in GitLab.",
          resolve: (id) => `gid://gitlab/${name}/${id}`,
        }),
      }),
    });
  return { namespace: ofClass("Namespace", "A namespace"), organization: ofClass("Organization", "An organization") };
};

/** A short list that is all there. */
const ownersOf = (ids: readonly (number | string)[], args: DefaultConnectionArguments) => {
  const owners = ids.map(String);
  return { ...resolveArrayConnection({ args }, owners), count: (limit: number) => Math.min(owners.length, limit + 1) };
};

const siteFields = (builder: Builder, node: ReturnType<typeof nodeRef>): void => {
  const { namespace, organization } = ownerTypes(builder);
  builder.objectType(node, {
    description: "A Geo site.",
    fields: (t) => ({
      id: t.id({
        nullable: false,
        description: "Global id of the site.",
        resolve: ({ id }) => `gid://geo/GeoNode/${id}`,
      }),
      name: t.exposeString("name", { description: "Name of the site." }),
      url: t.exposeString("url", { description: "Where people reach the site." }),
      internalUrl: t.exposeString("internal_url", { description: "Where other sites reach it." }),
      primary: t.exposeBoolean("primary", { description: "Whether it is the primary." }),
      enabled: t.exposeBoolean("enabled", {
        description: "False for a secondary that is paused, and for one that was noted as disabled.",
      }),
      filesMaxCapacity: t.exposeInt("files_max_capacity", { description: "Objects that are copied at the same time." }),
      reposMaxCapacity: t.exposeInt("repos_max_capacity", {
        description: "Kept for GitLab's clients: nothing here is a repository.",
      }),
      verificationMaxCapacity: t.exposeInt("verification_max_capacity", {
        description: "Objects that are verified at the same time.",
      }),
      containerRepositoriesMaxCapacity: t.exposeInt("container_repositories_max_capacity", {
        description: "Kept for GitLab's clients: nothing here is a container repository.",
      }),
      minimumReverificationInterval: t.exposeInt("minimum_reverification_interval", {
        description: "Days after which the primary reads an object again.",
      }),
      selectiveSyncType: t.exposeString("selective_sync_type", {
        description: "What the site is restricted by: namespaces, shards, organizations. Null: by nothing.",
      }),
      selectiveSyncShards: t.exposeStringList("selective_sync_shards", {
        description: "Shards that the site is restricted to.",
      }),
      selectiveSyncNamespaces: t.connection(
        {
          type: namespace,
          description: "Namespaces that the site is restricted to.",
          resolve: ({ selective_sync_namespace_ids: ids }, args) => ownersOf(ids, args),
        },
        { name: "NamespaceConnection", description: "A list of namespaces." },
        { name: "NamespaceEdge" },
      ),
      selectiveSyncOrganizations: t.connection(
        {
          type: organization,
          description: "Organizations that the site is restricted to.",
          resolve: ({ selective_sync_organization_ids: ids }, args) => ownersOf(ids, args),
        },
        { name: "OrganizationConnection", description: "A list of organizations." },
        { name: "OrganizationEdge" },
      ),
      syncObjectStorage: t.boolean({
        description: "Whether a secondary keeps replicas of objects. Null at a primary.",
        resolve: ({ sync_object_storage: keeps }) => keeps,
      }),
    }),
  });
};

/** `geoNode`, with a list of registries for each declared type. */
export const addGeoNode = (
  builder: Builder,
  enums: Enums,
  replicables: readonly Replicable[],
  registryTypes: ReadonlyMap<string, RegistryType>,
): void => {
  const node = nodeRef(builder);
  siteFields(builder, node);
  for (const replicable of replicables) {
    const type = registryTypes.get(replicable.name);
    if (type !== undefined) registriesField(builder, enums, node, replicable, type);
  }
  builder.queryType({
    fields: (t) => ({
      geoNode: t.field({
        type: node,
        description: "Find a Geo site. Null for whoever is no administrator, and when there is none of that name.",
        args: { name: t.arg.string({ description: "Name of the site. Default: the site that answers." }) },
        resolve: (_root, { name }, call) => (call.isAdmin ? call.findSite(name ?? call.site.name) : undefined),
      }),
    }),
  });
};
