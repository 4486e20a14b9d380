import * as z from "zod/mini";
import { API_ROUTES, type ApiRoute } from "../../shared/client/api-routes.ts";
import { refusalsOf } from "../../shared/client/openapi.ts";

/** Where the page is, beneath the checkout. */
export const API_PAGE = "docs/api/README.md";

/** The older word for sites: the same routes once more. */
const OLDER_WORD = "/api/v4/geo_nodes";

/** The chapters of the page: what their routes' paths look like, the first that fits. */
const CHAPTERS: readonly (readonly [heading: string, path: RegExp, text: string])[] = [
  [
    "Status and metrics",
    /\/status$|\/metrics$|\/repair$|\/usage$|usage_data/,
    "[Every field of a status](status-fields.md), and [the schema of usage data](geo_node_usage.json).",
  ],
  [
    "Many objects at once",
    /\/bulk_updates|\/destroys/,
    "[Bulk updates](../runbook.md#bulk-update) and [batch destroys](../runbook.md#batch-destroy) go on in the background.",
  ],
  [
    "What holds things up",
    /\/removal_guards|\/dead_letters|\/queues|\/registry_consistency|\/objects$/,
    "[Operations](../operations.md) says when to use which.",
  ],
  ["Sites and their settings", /^\/api\/v4\/geo_sites/, "A site's number is its `id`."],
  ["Feature flags", /\/features/, "Flags are the primary's, for all sites. Any site tells them."],
  ["The primary's objects", /\/data_management/, "x"],
  ["Rows", /\/graphql$/, "[The GraphQL page](graphql.md) has its lists, fields and limits."],
];

const code = (text: string): string => `\`${text}\``;

/** The fields of a body; a body that is one of several forms has those of all. */
const Body = z.object({
  properties: z.optional(z.record(z.string(), z.unknown())),
  required: z.optional(z.array(z.string())),
  anyOf: z.optional(z.array(z.object({ properties: z.optional(z.record(z.string(), z.unknown())) }))),
});

const bodyText = (body: z.ZodMiniType): string => {
  const {
    properties = {},
    required = [],
    anyOf = [],
  } = Body.parse(z.toJSONSchema(body, { io: "input", unrepresentable: "any" }));
  const names = [...new Set([properties, ...anyOf.map((form) => form.properties ?? {})].flatMap(Object.keys))];
  if (names.length === 0) throw new Error("a body without a single field can not be described");
  return names.map((name) => (required.includes(name) ? `**${code(name)}**` : code(name))).join(", ");
};

const takenBy = ({ query = {}, body }: ApiRoute): string =>
  [
    ...Object.entries(query).map(([name, meaning]) => `${code(`?${name}`)}: ${meaning}`),
    ...(body === undefined ? [] : [`body: ${bodyText(body)}`]),
  ].join("<br>");

const rowOf = (route: ApiRoute): string => {
  const { method, path, summary, scope = "read_geo", at, answers } = route;
  const where = at === undefined ? "" : ` _At a ${at} only._`;
  return `| ${[
    code(`${method} ${path}`),
    `${summary}${where}`,
    code(scope),
    takenBy(route),
    Object.keys(answers).join(", "),
    refusalsOf(route)
      .toSorted((left, right) => left - right)
      .join(", "),
  ].join(" | ")} |`;
};

const chapterOf = (route: ApiRoute): string => {
  const found = CHAPTERS.find(([, path]) => path.test(route.path));
  if (found === undefined) throw new Error(`the page has no chapter for ${route.path}`);
  return found[0];
};

/** The reference of the API, in Markdown that has yet to be formatted. */
export const apiPage = (routes: readonly ApiRoute[] = API_ROUTES): string => {
  const shown = routes.filter(({ path }) => !path.startsWith(OLDER_WORD));
  const chapters = CHAPTERS.map(([heading, , text]) => {
    const rows = shown.filter((route) => chapterOf(route) === heading).map(rowOf);
    return `## ${heading}

${text}

| call | what it does | token | what it takes | answers | refuses with |
| --- | --- | --- | --- | --- | --- |
${rows.join("\n")}`;
  });
  return `# The API of a site

Every route, with what it takes and answers. Made from \`shared/client/api-routes.ts\` by \`npm run docs:api\`; edits of this page
are lost. The same with the schema of every body and answer is [openapi.json](openapi.json), for tools.

Paths are beneath the site's address, which is the output \`ApiUrl\` of its stack (stage included). A token stands in the header
\`PRIVATE-TOKEN\`, or in \`Authorization\` as a bearer; [how to make one](../deploy.md#6-tokens). \`read_geo\` reads, and \`admin_geo\`
reads and changes. Bodies are JSON; fields in bold have to be there. Names and shapes are those of GitLab's Geo API, where it has such a thing.

- **The older word:** every route under \`/api/v4/geo_sites\` is there under \`${OLDER_WORD}\` as well.
- **Pages:** \`page\` and \`per_page\`, with GitLab's headers.
- **Sending twice:** a call that changes something takes an \`Idempotency-Key\`. The same call with the same key within 24 hours
  is done once.
- **Refusals** are \`{"message": "…"}\` and say what was expected and what came. 401: no token. 403: a bad one, or not for this.
  409: something speaks against it here or now. 429: too many calls. 503: try again, it is safe to.

${chapters.join("\n\n")}
`;
};
