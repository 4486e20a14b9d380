import { describe, expect, test } from "vitest";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import { globalId } from "../../shared/geo/global-id.ts";
import { type GraphQLSite, graphqlSite, lfsKey, lfsRows, listLfsObjects } from "./support/graphql.ts";

const errorOf = async (site: GraphQLSite, query: string, headers: Readonly<Record<string, string>> = {}) =>
  (await site.ask(query, {}, headers)).errors?.[0]?.message;

const reader = async (site: GraphQLSite) => ({ "PRIVATE-TOKEN": await site.tokenOf("reader", "read_geo") });

describe("whoever is no administrator", () => {
  test("gets null of every site (F71)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1));
    const query = "{ geoNode { name lfsObjectRegistries { nodes { id } count } } }";
    expect(await site.ask(query, {}, await reader(site))).toEqual({ data: { geoNode: null } });
    const named = '{ geoNode(name: "frankfurt") { name } }';
    expect(await site.ask(named, {}, await reader(site))).toEqual({ data: { geoNode: null } });
  });

  test("is told neither the schema nor names that are like a wrong one", async () => {
    const site = graphqlSite();
    for (const query of ["{ __schema { types { name } } }", '{ __type(name: "GeoNode") { name } }']) {
      expect(await errorOf(site, query, await reader(site))).toMatch(/introspection has been disabled/);
      expect(await errorOf(site, query)).toBeUndefined();
    }
    const wrong = "{ geoNode { naem } }";
    expect(await errorOf(site, wrong, await reader(site))).toBe('Cannot query field "naem" on type "GeoNode".');
    expect(await errorOf(site, wrong)).toMatch(/Did you mean "name"/);
    const variable =
      "query ($state: ReplicationStateEnum) { geoNode { lfsObjectRegistries(replicationState: $state) { count } } }";
    const answer = await site.ask(variable, { state: "SYNCD" }, await reader(site));
    expect(JSON.stringify(answer)).not.toMatch(/Did you mean/);
  });

  test("does not come so far without a token, or with a wrong one", async () => {
    const site = graphqlSite();
    const body = JSON.stringify({ query: "{ geoNode { name } }" });
    expect((await site.call("/api/graphql", { method: "POST", body })).status).toBe(401);
    expect((await site.send(body, { "PRIVATE-TOKEN": "geo_no" })).status).toBe(403);
  });
});

