import { describe, expect, test } from "vitest";
import { formatToken } from "../../shared/geo/tokens.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { primary, secondary } from "../support/cloud.ts";

describe.concurrent.each([primary, secondary])("the API of $name", (site) => {
  const call = (headers: Readonly<Record<string, string>>) =>
    fetch(`${site.api_url}/api/v4/geo_sites/status`, { headers });

  test("answers 401 to a call without a token", async () => {
    expect((await call({})).status).toBe(401);
  });

  test.each([
    ["rubbish", { "private-token": "let-me-in" }],
    ["a token that was never issued", { "private-token": formatToken(new Uint8Array(32)) }],
    ["another kind of authorization", { authorization: "Basic YTpi", "private-token": "x" }],
  ])("answers 403 to %s", async (_title, headers) => {
    expect((await call(headers)).status).toBe(403);
  });

  test("tells an administrator the counts of every type", async () => {
    const response = await call({ "private-token": site.admin_token });
    expect(response.status).toBe(200);
    const [status] = (await response.json()) as readonly Record<string, unknown>[];
    for (const { names } of replicables) {
      expect(status).toHaveProperty(
        site.role === "primary" ? names.statusFields.count : names.statusFields.syncedCount,
      );
    }
  });

  test("answers 404 to a path it does not have", async () => {
    const response = await fetch(`${site.api_url}/api/v4/nothing`, { headers: { "private-token": site.admin_token } });
    expect(response.status).toBe(404);
  });
});
