import type { APIGatewayRequestAuthorizerEvent } from "aws-lambda";
import { describe, expect, test } from "vitest";
import { METRICS } from "../../shared/geo/metrics.ts";
import { hashToken } from "../../shared/geo/tokens.ts";
import { TableUnavailableError } from "../../shared/geo/errors.ts";
import type { TableOperation } from "../../shared/memory/table.ts";
import { revokeToken } from "../../shared/tables/site/revoke-token.ts";
import { apiSite } from "./support/site.ts";

const STATUS = "/api/v4/geo_sites/status";
const API_ARN = "arn:aws:execute-api:eu-central-1:123456789012:abc/geo";
const DAY_MS = 24 * 60 * 60 * 1_000;

/** As much of API Gateway's event as an authorizer looks at. */
const anEvent = (
  headers: Record<string, string> | null,
  method = "GET",
  path = STATUS,
): APIGatewayRequestAuthorizerEvent =>
  ({
    type: "REQUEST",
    methodArn: `${API_ARN}/${method}${path}`,
    httpMethod: method,
    path,
    headers,
    requestContext: { identity: { sourceIp: "192.0.2.1" } },
  }) as unknown as APIGatewayRequestAuthorizerEvent;

const statement = (effect: string, resource: string | string[]) => ({
  Version: "2012-10-17",
  Statement: [{ Action: "execute-api:Invoke", Effect: effect, Resource: resource }],
});

describe("a call without a token", () => {
  test.each([
    ["no headers at all", null],
    ["other headers", { accept: "application/json" }],
    ["an empty PRIVATE-TOKEN", { "PRIVATE-TOKEN": "  " }],
    ["an empty Authorization", { Authorization: "" }],
  ])("(%s) is answered as API Gateway wants a 401 to be asked for", async (_, headers) => {
    const api = apiSite();
    await expect(api.authorize(anEvent(headers))).rejects.toThrow(/^Unauthorized$/);
    expect((await api.call(STATUS, headers === null ? {} : { headers })).status).toBe(401);
  });
});

describe("a call with a good token", () => {
  test.each(["PRIVATE-TOKEN", "private-token", "Private-Token"])("in %s is let through", async (name) => {
    const api = apiSite();
    const token = await api.token({ name: "dashboards" });
    expect(await api.authorize(anEvent({ [name]: token }))).toEqual({
      principalId: "dashboards",
      policyDocument: statement("Allow", [`${API_ARN}/GET/*`, `${API_ARN}/HEAD/*`, `${API_ARN}/POST/api/graphql`]),
      context: { token_name: "dashboards", token_id: hashToken(token).slice(0, 12), token_scope: "read_geo" },
    });
  });

  test.each(["Bearer", "bearer", "BEARER "])("in Authorization after %s is let through", async (word) => {
    const api = apiSite();
    const token = await api.token();
    expect((await api.call(STATUS, { headers: { authorization: `${word} ${token}` } })).status).toBe(200);
  });

  test("of an administrator may do everything on this stage, and nothing on another", async () => {
    const api = apiSite();
    const token = await api.token({ scope: "admin_geo" });
    const { policyDocument } = await api.authorize(anEvent({ "PRIVATE-TOKEN": token }, "POST"));
    expect(policyDocument).toEqual(statement("Allow", [`${API_ARN}/*`]));
    expect((await api.call(STATUS, { method: "POST", headers: { "PRIVATE-TOKEN": token } })).status).toBe(405);
  });

  test("costs one read, and a write at most once a minute", async () => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token() };
    const operations: TableOperation[] = [];
    api.siteTable.interference = { before: (operation) => void operations.push(operation) };
    const kinds = (): string =>
      operations
        .splice(0)
        .map(({ kind }) => kind)
        .join(" ");

    await api.authorize(anEvent(headers));
    expect(kinds()).toBe("get update");
    api.clock.advance(59_999);
    await api.authorize(anEvent(headers));
    expect(kinds()).toBe("get");
    api.clock.advance(1);
    await api.authorize(anEvent(headers));
    expect(kinds()).toBe("get update");
  });

  test("passes although its use can not be noted", async () => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token() };
    api.siteTable.interference = {
      before: ({ kind }) => {
        if (kind === "update") throw new TableUnavailableError("throttled");
      },
    };
    expect((await api.call(STATUS, { headers })).status).toBe(200);
  });
});

