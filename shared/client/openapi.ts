import * as z from "zod/mini";
import { IDEMPOTENCY_KEY_LENGTH_MAX } from "../geo/idempotency.ts";
import { PRODUCT_VERSION } from "../geo/product-version.ts";
import type { ApiRoute } from "./api-routes.ts";
import { RefusalContract } from "./further-contracts.ts";

/** The API's description in OpenAPI 3.1, made of its routes (`npm run docs:api`). Nothing that runs imports it. */

type Json = Readonly<Record<string, unknown>>;

const schemaOf = (contract: z.ZodMiniType): Json => {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(contract, {
    target: "draft-2020-12",
    unrepresentable: "any",
  });
  return schema;
};

const JSON_TYPE = "application/json";

const PARAMETER = /:(\w+)/g;

/** Statuses that a call may be refused with, and when. Which of them a route knows, follows from what it is. */
const REFUSALS: Readonly<Record<number, string>> = {
  400: "What was sent can not be meant: the message names what was expected and what came.",
  401: "No token was sent.",
  403: "The token is unknown, expired, revoked, or not for this.",
  404: "There is no such thing.",
  406: "The answer has no form that the caller accepts.",
  409: "Something speaks against it, here or now: the message says what.",
  413: "The body is too large.",
  415: "The body is of a kind that is not taken.",
  422: "The Idempotency-Key was used for another call.",
  429: "Too many calls.",
  500: "A mistake of the API's own.",
  503: "A table or a workflow did not answer: try again.",
};

/** The statuses that a route may refuse a call with. */
export const refusalsOf = ({
  method,
  path,
  query,
  body,
  at,
  scope,
  furtherRefusals = [],
}: ApiRoute): readonly number[] => {
  const changes = method !== "GET";
  const reads = query !== undefined || body !== undefined || path.includes("/:");
  return [
    ...(changes || reads ? [400] : []),
    401,
    403,
    ...(path.includes("/:") ? [404] : []),
    ...(changes || at !== undefined || scope !== undefined ? [409] : []),
    ...(body === undefined ? [] : [413]),
    ...(changes ? [422] : []),
    429,
    500,
    503,
    ...furtherRefusals,
  ];
};

const refused = (route: ApiRoute): Json =>
  Object.fromEntries(refusalsOf(route).map((status) => [status, { $ref: `#/components/responses/Refused${status}` }]));

const refusals = (): Json =>
  Object.fromEntries(
    Object.entries(REFUSALS).map(([status, description]) => [
      `Refused${status}`,
      { description, content: { [JSON_TYPE]: { schema: { $ref: "#/components/schemas/Refusal" } } } },
    ]),
  );

const parametersOf = ({ method, path, query = {} }: ApiRoute): readonly Json[] => [
  ...[...path.matchAll(PARAMETER)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  })),
  ...Object.entries(query).map(([name, description]) =>
    name.endsWith("[]")
      ? { name, in: "query", description, schema: { type: "array", items: { type: "string" } } }
      : { name, in: "query", description, schema: { type: "string" } },
  ),
  ...(method === "GET" ? [] : [{ $ref: "#/components/parameters/IdempotencyKey" }]),
];

/** By what name each schema stands among the components: the first operation's that has it. */
const namesOf = (routes: readonly ApiRoute[]): ReadonlyMap<z.ZodMiniType, string> => {
  const names = new Map<z.ZodMiniType, string>([[RefusalContract, "Refusal"]]);
  const name = (contract: z.ZodMiniType | null | undefined, text: string): void => {
    if (contract !== null && contract !== undefined && !names.has(contract)) names.set(contract, text);
  };
  for (const { operation, body, answers } of routes) {
    const pascal = operation.charAt(0).toUpperCase() + operation.slice(1);
    name(body, `${pascal}Body`);
    for (const contract of Object.values(answers)) name(contract, `${pascal}Answer`);
  }
  return names;
};

const operationOf = (route: ApiRoute, names: ReadonlyMap<z.ZodMiniType, string>): Json => {
  const reference = (contract: z.ZodMiniType): Json => ({ $ref: `#/components/schemas/${names.get(contract) ?? ""}` });
  const { operation, summary, at, scope = "read_geo", body, answers, media = JSON_TYPE } = route;
  const parameters = parametersOf(route);
  const went = Object.entries(answers).map(([status, contract]) => [
    status,
    contract === null
      ? { description: "It is done." }
      : { description: summary, content: { [media]: { schema: reference(contract) } } },
  ]);
  return {
    operationId: operation,
    summary,
    description: `${at === undefined ? "" : `At a ${at} only. `}Takes a token of scope ${scope}.`,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: { [JSON_TYPE]: { schema: reference(body) } } } }),
    // What went well comes first, whatever its number.
    responses: { ...Object.fromEntries(went), ...refused(route) },
  };
};

/** The whole description: plain data, the same for the same routes. */
export const openApi = (routes: readonly ApiRoute[]): Json => {
  const names = namesOf(routes);
  const paths = Map.groupBy(routes, ({ path }) => path.replaceAll(PARAMETER, "{$1}"));
  return {
    openapi: "3.1.0",
    info: {
      title: "s3-geo",
      version: PRODUCT_VERSION,
      description: "The API of one site. Paths are beneath its stage.",
      license: { name: "Apache 2.0", identifier: "Apache-2.0" },
    },
    security: [{ privateToken: [] }, { bearer: [] }],
    paths: Object.fromEntries(
      [...paths].map(([path, group]) => [
        path,
        Object.fromEntries(group.map((route) => [route.method.toLowerCase(), operationOf(route, names)])),
      ]),
    ),
    components: {
      securitySchemes: {
        privateToken: { type: "apiKey", in: "header", name: "PRIVATE-TOKEN" },
        bearer: { type: "http", scheme: "bearer" },
      },
      parameters: {
        IdempotencyKey: {
          name: "Idempotency-Key",
          in: "header",
          description:
            "The same call with the same key within 24 hours is done once, and answered with the first answer.",
          schema: { type: "string", minLength: 1, maxLength: IDEMPOTENCY_KEY_LENGTH_MAX },
        },
      },
      responses: refusals(),
      schemas: Object.fromEntries([...names].map(([contract, name]) => [name, schemaOf(contract)])),
    },
  };
};
