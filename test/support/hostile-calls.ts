/** Calls of the API as somebody makes them who means it no good, for fast-check. */
import * as fc from "fast-check";
import { API_ROUTES } from "../../shared/client/api-routes.ts";

/** A call, as far as it can be sent at all. */
export interface HostileCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string | undefined;
}

/** Words that are something in a language, a table, a URL or a log. */
const TRICKS = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "null",
  "undefined",
  "NaN",
  "-1",
  "0",
  "1e309",
  "9007199254740993",
  "..",
  "../../etc/passwd",
  "%2e%2e%2f",
  "%00",
  "%",
  "#",
  "*",
  "' OR 1=1 --",
  '"; DROP TABLE x; --',
  "<script>alert(1)</script>",
  "${7*7}",
  "{{7*7}}",
  "\u202e\u0000\ufeff\ud83d\ude00",
  "\ud800",
  "x".repeat(5_000),
  "lfs_object",
  "lfs_objects",
  "checksum",
  "status",
  "attribute_exists(pk)",
  ":pk",
  "#0",
] as const;

const text = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TRICKS) },
  { weight: 2, arbitrary: fc.string({ unit: "binary", maxLength: 60 }) },
  { weight: 1, arbitrary: fc.string({ maxLength: 200 }) },
  { weight: 1, arbitrary: fc.base64String({ maxLength: 120 }) },
);

/** Something of the form of an identifier, a cursor or a global id that nobody handed out. */
const forged = fc.oneof(
  text.map((word) => Buffer.from(word).toString("base64url")),
  fc
    .tuple(text, text)
    .map(([left, right]) => `${Buffer.from(left).toString("base64url")}.${Buffer.from(right).toString("base64url")}`),
  fc
    .tuple(fc.integer(), text, fc.constantFrom("", "A".repeat(43)))
    .map(
      ([partition, key, signature]) =>
        `${Buffer.from(JSON.stringify([partition, key, null])).toString("base64url")}.${signature}`,
    ),
  text.map((word) => `gid://geo/LfsObjectRegistry/${Buffer.from(word).toString("base64url")}`),
  text.map((word) => `gid://geo/${word}/1`),
);

const nested = (depth: number): unknown => {
  let value: unknown = 1;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

/** Names that bodies may have, so that more than the first check is come by. */
const FIELDS = [
  "action",
  "replicable_name",
  "keys",
  "replication_state",
  "verification_state",
  "failure",
  "force",
  "value",
  "removals",
  "minutes",
  "messages",
  "parked",
  "name",
  "url",
  "internal_url",
  "enabled",
  "selective_sync_type",
  "selective_sync_namespace_ids",
  "files_max_capacity",
  "sync_object_storage",
  "prefix",
  "namespace_id",
  "project_id",
  "object_count",
  "identifiers",
  "checksum_state",
  "query",
  "variables",
  "__proto__",
  "constructor",
] as const;

const value = fc.oneof(
  text,
  forged,
  fc.double(),
  fc.integer(),
  fc.constantFrom(null, true, false, [], {}, "resync", "reverify", "checksum", "retry_now", "failed", "succeeded"),
  fc.jsonValue({ maxDepth: 4 }),
  fc.array(text, { maxLength: 5 }),
);

const json = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .array(fc.tuple(fc.constantFrom(...FIELDS), value), { maxLength: 6 })
      // As text, since an object literal would take `__proto__` for something else.
      .map(
        (entries) => `{${entries.map(([name, sent]) => `${JSON.stringify(name)}:${JSON.stringify(sent)}`).join(",")}}`,
      ),
  },
  { weight: 2, arbitrary: fc.jsonValue().map((sent) => JSON.stringify(sent)) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_000 }).map((depth) => JSON.stringify(nested(depth))) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 20_000 })
      .map((width) => JSON.stringify(Array.from({ length: width }, () => 0))),
  },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3_000 }).map((depth) => "[".repeat(depth)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom("", "{", "null", '{"a":', "\ufeff{}", "{'a':1}", "NaN", "x".repeat(1_100_000)),
  },
  { weight: 2, arbitrary: text },
);

/** Pieces that fit each other often enough to be valid, and are asked for too often, too deep or of nobody. */
const argument = fc.oneof(
  fc.constantFrom(
    "first: 1",
    "first: 100",
    "first: 2147483648",
    "first: -1",
    "last: 5",
    "first: 1, last: 1",
    "replicationState: FAILED",
    "replicationState: NOPE",
    "verificationState: SUCCEEDED",
    "sort: VERIFIED_AT_DESC",
    "sort: ID_DESC",
    'keyword: "lfs"',
    "ids: []",
  ),
  forged.map((cursor) => `after: ${JSON.stringify(cursor)}`),
  forged.map((cursor) => `before: ${JSON.stringify(cursor)}`),
  fc.array(forged, { maxLength: 4 }).map((ids) => `ids: ${JSON.stringify(ids)}`),
);
const leaf = fc.constantFrom(
  "id",
  "state",
  "verificationState",
  "__typename",
  "lfsObjectId",
  "modelRecordId",
  "nope",
  "retryAt",
);
const fields = fc.array(leaf, { minLength: 1, maxLength: 8 }).map((names) => names.join(" "));
const registries = fc.tuple(fc.array(argument, { maxLength: 3 }), fields).map(([args, inside]) => {
  const given = args.length === 0 ? "" : `(${args.join(", ")})`;
  return `lfsObjectRegistries${given} { nodes { ${inside} } edges { cursor node { ${inside} } } pageInfo { endCursor hasNextPage } count }`;
});

