import type { APIGatewayProxyEvent } from "aws-lambda";
import { expect, test } from "vitest";
import { type CallContext, httpHandler } from "../../../shared/lambda/http-handler.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTelemetry } from "../../../shared/memory/telemetry.ts";

/** As much of API Gateway's event as the handler looks at. */
const anEvent = (more: Partial<APIGatewayProxyEvent> = {}): APIGatewayProxyEvent =>
  ({
    httpMethod: "GET",
    path: "/api/v4/x",
    headers: { Host: "api.example.com", "X-Forwarded-Proto": "https" },
    multiValueHeaders: null,
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    body: null,
    isBase64Encoded: false,
    requestContext: { path: "/geo/api/v4/x", requestId: "r1", authorizer: { token_name: "dashboards" } },
    ...more,
  }) as unknown as APIGatewayProxyEvent;

const serving = (fetch: (request: Request, context: CallContext) => Response | Promise<Response>) => {
  const telemetry = new MemoryTelemetry();
  return { telemetry, handle: httpHandler({ fetch }, { clock: new ManualClock(), telemetry }) };
};

/** An app that tells what it was asked. */
const echo = async (request: Request, context: CallContext): Promise<Response> => {
  const { pathname, search } = new URL(request.url);
  const headers = Object.fromEntries(request.headers);
  return Response.json({ method: request.method, pathname, search, headers, body: await request.text(), ...context });
};

test("a proxy event becomes a request, and the response its result", async () => {
  const { handle } = serving(echo);
  const result = await handle(
    anEvent({
      httpMethod: "POST",
      multiValueHeaders: { Accept: ["a", "b"] },
      multiValueQueryStringParameters: { ids: ["1", "2"], text: ["a&b=c"] },
      body: Buffer.from("hällo").toString("base64"),
      isBase64Encoded: true,
    }),
  );
  expect(result).toMatchObject({ statusCode: 200, headers: { "content-type": "application/json" } });
  expect(JSON.parse(result.body)).toMatchObject({
    method: "POST",
    pathname: "/api/v4/x",
    search: "?ids=1&ids=2&text=a%26b%3Dc",
    headers: { accept: "a, b", host: "api.example.com" },
    body: "hällo",
    apiUrl: "https://api.example.com/geo",
    tokenName: "dashboards",
  });
});

test("single values are taken where a gateway gives no lists", async () => {
  const { handle } = serving(echo);
  const result = await handle(anEvent({ queryStringParameters: { page: "2" } }));
  expect(JSON.parse(result.body)).toMatchObject({ search: "?page=2" });
});

test.each([
  ["read_geo", "read_geo"],
  ["admin_geo", "admin_geo"],
  ["root", undefined],
  [undefined, undefined],
])("the scope that the authorizer tells (%s) reaches the app as %s", async (told, tokenScope) => {
  let heard: CallContext | undefined;
  const { handle } = serving((_, context) => {
    heard = context;
    return new Response();
  });
  const event = anEvent({});
  event.requestContext.authorizer = { token_name: "dashboards", token_id: "0123456789ab", token_scope: told };
  await handle(event);
  expect(heard?.tokenId).toBe("0123456789ab");
  expect(heard?.tokenScope).toBe(tokenScope);
});

test("a body on a GET is left out: a web request has none", async () => {
  const { handle } = serving(echo);
  expect(JSON.parse((await handle(anEvent({ body: "x" }))).body)).toMatchObject({ body: "" });
});

test.each([
  ["a method that is none", { httpMethod: "G T" }],
  ["a header that is none", { headers: { "bad header": "x" } }],
])("%s gets a 400 and never reaches the app", async (_, wrong) => {
  let reached = false;
  const { handle } = serving(() => {
    reached = true;
    return new Response();
  });
  expect(await handle(anEvent(wrong))).toMatchObject({ statusCode: 400, body: '{"message":"400 Bad request"}' });
  expect(reached).toBe(false);
});

test("whatever the app throws, the caller learns nothing of it, and the log does", async () => {
  const { handle, telemetry } = serving(() => {
    throw new Error("secret detail");
  });
  const result = await handle(anEvent());
  expect(result).toMatchObject({ statusCode: 500, body: '{"message":"500 Internal Server Error"}' });
  expect(JSON.stringify(result)).not.toContain("secret detail");
  expect(JSON.stringify(telemetry.lines)).toContain("secret detail");
});

test("each call is logged with its outcome and the name of its token, and with no header", async () => {
  const { handle, telemetry } = serving(() => new Response(null, { status: 404 }));
  await handle(anEvent({ headers: { "PRIVATE-TOKEN": "geo_secret" } }));
  expect(telemetry.linesOf("api_call").map(({ fields }) => fields)).toEqual([
    { method: "GET", path: "/api/v4/x", status: 404, milliseconds: 0, request_id: "r1", token_name: "dashboards" },
  ]);
  expect(JSON.stringify(telemetry.lines)).not.toContain("geo_secret");
});