describe("a query", () => {
  test.each([
    [
      "VERIFIED as a word of the query",
      "{ geoNode { lfsObjectRegistries(verificationState: VERIFIED) { count } } }",
      {},
    ],
    [
      "VERIFIED in a variable",
      "query ($s: VerificationStateEnum) { geoNode { lfsObjectRegistries(verificationState: $s) { count } } }",
      { s: "VERIFIED" },
    ],
  ])("that asks for %s learns that SUCCEEDED is meant (F74)", async (_what, query, variables) => {
    const { errors } = await graphqlSite().ask(query, variables);
    expect(errors?.[0]?.message).toMatch(/VERIFIED.*What is verified is SUCCEEDED\.$/);
  });

  test.each([
    ["tokens", `{ geoNode { ${"name ".repeat(3_000)} } }`, /more that 3000 tokens|more than 3000 tokens/],
    [
      "aliases",
      `{ geoNode { ${Array.from({ length: 21 }, (_, i) => `a${i}: name`).join(" ")} } }`,
      /aliases: expected at most 20, got 21/,
    ],
    [
      "root fields",
      `{ ${Array.from({ length: 6 }, (_, i) => `a${i}: geoNode { name }`).join(" ")} }`,
      /root fields: expected at most 5, got 6/,
    ],
    [
      "root fields in fragments",
      `{ ...a ... on Query { e: geoNode { name } f: geoNode { name } } } fragment a on Query { a: geoNode { name } b: geoNode { name } c: geoNode { name } d: geoNode { name } }`,
      /root fields: expected at most 5, got 6/,
    ],
    [
      "complexity",
      `{ geoNode { ${["a", "b", "c", "d"].map((name) => `${name}: lfsObjectRegistries { nodes { id state retryCount retryAt lastSyncFailure lastSyncedAt createdAt verificationState verificationChecksum verificationFailure verifiedAt verificationRetryAt verificationRetryCount verificationStartedAt checksumMismatch missingOnPrimary modelRecordId lfsObjectId } edges { node { id state retryCount retryAt lastSyncFailure lastSyncedAt createdAt } } }`).join(" ")} } }`,
      /complexity: expected at most 10000, got \d+; ask for fewer rows/,
    ],
    ["brackets in brackets", `{ geoNode(name: ${"[".repeat(2_980)}`, /nesting: expected at most 50, got 2982/],
    ["cycles", "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }", /Cannot spread fragment/],
    ["no query", "nonsense", /Syntax Error/],
    ["another operation", "subscription { geoNode { name } }", /subscription/i],
  ])("beyond the limits is refused before it is begun: %s", async (_what, query, expected) => {
    const site = graphqlSite();
    let reads = 0;
    site.rowTable.interference = { before: () => void (reads += 1) };
    const { data, errors } = await site.ask(query);
    expect(data).toBeUndefined();
    expect(errors?.[0]?.message).toMatch(expected);
    expect(reads).toBe(0);
  });

  test("may ask for every type at once, with all fields and five rows each", async () => {
    const site = graphqlSite();
    const { data } = await site.ask('{ __type(name: "GeoNode") { fields(includeDeprecated: true) { name } } }');
    // What the query above asks for.
    const fields = (data as { __type: { fields: { name: string }[] } }).__type.fields.map(({ name }) => name);
    const lists = fields.filter((name) => name.endsWith("Registries"));
    expect(lists.length).toBeGreaterThan(30);
    const row = "id state retryCount retryAt lastSyncFailure lastSyncedAt createdAt verificationState verifiedAt";
    const asked = lists.map((name) => `${name}(first: 5) { nodes { ${row} modelRecordId } count }`);
    expect((await site.ask(`{ geoNode { ${asked.join(" ")} } }`)).errors).toBeUndefined();
  });

  test("that is deeper than anything there is can not be written: the schema has no cycles", async () => {
    const site = graphqlSite();
    const deep = `${"{ geoNode ".repeat(9)}${"}".repeat(9)}`;
    expect(await errorOf(site, deep)).toMatch(/Cannot query field "geoNode"|must have a selection/);
  });

  test.each([
    ["of the query", "query { ...F0 }", "Query", "geoNode { name }"],
    ["of a site", "query { geoNode { ...F0 } }", "GeoNode", "name"],
  ])("is refused at once when its fragments grow by powers: %s", async (_of, query, on, last) => {
    const site = graphqlSite();
    const levels = 200;
    const fragments = Array.from(
      { length: levels },
      (_, level) =>
        `fragment F${level} on ${on} { ${level + 1 < levels ? `...F${level + 1} ...F${level + 1}` : last} }`,
    );
    const bomb = [query, ...fragments].join(" ");
    expect(await errorOf(site, bomb)).toMatch(/^(root fields|fields, those of fragments included): expected at most/);
    expect(await errorOf(site, bomb, await reader(site))).toMatch(/expected at most/);
  });

  test("gets no more back of what was sent than a thousand characters, and that at once", async () => {
    const names = `"VERIFIED" ${"VerificationStateEnum ".repeat(500)}`;
    const told = await errorOf(graphqlSite(), `{ geoNode(name: [${JSON.stringify(names)}]) { name } }`);
    expect(told?.length).toBeLessThan(1_100);
  });

  test("for many types reads the counters once, and searches for a few at a time", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1)); // in one partition: a query for each search
    let counted = 0;
    let [searching, most] = [0, 0];
    site.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "query" && operation.request.values[":pk"] === "counter") counted += 1;
      },
    };
    const { rowTable } = site;
    const query = rowTable.query.bind(rowTable);
    rowTable.query = async (request) => {
      searching += 1;
      most = Math.max(most, searching);
      const page = await query(request);
      await new Promise(setImmediate);
      searching -= 1;
      return page;
    };
    const lists = Array.from(
      { length: 16 },
      (_, n) => `a${n}: lfsObjectRegistries(first: 1) { count nodes { id } }`,
    ).join(" ");
    const { errors } = await site.ask(`{ geoNode { ${lists} } }`);
    expect(errors).toBeUndefined();
    expect(counted).toBe(1);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  test("of several operations is the one that is named", async () => {
    const site = graphqlSite();
    const query = "query a { geoNode { name } } query b { geoNode { primary } }";
    const send = async (operationName: string) => {
      const response = await site.send(JSON.stringify({ query, operationName }));
      return response.json();
    };
    expect(await send("b")).toEqual({ data: { geoNode: { primary: false } } });
    expect(await send("c")).toMatchObject({ errors: [{ message: expect.stringContaining('"c"') }] });
  });

  test("learns whether to try again when a table does not answer, and no more of it", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1));
    site.rowTable.interference = {
      before: () => {
        throw new TableUnavailableError("arn:aws:dynamodb:secret-table timed out");
      },
    };
    const query = "{ geoNode { name lfsObjectRegistries { nodes { id } } } }";
    const answer = await site.ask(query);
    expect(answer.data).toEqual({ geoNode: { name: "frankfurt", lfsObjectRegistries: { nodes: null } } });
    expect(answer.errors).toMatchObject([{ message: "A table did not answer; try again." }]);
    expect(JSON.stringify(answer)).not.toContain("secret-table");
    site.rowTable.interference = {
      before: () => {
        throw new Error("secret of the inside");
      },
    };
    expect((await site.ask(query)).errors).toMatchObject([{ message: "Internal server error" }]);
    expect(JSON.stringify(site.telemetry.lines)).toContain("secret of the inside");
  });
});

