import type { Replicable } from "../../../shared/geo/replicable.ts";
import { siteId } from "../../../shared/geo/site-status.ts";
import type { Builder } from "./builder.ts";
import type { NodeParent } from "./call.ts";
import { COUNT_LIMIT, registriesOf } from "./connection.ts";
import type { Enums } from "./enums.ts";
import { PAGE_ROWS_MAX } from "../../../shared/services/find-rows/row-search.ts";
import { experimentOf, type RegistryType } from "./registry-types.ts";

/** What a list of registries costs before any row of it is read: its search. */
const SEARCH_COST = 100;

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
        resolve: ({ isCurrent }, args, call) => registriesOf(call, isCurrent, replicable, args),
      },
      {
        name: `${registryClass}Connection`,
        description: `A list of ${names.titlePlural}' registries.`,
        fields: (connection) => ({
          count: connection.int({
            nullable: false,
            description: "How many there are. Above limit, limit + 1.",
            args: { limit: connection.arg.int({ defaultValue: COUNT_LIMIT, description: "At most 1000." }) },
            complexity: { field: 1, multiplier: 1 },
            resolve: (parent, { limit }) => parent.count(limit ?? COUNT_LIMIT),
          }),
        }),
      },
      { name: `${registryClass}Edge`, description: `One of ${names.titlePlural}' registries in a list.` },
    ),
  );
};

const nodeRef = (builder: Builder) => builder.objectRef<NodeParent>("GeoNode");

/** `geoNode`, with a list of registries for each declared type. */
export const addGeoNode = (
  builder: Builder,
  enums: Enums,
  replicables: readonly Replicable[],
  registryTypes: ReadonlyMap<string, RegistryType>,
): void => {
  const node = nodeRef(builder);
  builder.objectType(node, {
    description: "A Geo site.",
    fields: (t) => ({
      id: t.id({
        nullable: false,
        description: "Global id of the site.",
        resolve: ({ site }) => `gid://geo/GeoNode/${siteId(site.name)}`,
      }),
      name: t.string({ description: "Name of the site.", resolve: ({ site }) => site.name }),
      primary: t.boolean({
        description: "Whether it is the primary.",
        resolve: ({ site }) => site.role === "primary",
      }),
      enabled: t.boolean({
        description: "Always true: a site that is not wanted is not deployed.",
        resolve: () => true,
      }),
    }),
  });
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
        resolve: (_root, { name }, call) => {
          if (!call.isAdmin) return null;
          const { site } = call;
          return (name ?? site.name) === site.name ? { site, isCurrent: true } : null;
        },
      }),
    }),
  });
};
