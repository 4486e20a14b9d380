import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import type { BuiltPage } from "../../functions/admin-page/built-page.ts";
import { withPage } from "../../functions/admin-page/page-app.ts";
import { admitted } from "../../functions/status-api/admitted.ts";
import { statusApp } from "../../functions/status-api/app.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import type { SiteConfig } from "../../shared/config/geo-config.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { WebApp } from "../../shared/lambda/http-handler.ts";
import { SILENT } from "../../shared/memory/silent-telemetry.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";
import type { Workflow } from "../../shared/ports/workflows.ts";
import { UsageLedger } from "../../shared/services/daily-usage.ts";
import { gatherStatus } from "../../shared/services/gather-status.ts";
import { issueToken } from "../../shared/services/issue-token.ts";
import type { Redrivable } from "../../shared/services/redrive.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import type { DemoSite } from "./demo-world.ts";
import { atEnd } from "./processes.ts";

/** The API and the page of a site of the embedded world, on a port of this machine. */

/** Sites look at themselves this often: more often than deployed, so that the primary shows what is so. */
const STATUS_EVERY_MS = 3_000;

/** Serves a web app on a free port of this machine. */
const serve = (app: WebApp): Promise<{ readonly url: string; readonly server: Server }> =>
  new Promise((listening) => {
    let url = "";
    const server = createServer((request, response) => {
      const answer = async (): Promise<void> => {
        const headers = new Headers();
        for (const [name, value] of Object.entries(request.headers)) headers.set(name, String(value));
        const method = request.method ?? "GET";
        const hasBody = method !== "GET" && method !== "HEAD"; // a web request may have none then
        const asked = { method, headers, ...(hasBody && { body: await buffer(request) }) };
        const result = await app.fetch(new Request(`${url}${request.url ?? "/"}`, asked), { apiUrl: url });
        response.writeHead(result.status, Object.fromEntries(result.headers)).end(await result.text());
      };
      answer().catch((error: unknown) => response.writeHead(500).end(String(error)));
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
      listening({ url, server });
    });
  });

/** The API of a site, with a token for it; and its look at itself, for which it has to know where its API is. */
export const openApi = async (
  site: SiteConfig,
  primaryName: string,
  siteTable: MemoryTable,
  primarySiteTable: MemoryTable,
  rows: MemoryTable,
  replicables: readonly Replicable[],
  workflows: {
    readonly bulkWorkflow: Workflow;
    readonly destroys: Workflow;
  },
  redrivable: readonly Redrivable[],
  page: BuiltPage,
): Promise<Pick<DemoSite, "apiUrl" | "adminToken">> => {
  const { syncObjectStorage, syncTimeoutSeconds } = site;
  const deployed = { syncObjectStorage, syncTimeoutSeconds };
  const behind = { siteTable, primarySiteTable, rows, ...workflows, chance: systemChance, randomBytes };
  const served = {
    site,
    replicables,
    ...behind,
    ...deployed,
    redrivable,
    switches: new CachedSwitches(primarySiteTable, replicables, systemClock),
    primary: site.role === "primary" ? undefined : { name: primaryName, siteTable: primarySiteTable },
    clock: systemClock,
    telemetry: SILENT,
  };
  const { url, server } = await serve(
    withPage(page, admitted(statusApp(served), { site: siteTable, clock: systemClock })),
  );
  server.unref();
  atEnd(() => server.closeAllConnections());
  const look = () => gatherStatus({ ...served, apiUrl: url }, systemClock.now() + STATUS_EVERY_MS);
  const ledger = new UsageLedger(served);
  await look();
  await ledger.note();
  setInterval(() => void look().then(() => ledger.note()), STATUS_EVERY_MS).unref();
  const { token } = await issueToken(
    { site: siteTable, clock: systemClock, randomBytes },
    { name: "local", scope: "admin_geo", days: 1 },
  );
  return { apiUrl: url, adminToken: token };
};
