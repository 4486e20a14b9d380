import type { GraphQLSchema } from "graphql";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import { schemaBuilder } from "./builder.ts";
import { enumsOf } from "./enums.ts";
import { addGeoNode } from "./geo-node.ts";
import { addMutations } from "./mutations.ts";
import { registryTypeOf } from "./registry-types.ts";

/** The whole schema, as it follows from the declared types. */
export const graphqlSchema = (replicables: readonly Replicable[]): GraphQLSchema => {
  const builder = schemaBuilder();
  const enums = enumsOf(builder, replicables);
  const registryTypes = new Map(
    replicables.map((replicable) => [replicable.name, registryTypeOf(builder, enums, replicable)]),
  );
  addGeoNode(builder, enums, replicables, registryTypes);
  addMutations(builder, enums, registryTypes);
  return builder.toSchema({});
};
