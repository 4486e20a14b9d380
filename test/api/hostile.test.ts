import { performance } from "node:perf_hooks";
import process from "node:process";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { siteId, type SiteRole } from "../../shared/geo/site-status.ts";
import { hashToken, TOKEN_SCOPES, type TokenScope } from "../../shared/geo/tokens.ts";
import { type HostileCall, hostileCalls } from "../support/hostile-calls.ts";
import { graphqlSite, lfsRows } from "./support/graphql.ts";

/**
 * So many calls, over both sites and both scopes; without the variable as many as fit into some seconds. A run is repeated by
 * its seed, which is printed.
 */
const CALLS = Number(process.env["S3_GEO_HOSTILE_CALLS"] ?? 0);
const SEED = Number(process.env["S3_GEO_SEED"] ?? Date.now() % 1_000_000);

const CALLS_PER_RUN = 5;
const SECONDS_IF_NOT_TOLD = 10;
const KINDS = 4;

/** No call may take longer, in milliseconds, on a machine that is busy with others. */
const CALL_MS_MAX = 5_000;

/** Planted where nobody who asks for LFS objects of this site may come by them. */
const OF_ANOTHER_TYPE = "marker-of-another-type";
const OF_ANOTHER_SITE = "marker-of-another-site";
const OF_ANOTHER_CALLER = "marker-of-another-caller";

/** In the keys of LFS objects: for administrators alone. */
const OF_A_KEY = "marker-of-a-key";

/** A site with things in it that are nobody's business, and who may call. */
const planted = async (role: SiteRole, scope: TokenScope) => {
  const site = graphqlSite(role);
  const elsewhere = { replicableName: "package_file", key: `packages/${OF_ANOTHER_TYPE}` };
  const objects = lfsRows(8).map((row, n) => ({ ...row, key: `lfs_objects/${OF_A_KEY}/${n}` }));
  const failed = { ...lfsRows(1)[0], replicableName: "lfs_object", key: `lfs_objects/${OF_A_KEY}/failed` };
  await site.put(elsewhere, ...objects, { ...failed, verification: "failed" });
  const other = await site.token({ scope: "admin_geo", name: OF_ANOTHER_CALLER });
  const keyed = { "private-token": other, "idempotency-key": "a", "content-type": "application/json" };
  await site.call(`/api/v4/geo_sites/${siteId("frankfurt")}/bulk_updates`, {
    method: "POST",
    headers: keyed,
    body: JSON.stringify({ action: OF_ANOTHER_CALLER }),
  });
  if (role === "secondary") {
    // In the primary's table, which a secondary reads flags from and nothing else.
    for (const [pk, sk] of [
      ["known_site", OF_ANOTHER_SITE],
      [`status#${OF_ANOTHER_SITE}`, "gathered"],
      ["bulk_update", OF_ANOTHER_SITE],
    ] as const) {
      await site.primarySiteTable.put({ pk, sk, site_name: OF_ANOTHER_SITE });
    }
  }
  const token = await site.token({ scope });
  const secrets = [OF_ANOTHER_TYPE, OF_ANOTHER_SITE, OF_ANOTHER_CALLER, hashToken(token), hashToken(other), other];
  return { site, token, secrets: scope === "admin_geo" ? secrets : [...secrets, OF_A_KEY] };
};

/** All that an answer says, and what it says in base64: identifiers and cursors. */
const saidBy = async (response: Response): Promise<string> => {
  const said = `${JSON.stringify([...response.headers])}\n${await response.text()}`;
  const encoded = said.match(/[A-Za-z0-9_-]{12,}/g) ?? [];
  return [said, ...encoded.map((part) => Buffer.from(part, "base64url").toString("latin1"))].join("\n");
};

/** The call as a request; nothing when it can not be sent at all. */
const requestOf = ({ method, path, headers, body }: HostileCall, token: string): [string, RequestInit] | undefined => {
  try {
    const sent = new Headers();
    for (const [name, value] of headers) {
      try {
        sent.append(name, value);
      } catch {
        // No client can send this one; the others stay.
      }
    }
    if (method === "POST" && path === "/api/graphql" && !sent.has("content-type"))
      sent.set("content-type", "application/json");
    sent.set("private-token", token);
    const init = { method, headers: sent, ...(body === undefined ? {} : { body }) };
    const request = new Request(`https://api.invalid${path}`, init);
    return request.url === "" ? undefined : [path, init];
  } catch {
    return undefined;
  }
};

const kinds = (["primary", "secondary"] as const).flatMap((role) => TOKEN_SCOPES.map((scope) => ({ role, scope })));

test.each(kinds)(
  "whatever is sent to a $role with a token of $scope, it answers in time, with no error of its own, and gives nothing away",
  async ({ role, scope }) => {
    let sent = 0;
    let slowest = 0;
    const statuses = new Map<number, number>();
    const property = fc.asyncProperty(
      fc.array(hostileCalls(siteId("frankfurt")), { minLength: CALLS_PER_RUN, maxLength: CALLS_PER_RUN }),
      async (calls) => {
        const { site, token, secrets } = await planted(role, scope);
        for (const call of calls) {
          const request = requestOf(call, token);
          if (request === undefined) continue;
          const since = performance.now();
          const response = await site.call(...request);
          slowest = Math.max(slowest, performance.now() - since);
          expect(performance.now() - since).toBeLessThan(CALL_MS_MAX);
          sent += 1;
          statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
          expect(response.status).toBeLessThan(500);
          const said = await saidBy(response);
          expect(secrets.filter((secret) => said.includes(secret))).toEqual([]);
        }
      },
    );
    const isTold = CALLS > 0;
    await fc.assert(property, {
      seed: SEED,
      numRuns: isTold ? Math.ceil(CALLS / KINDS / CALLS_PER_RUN) : 10_000,
      ...(isTold
        ? {}
        : { interruptAfterTimeLimit: (SECONDS_IF_NOT_TOLD * 1_000) / KINDS, markInterruptAsFailure: false }),
    });
    const counts = [...statuses].toSorted(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
    console.log(
      `S3_GEO_SEED=${SEED} ${role} ${scope}: ${sent} calls, the slowest ${Math.round(slowest)} ms; ${counts.join(", ")}`,
    );
    // Otherwise nothing but the front door was tried.
    expect(statuses.get(200) ?? 0).toBeGreaterThan(0);
    expect(sent).toBeGreaterThan(CALLS_PER_RUN);
  },
  600_000,
);

/** What the test above would look for in vain if it could not see it. */
test("what is given away is seen: in an answer, a header, and inside of an identifier", async () => {
  const hidden = Buffer.from(JSON.stringify([3, `packages/${OF_ANOTHER_TYPE}`, null])).toString("base64url");
  expect(await saidBy(Response.json([{ cursor: `${hidden}.signature` }]))).toContain(OF_ANOTHER_TYPE);
  expect(await saidBy(Response.json([], { headers: { link: OF_ANOTHER_SITE } }))).toContain(OF_ANOTHER_SITE);
  const { site } = await planted("secondary", "admin_geo");
  const listed = await site.ask("{ geoNode { packageFileRegistries { nodes { id } } } }");
  expect(await saidBy(Response.json(listed))).toContain(OF_ANOTHER_TYPE);
});
