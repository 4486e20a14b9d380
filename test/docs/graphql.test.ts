import { buildSchema, findSchemaChanges, parse, validate } from "graphql";
import { describe, expect, test } from "vitest";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { graphqlSchema } from "../../functions/status-api/graphql/schema.ts";
import { GRAPHQL_PAGE, graphqlDocuments, SCHEMA_FILE } from "../../infra/local/graphql-page.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { ROOT, textOf } from "./support/repository.ts";

describe("the documents of GraphQL", () => {
  test.each(graphqlDocuments(replicables))(
    "are what the types come to: $path (npm run docs:graphql writes it)",
    async ({ path, text }) => {
      expect(textOf(path)).toBe(await formatted(ROOT, path, text));
    },
  );

  test("hold the schema that is served, which a client may be generated from", () => {
    const published = buildSchema(textOf(SCHEMA_FILE));
    const changes = findSchemaChanges(published, graphqlSchema(replicables));
    // A scalar that nothing uses is served and not printed.
    expect(changes.map(({ description }) => description)).toEqual(["Float was added."]);
  });

  test("would show a field that is gone as a break", () => {
    const published = buildSchema(textOf(SCHEMA_FILE));
    const without = graphqlSchema(replicables.filter(({ name }) => name !== "lfs_object"));
    const breaks = findSchemaChanges(published, without).map(({ type }) => type);
    expect(breaks).toContain("FIELD_REMOVED");
  });

  test("show queries that the schema answers", () => {
    const queries = [...textOf(GRAPHQL_PAGE).matchAll(/"query": "([^"]+)"/g)].map(([, query = ""]) => query);
    expect(queries.length).toBeGreaterThan(0);
    for (const query of queries) expect(validate(graphqlSchema(replicables), parse(query))).toEqual([]);
  });
});