describe("a request that is no GraphQL request", () => {
  const QUERY = JSON.stringify({ query: "{ geoNode { name } }" });

  test.each([
    ["a list of requests", ` [${QUERY}]`, 400, /body: expected one query, got a list/],
    ["no JSON", "{", 400, /Unparsable JSON body/],
    ["nothing", "", 400, /Unparsable JSON body/],
    ["no query", "{}", 400, /Missing query/],
    [
      "variables that are none",
      JSON.stringify({ query: "{ geoNode { name } }", variables: "x" }),
      400,
      /Invalid variables/,
    ],
    [
      "a bomb of many variables",
      JSON.stringify({ query: "{ geoNode { name } }", variables: { list: Array.from({ length: 600 }, () => 1) } }),
      400,
      /variables: expected at most 500 values/,
    ],
    [
      "a bomb of deep variables",
      `{"query": "{ geoNode { name } }", "variables": {"a": ${"[".repeat(20_000)}${"]".repeat(20_000)}}}`,
      400,
      /variables: expected values at most 5 deep/,
    ],
    [
      "more than 64 KB",
      JSON.stringify({ query: "{ geoNode { name } }", variables: { a: "x".repeat(70_000) } }),
      413,
      /65536 bytes/,
    ],
  ])("gets the status and the words that GitLab would use: %s", async (_what, body, status, expected) => {
    const response = await graphqlSite().send(body);
    expect(response.status).toBe(status);
    const { message } = (await response.json()) as { message: string };
    expect(message).toMatch(expected);
    expect(message).toMatch(new RegExp(`^${status} `));
  });

  test.each([
    [
      "content-type",
      "text/plain",
      415,
      /^415 Unsupported Media Type - content-type: expected application\/json.*"text\/plain"/,
    ],
    ["content-type", "application/json; charset=utf-16", 415, /^415/],
    ["accept", "text/html", 406, /^406 Not Acceptable - accept: expected application\/json/],
  ])("gets a status for its headers: %s %s", async (name, value, status, expected) => {
    const response = await graphqlSite().send(QUERY, { [name]: value });
    expect(response.status).toBe(status);
    expect(((await response.json()) as { message: string }).message).toMatch(expected);
  });

  test.each(["GET", "PUT", "DELETE"])("is a 405 by %s: queries are sent", async (method) => {
    const site = graphqlSite();
    const headers = { "PRIVATE-TOKEN": await site.tokenOf("alice", "admin_geo") };
    const response = await site.call("/api/graphql?query=%7BgeoNode%7Bname%7D%7D", { method, headers });
    expect(response.status).toBe(405);
    expect(response.headers.get("allow")).toBe("POST");
  });

  test("may be answered in GraphQL's own media type", async () => {
    const response = await graphqlSite().send(QUERY, { accept: "application/graphql-response+json" });
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/graphql-response\+json/);
    const wrong = JSON.stringify({ query: "{ nothing }" });
    const refused = await graphqlSite().send(wrong, { accept: "application/graphql-response+json" });
    expect(refused.status).toBe(400);
    expect(refused.headers.get("content-type")).toMatch(/graphql-response\+json/);
    expect(await refused.json()).toMatchObject({
      errors: [{ message: 'Cannot query field "nothing" on type "Query".', locations: [{ line: 1, column: 3 }] }],
    });
    const six = Array.from({ length: 6 }, (_, n) => `a${n}: geoNode { name }`).join(" ");
    const beyond = await graphqlSite().send(JSON.stringify({ query: `{ ${six} }` }), {
      accept: "application/graphql-response+json",
    });
    expect(await beyond.json()).toMatchObject({ errors: [{ extensions: { code: "LIMIT_EXCEEDED" } }] });
  });
});

