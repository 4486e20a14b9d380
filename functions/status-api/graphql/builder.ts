import SchemaBuilder from "@pothos/core";
import ComplexityPlugin from "@pothos/plugin-complexity";
import RelayPlugin from "@pothos/plugin-relay";
import { PAGE_ROWS_MAX } from "../../../shared/services/find-rows/row-search.ts";
import type { GraphQLCall } from "./call.ts";
import { COUNT_LIMIT, type CountedConnection } from "./connection.ts";

/** The words that GraphQL code is written in here. */
interface Words {
  Context: GraphQLCall;
  DefaultFieldNullability: true;
  Scalars: {
    ID: { Input: string; Output: string };
    /** ISO 8601; resolvers hand out milliseconds since the epoch. */
    Time: { Input: never; Output: number };
  };
  Connection: Pick<CountedConnection, "count">;
}

/** One more than GitLab's own: rows are what costs here. */
const ROWS_FIELD = { complexity: { field: 1, multiplier: 1 } } as const;

/** A builder of schemas with connections, limits and the scalars that they share. */
export const schemaBuilder = () => {
  const builder = new SchemaBuilder<Words>({
    plugins: [RelayPlugin, ComplexityPlugin],
    complexity: { disabled: true }, // asked for as a rule of validation, before anything is begun: see limits.ts
    relay: {
      clientMutationId: "optional",
      cursorType: "String",
      nodeQueryOptions: false,
      nodesQueryOptions: false,
      nodesOnConnection: { ...ROWS_FIELD, description: "The rows of this page." },
      edgesFieldOptions: { ...ROWS_FIELD, description: "The rows of this page, each with its cursor." },
      firstArgOptions: { description: `The first rows, at most ${PAGE_ROWS_MAX}. Default: ${PAGE_ROWS_MAX}.` },
      lastArgOptions: { description: `The last rows, at most ${PAGE_ROWS_MAX}.` },
      afterArgOptions: { description: "Only rows behind this cursor." },
      beforeArgOptions: { description: "Only rows in front of this cursor." },
      cursorFieldOptions: { description: "The place of the row, to go on from." },
      nodeFieldOptions: { description: "The row." },
      pageInfoFieldOptions: { description: "Where the page stands among all." },
      hasNextPageFieldOptions: { description: "Whether there may be more behind endCursor." },
      hasPreviousPageFieldOptions: { description: "Whether there may be more in front of startCursor." },
      startCursorFieldOptions: { description: "The place to go back from." },
      endCursorFieldOptions: {
        description: "The place to go on from. There is one on a page without rows, too, if there is more.",
      },
      clientMutationIdInputOptions: { description: "Comes back as it is." },
      clientMutationIdFieldOptions: { description: "As it was sent." },
      mutationInputArgOptions: { description: "What is to be changed." },
      pageInfoTypeOptions: { description: "Where a page stands among all." },
    },
  });
  builder.scalarType("Time", {
    description: "A time in ISO 8601, UTC.",
    serialize: (milliseconds) => new Date(milliseconds).toISOString(),
    parseValue: (value) => {
      throw new TypeError(`a time is only ever handed out, got ${String(value)}`);
    },
  });
  builder.globalConnectionField("count", (t) =>
    t.int({
      nullable: false,
      description: "How many there are. Above limit, limit + 1.",
      args: { limit: t.arg.int({ defaultValue: COUNT_LIMIT, description: `At most ${COUNT_LIMIT}.` }) },
      resolve: (connection, { limit }) => connection.count(limit ?? COUNT_LIMIT),
    }),
  );
  return builder;
};
export type Builder = ReturnType<typeof schemaBuilder>;