const query = fc.oneof(
  { weight: 4, arbitrary: registries.map((list) => `{ geoNode { name ${list} } }`) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(registries, fc.integer({ min: 1, max: 300 }))
      .map(([list, width]) => `{ geoNode { ${Array.from({ length: width }, (_, n) => `a${n}: ${list}`).join(" ")} } }`),
  },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 1, max: 2_000 })
      .map((depth) => `${"{ geoNode ".repeat(depth)}{ name }${" }".repeat(depth)}`),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "{ __schema { types { name fields { name type { name ofType { name ofType { name } } } } } } }",
      '{ __type(name: "GeoNode") { fields { name } } }',
      "query A { ...B } fragment B on Query { ...C } fragment C on Query { ...B }",
      "query A { geoNode { name } } query A { geoNode { name } }",
      "query ($a: [[[Int!]!]!]) { geoNode { name } }",
      "subscription { x }",
      '{ geoNode(name: "nobody") { lfsObjectRegistries { nodes { id } } } }',
      'mutation { geoRegistriesUpdate(input: { registryId: "gid://geo/LfsObjectRegistry/YQ", action: RESYNC }) { errors } }',
      "mutation { geoRegistriesBulkUpdate(input: { registryClass: LFS_OBJECT_REGISTRY, action: REVERIFY_ALL }) { errors } }",
      `{ geoNode { ${"name ".repeat(10_000)} } }`,
      `{ ${"@skip(if: true) ".repeat(100)} geoNode { name } }`,
      `# ${"x".repeat(70_000)}`,
      "{",
    ),
  },
  { weight: 1, arbitrary: text },
);
const graphqlBody = fc.oneof(
  { weight: 6, arbitrary: query.map((sent) => JSON.stringify({ query: sent })) },
  {
    weight: 1,
    arbitrary: fc.tuple(query, value).map(([sent, variables]) => JSON.stringify({ query: sent, variables })),
  },
  {
    weight: 1,
    arbitrary: fc.array(query, { maxLength: 20 }).map((many) => JSON.stringify(many.map((sent) => ({ query: sent })))),
  },
  { weight: 1, arbitrary: json },
);

const headers = fc.array(
  fc.oneof(
    fc.tuple(fc.constant("idempotency-key"), fc.oneof(fc.constantFrom("a", "b"), text)),
    fc.tuple(
      fc.constant("content-type"),
      fc.constantFrom(
        "application/json",
        "text/plain",
        "application/graphql",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-7",
        ",",
      ),
    ),
    fc.tuple(
      fc.constant("accept"),
      fc.constantFrom("*/*", "text/html", "application/json;q=0", ",,,", "application/graphql-response+json"),
    ),
    fc.tuple(
      fc.constantFrom(
        "x-forwarded-host",
        "host",
        "origin",
        "x-http-method-override",
        "range",
        "if-none-match",
        "cookie",
        "content-length",
        "transfer-encoding",
        "x-amzn-oidc-identity",
      ),
      text,
    ),
    fc.tuple(text, text),
  ),
  { maxLength: 4 },
);

const parameters = fc.array(
  fc.tuple(
    fc.constantFrom(
      "page",
      "per_page",
      "cursor",
      "sort",
      "checksum_state",
      "identifiers[]",
      "order_by",
      "pagination",
      "refresh",
      "__proto__",
      "x",
    ),
    fc.oneof(text, forged, fc.constantFrom("1", "2", "100", "asc", "desc", "failed", "keyset", "true")),
  ),
  { maxLength: 4 },
);

const queryString = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.length === 0
    ? ""
    : `?${pairs.map(([name, sent]) => `${encodeURIComponent(name)}=${encodeURIComponent(sent.toWellFormed())}`).join("&")}`;

const METHODS = ["GET", "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"] as const;

/** A route with its parts filled in: with the site's own number now and then, and with a type that there is. */
const routed = (siteNumber: number): fc.Arbitrary<Pick<HostileCall, "method" | "path" | "body">> =>
  fc
    .tuple(
      fc.constantFrom(...API_ROUTES),
      fc.array(
        fc.oneof(
          text,
          forged,
          fc.constantFrom("lfs_object", "lfs_objects", "geo-events", "geo_lfs_object_replication"),
        ),
        {
          minLength: 3,
          maxLength: 3,
        },
      ),
      fc.boolean(),
      parameters,
      json,
    )
    .map(([route, parts, isOurs, pairs, body]) => {
      let part = 0;
      const path = route.path.replaceAll(/:\w+/g, (name) => {
        if (name === ":id" && isOurs) return String(siteNumber);
        part += 1;
        return encodeURIComponent((parts[part - 1] ?? "").toWellFormed());
      });
      return {
        method: route.method,
        path: `${path}${queryString(pairs)}`,
        body: route.method === "GET" ? undefined : body,
      };
    });

/** @param siteNumber of the site that is called */
export const hostileCalls = (siteNumber: number): fc.Arbitrary<HostileCall> =>
  fc
    .tuple(
      fc.oneof(
        { weight: 5, arbitrary: routed(siteNumber) },
        {
          weight: 4,
          arbitrary: graphqlBody.map((body) => ({ method: "POST", path: "/api/graphql", body })),
        },
        {
          weight: 1,
          arbitrary: fc
            .tuple(fc.constantFrom(...METHODS), fc.constantFrom(...API_ROUTES), fc.webPath(), fc.boolean(), json)
            .map(([method, { path }, strange, isRoute, body]) => ({
              method,
              path: isRoute ? path : strange,
              body: method === "GET" || method === "HEAD" ? undefined : body,
            })),
        },
      ),
      headers,
    )
    .map(([call, more]) => ({ ...call, headers: more }));