describe("a call with a bad token", () => {
  const refusals: [string, (api: ReturnType<typeof apiSite>) => Promise<Record<string, string>>, string][] = [
    ["garbage", () => Promise.resolve({ "PRIVATE-TOKEN": "garbage" }), "malformed"],
    ["a header of 1 MB", () => Promise.resolve({ "PRIVATE-TOKEN": "x".repeat(1_000_000) }), "malformed"],
    ["another kind of credential", () => Promise.resolve({ authorization: "Basic dXNlcjpwYXNz" }), "malformed"],
    [
      "a token of this form that nobody made",
      () => Promise.resolve({ "PRIVATE-TOKEN": `geo_${"A".repeat(43)}` }),
      "unknown",
    ],
    [
      "a stored hash in place of its token",
      async (api) => ({ "PRIVATE-TOKEN": hashToken(await api.token()) }),
      "malformed",
    ],
    [
      "an expired token",
      async (api) => {
        const token = await api.token({ days: 1 });
        api.clock.advance(DAY_MS);
        return { "PRIVATE-TOKEN": token };
      },
      "expired",
    ],
    [
      "a revoked token",
      async (api) => {
        const token = await api.token();
        expect(await revokeToken(api.siteTable, hashToken(token), api.clock.now())).toBe(true);
        return { "PRIVATE-TOKEN": token };
      },
      "revoked",
    ],
    [
      "a bad PRIVATE-TOKEN beside a good Authorization",
      async (api) => ({ "PRIVATE-TOKEN": "garbage", authorization: `Bearer ${await api.token()}` }),
      "malformed",
    ],
  ];

  test.each(refusals)("(%s) is denied, and logged without what was presented", async (_, present, reason) => {
    const api = apiSite();
    const headers = await present(api);
    const answer = await api.authorize(anEvent(headers));
    expect(answer.policyDocument).toEqual(statement("Deny", `${API_ARN}/GET${STATUS}`));
    const log = JSON.stringify(api.telemetry.lines);
    expect(log).toContain(`"reason":"${reason}"`);
    expect(api.telemetry.total(METRICS.apiCallDenied)).toBe(1);
    for (const secret of Object.values(headers)) expect(log).not.toContain(secret);
    expect((await api.call(STATUS, { headers })).status).toBe(403);
  });

  test("is logged with who it is, from where, and what for, when that is known", async () => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token({ name: "dashboards", scope: "read_geo" }) };
    await api.authorize(anEvent(headers, "DELETE", "/api/v4/geo_sites/7"));
    expect(api.telemetry.lines).toEqual([
      {
        level: "warn",
        event: "api_call_denied",
        fields: {
          reason: "scope",
          token_name: "dashboards",
          method: "DELETE",
          path: "/api/v4/geo_sites/7",
          source_ip: "192.0.2.1",
        },
      },
    ]);
  });

  test("that can be none at all does not even cost a read", async () => {
    const api = apiSite();
    const operations: TableOperation[] = [];
    api.siteTable.interference = { before: (operation) => void operations.push(operation) };
    await api.authorize(anEvent({ "PRIVATE-TOKEN": "x".repeat(10_000) }));
    expect(operations).toEqual([]);
  });

  test.each(["POST", "PUT", "DELETE", "PATCH"])("that may only read is denied a %s", async (method) => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token({ scope: "read_geo" }) };
    const { policyDocument } = await api.authorize(anEvent(headers, method));
    expect(policyDocument).toEqual(statement("Deny", `${API_ARN}/${method}${STATUS}`));
    expect((await api.call(STATUS, { method, headers })).status).toBe(403);
  });

  test.each(["/api/graphql/", "/api/graphql/x", "/API/graphql", "/api/v4/geo_sites"])(
    "that may only read may POST a GraphQL query, and nothing to %s",
    async (path) => {
      const api = apiSite();
      const headers = { "PRIVATE-TOKEN": await api.token({ scope: "read_geo" }) };
      const query = await api.authorize(anEvent(headers, "POST", "/api/graphql"));
      expect(query.policyDocument.Statement).toMatchObject([{ Effect: "Allow" }]);
      const other = await api.authorize(anEvent(headers, "POST", path));
      expect(other.policyDocument).toEqual(statement("Deny", `${API_ARN}/POST${path}`));
      expect((await api.call(path, { method: "POST", headers })).status).toBe(403);
      expect((await api.call("/api/graphql", { method: "POST", headers })).status).not.toBe(403);
    },
  );

  test("is neither allowed nor denied while the table does not answer", async () => {
    const api = apiSite();
    const headers = { "PRIVATE-TOKEN": await api.token() };
    api.siteTable.interference = {
      before: () => {
        throw new TableUnavailableError("throttled");
      },
    };
    await expect(api.authorize(anEvent(headers))).rejects.toThrow(TableUnavailableError);
  });
});
