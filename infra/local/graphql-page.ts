import {
  GraphQLEnumType,
  type GraphQLField,
  type GraphQLInputField,
  GraphQLInputObjectType,
  GraphQLObjectType,
  type GraphQLSchema,
  lexicographicSortSchema,
  printSchema,
} from "graphql";
import { COUNT_LIMIT } from "../../functions/status-api/graphql/connection.ts";
import { SEARCH_COST } from "../../functions/status-api/graphql/geo-node.ts";
import { BODY_BYTES_MAX } from "../../functions/status-api/graphql/graphql.ts";
import { LIMITS } from "../../functions/status-api/graphql/limits.ts";
import { recordFieldOf } from "../../functions/status-api/graphql/registry-types.ts";
import { graphqlSchema } from "../../functions/status-api/graphql/schema.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { DUE_KEYS_MAX } from "../../shared/services/find-rows/due-rows.ts";
import { SORTED_ROWS_MAX } from "../../shared/services/find-rows/find-rows.ts";
import { PAGE_QUERIES_MAX, PAGE_ROWS_MAX, PAGE_ROWS_READ_MAX } from "../../shared/services/find-rows/row-search.ts";

/** Where the schema and its page are, beneath the checkout. */
export const SCHEMA_FILE = "docs/api/schema.graphql";
export const GRAPHQL_PAGE = "docs/api/graphql.md";

const number = (value: number): string => value.toLocaleString("en-US");

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

type Row = readonly [string, ...string[]];

const table = (head: Row, rows: readonly Row[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

const deprecated = (reason: string | null | undefined): string =>
  reason === null || reason === undefined ? "" : ` _Deprecated:_ ${reason}`;

const describedBy = ({
  description,
  deprecationReason,
}: Pick<GraphQLField<unknown, unknown> | GraphQLInputField, "description" | "deprecationReason">): string =>
  `${description ?? ""}${deprecated(deprecationReason)}`;

const objectOf = (schema: GraphQLSchema, name: string): GraphQLObjectType => {
  const type = schema.getType(name);
  if (type instanceof GraphQLObjectType) return type;
  throw new Error(`the schema has no object type ${name}`);
};

const fieldsTable = (fields: readonly (GraphQLField<unknown, unknown> | GraphQLInputField)[]): string =>
  table(
    ["field", "type", "what it is"],
    fields
      .toSorted((left, right) => (left.name < right.name ? -1 : 1))
      .map((field) => [`\`${field.name}\``, `\`${String(field.type)}\``, describedBy(field)]),
  );

const enumSection = (schema: GraphQLSchema, name: string): string => {
  const type = schema.getType(name);
  if (!(type instanceof GraphQLEnumType)) throw new Error(`the schema has no enum ${name}`);
  const values = type.getValues().map((value): Row => [`\`${value.name}\``, value.description ?? ""]);
  return `### ${name}\n\n${type.description ?? ""}\n\n${table(["value", "what it means"], values)}`;
};

const inputSection = (schema: GraphQLSchema, name: string): string => {
  const type = schema.getType(name);
  if (!(type instanceof GraphQLInputObjectType)) throw new Error(`the schema has no input ${name}`);
  return fieldsTable(Object.values(type.getFields()));
};

const mutationSection = (schema: GraphQLSchema, name: string): string => {
  const field = schema.getMutationType()?.getFields()[name];
  if (field === undefined) throw new Error(`the schema has no mutation ${name}`);
  const capital = name.charAt(0).toUpperCase() + name.slice(1);
  return `### ${name}

${describedBy(field)}

Input:

${inputSection(schema, `${capital}Input`)}

Answer:

${fieldsTable(Object.values(objectOf(schema, `${capital}Payload`).getFields()))}`;
};

const typesTable = (replicables: readonly Replicable[]): string =>
  table(
    ["list", "registry", "record", "GeoRegistryClass", ""],
    replicables.map((replicable) => {
      const { names, experiment } = replicable;
      const mark = experiment === undefined ? "" : `experiment since ${experiment.milestone}`;
      return [
        `\`${names.registriesField}\``,
        `\`${names.registryClass}\``,
        `\`${recordFieldOf(replicable)}\``,
        `\`${names.registryEnumKey}\``,
        mark,
      ];
    }),
  );

const page = (schema: GraphQLSchema, replicables: readonly Replicable[]): string => {
  const [first] = replicables;
  if (first === undefined) throw new Error("there is no type to describe");
  const node = Object.values(objectOf(schema, "GeoNode").getFields());
  const lists = new Set(replicables.map(({ names }) => names.registriesField));
  const list = node.find(({ name }) => name === first.names.registriesField);
  const registry = Object.values(objectOf(schema, first.names.registryClass).getFields());
  const connection = Object.values(objectOf(schema, `${first.names.registryClass}Connection`).getFields());
  return `# GraphQL

\`POST /api/graphql\` at the API of each site: its registries, in the words of GitLab Geo. Made from the declared types by
\`npm run docs:graphql\`; edits of it are lost. The schema itself is in [schema.graphql](schema.graphql).

\`\`\`sh
curl -X POST -H "PRIVATE-TOKEN: $TOKEN" -H "content-type: application/json" "$API_URL/api/graphql" -d '{
  "query": "{ geoNode { name lfsObjectRegistries(replicationState: FAILED, first: 20) { nodes { id lastSyncFailure retryAt } pageInfo { hasNextPage endCursor } count } } }"
}'
\`\`\`

A token of scope \`admin_geo\` sees and does everything. For any other, \`geoNode\` is null, mutations are refused in Geo's words
for what is not there, and the schema is not told: neither by introspection nor by names that are like a wrong one.

## Limits

| what | most |
| --- | --- |
| bytes of a request | ${number(BODY_BYTES_MAX)} |
| tokens of a query | ${number(LIMITS.tokens)} |
| brackets inside of each other | ${LIMITS.nesting} |
| depth | ${LIMITS.depth} |
| complexity: one for each field of each row, and ${SEARCH_COST} for each list | ${number(LIMITS.complexity)} |
| aliases | ${LIMITS.aliases} |
| fields of the query or mutation itself | ${LIMITS.rootFields} |
| all fields, each fragment counted wherever it is named | ${number(LIMITS.fields)} |
| values in the variables, and how deep they lie | ${LIMITS.variableValues}, ${LIMITS.variableDepth} |
| rows of a page, and ids of a list | ${PAGE_ROWS_MAX} |

What is beyond them is refused before anything of it is begun. A request that is no GraphQL request at all (another content
type, no JSON, a list of queries, too many bytes or variables) gets a status of 4xx and, as from the rest of the API,
\`{"message": "400 Bad request - …"}\`. All other errors stand in \`errors\` of an answer with status 200: with the code
\`ARGUMENT_ERROR\` they say what was expected and what came, \`LIMIT_EXCEEDED\` names the limit, \`RESOURCE_NOT_AVAILABLE\` is for
what is not there or not for this token, and after \`UNAVAILABLE\` the same query may succeed.

## geoNode

\`geoNode(name: String): GeoNode\` is the site that answers, or another one that it knows: the primary knows all, a secondary
itself.

${fieldsTable(node.filter(({ name }) => !lists.has(name)))}

## Lists of registries

A site has one list for each type. It is empty for another site than the one that answers, since its rows are in its own
region: ask its own API. It is empty at a primary, which has no registries, and while the type's replication flag is off.

${table(
  ["argument", "type", "what it does"],
  (list?.args ?? []).map((arg): Row => [
    `\`${arg.name}\``,
    `\`${String(arg.type)}\``,
    `${arg.description ?? ""}${deprecated(arg.deprecationReason)}`,
  ]),
)}