const b64 = (text: string): string => Buffer.from(text).toString("base64url");

describe("an id", () => {
  test.each([
    [
      "of another class",
      globalId({ registryClass: "JobArtifactRegistry", key: "p_ci_job_artifacts/7/43/log" }),
      /expected ids of LfsObjectRegistry, got one of "JobArtifactRegistry"/,
    ],
    ["of another application", "gid://gitlab/LfsObjectRegistry/1", /expected a registry's id such as gid:\/\/geo/],
    ["that is a number", "17", /expected a registry's id/],
    ["with nothing behind it", "gid://geo/LfsObjectRegistry/", /expected a registry's id/],
    ["in another spelling", `gid://geo/LfsObjectRegistry/${b64("a")}==`, /expected a registry's id/],
    [
      "of bytes that are no text",
      `gid://geo/LfsObjectRegistry/${Buffer.from([0xff, 0xfe]).toString("base64url")}`,
      /no id that this API has handed out/,
    ],
    [
      "of a key that is too long",
      `gid://geo/LfsObjectRegistry/${b64("k".repeat(1_024))}AAAA`,
      /expected a registry's id/,
    ],
    ["with control characters", "gid://geo/LfsObjectRegistry/\\u0000", /expected a registry's id/],
    ["with a # of the table's own keys", `gid://geo/LfsObjectRegistry#000/${b64("a")}`, /expected a registry's id/],
  ])("%s is refused in words, and is never another type's row", async (_what, id, expected) => {
    const site = graphqlSite();
    await site.put({ replicableName: "job_artifact", key: "p_ci_job_artifacts/7/43/log" });
    expect((await listLfsObjects(site, `ids: ["${id}"]`)).error).toMatch(expected);
  });

  test("made up of another type's key finds nothing", async () => {
    const site = graphqlSite();
    const key = "p_ci_job_artifacts/7/43/log";
    await site.put({ replicableName: "job_artifact", key });
    const forged = globalId({ registryClass: "LfsObjectRegistry", key });
    expect(await listLfsObjects(site, `ids: ["${forged}"]`)).toMatchObject({ keys: [], error: undefined });
  });

  test("is one of a hundred at most", async () => {
    const site = graphqlSite();
    const ids = Array.from({ length: 101 }, (_, index) =>
      globalId({ registryClass: "LfsObjectRegistry", key: lfsKey(index) }),
    );
    expect((await listLfsObjects(site, `ids: ${JSON.stringify(ids)}`)).error).toMatch(/expected at most 100, got 101/);
  });

  test.each(["ab", "lfs_objects/", "LFS", "%", "lfs_objects/2/ab/cd/ef2\\u0000"])(
    "or a whole key is what a keyword has to be: %j is refused in words (F72)",
    async (keyword) => {
      const { error } = await listLfsObjects(graphqlSite(), `keyword: "p_${keyword}"`);
      expect(error).toMatch(/keyword: expected the whole S3 key of one of LFS Objects, or its modelRecordId/);
    },
  );
});
