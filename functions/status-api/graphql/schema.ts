import type { GraphQLSchema } from "graphql";
import type { Replicable } from "../../../shared/geo/replicable.ts";
import { schemaBuilder } from "./builder.ts";
import { enumsOf } from "./enums.ts";
import { addGeoNode } from "./geo-node.ts";
import { addMutations } from "./mutations.ts";
import { registryTypeOf } from "./registry-types.ts";

const schemas = new WeakMap<readonly Replicable[], GraphQLSchema>();

/** The whole schema, as it follows from the declared types. Made once for each list of them: it takes a tenth of a second. */
export const graphqlSchema = (replicables: readonly Replicable[]): GraphQLSchema => {
  const schema = schemas.get(replicables) ?? madeSchema(replicables);
  schemas.set(replicables, schema);
  return schema;
};

const madeSchema = (replicables: readonly Replicable[]): GraphQLSchema => {
  const builder = schemaBuilder();
  const enums = enumsOf(builder, replicables);
  const registryTypes = new Map(
    replicables.map((replicable) => [replicable.name, registryTypeOf(builder, enums, replicable)]),
  );
  addGeoNode(builder, enums, replicables, registryTypes);
  addMutations(builder, enums, registryTypes);
  return builder.toSchema({});
};