${fieldsTable(connection)}

**Pages.** Without \`first\` or \`last\` a page has up to ${PAGE_ROWS_MAX} rows. Rows stand in the order of their partitions in the table
and, in these, of their keys: ids have no other order that stays while rows are written. Whoever goes on from \`endCursor\` (or
back from \`startCursor\`) until \`hasNextPage\` (\`hasPreviousPage\`) is false sees each row once that is there all the time. A row that was made within the last seconds may be missing.

A cursor is signed. It goes on in the list that handed it out, for the same arguments and the same token, and is refused
elsewhere.

**What a page costs is bounded**, since nothing is ever found by reading a whole table. What is \`PENDING\`, \`STARTED\` or \`FAILED\`
is found by an index, as long as no more than ${number(DUE_KEYS_MAX)} objects of the type are not settled. Everything else is found by
reading the type's rows in order: at most ${number(PAGE_ROWS_READ_MAX)} of them, or ${number(PAGE_QUERIES_MAX)} queries, for one page. Where rows that fit are rare, a page
may so hold **fewer rows than were asked for, or none, and have \`hasNextPage: true\`**: go on from its \`endCursor\`.

**Order by time** is made in memory, for at most ${number(SORTED_ROWS_MAX)} rows that fit; for more, the query is refused and says what to
choose by instead. A row without a time comes last when times ascend.

**count** comes from counters, costs the same at any number of rows, and is a few seconds old. Above \`limit\` (at most
${number(COUNT_LIMIT)}) it is \`limit + 1\`.

**verificationState** and an order by \`verifiedAt\` are refused where nothing is verified.

## Registries

Every type's registry has these fields, and one for its record, see [types](#types).

${fieldsTable(registry.filter(({ name }) => name !== recordFieldOf(first)))}

An id looks like \`gid://geo/CoolWidgetRegistry/…\`. It says which row is meant and grants nothing.

## Types

${typesTable(replicables)}

An experiment is off by default and may still change; its field says so as GitLab's do.

## Mutations

Both begin something and answer at once: the registry is told as it is now. They are the same as a bulk update of the REST
API, which shows how far it has come (\`GET /api/v4/geo_sites/:id/bulk_updates\`).

${["geoRegistriesUpdate", "geoRegistriesBulkUpdate"].map((name) => mutationSection(schema, name)).join("\n\n")}

## Enums

${[
  "RegistryState",
  "ReplicationStateEnum",
  "VerificationStateEnum",
  "GeoRegistrySort",
  "GeoRegistryAction",
  "GeoRegistriesBulkAction",
]
  .map((name) => enumSection(schema, name))
  .join("\n\n")}
`;
};

/** What the declared types come to in GraphQL: the schema, and its page for people, each with its file. */
export const graphqlDocuments = (
  replicables: readonly Replicable[],
): readonly { readonly path: string; readonly text: string }[] => {
  const schema = graphqlSchema(replicables);
  return [
    { path: SCHEMA_FILE, text: printSchema(lexicographicSortSchema(schema)) },
    { path: GRAPHQL_PAGE, text: page(schema, replicables) },
  ];
};
