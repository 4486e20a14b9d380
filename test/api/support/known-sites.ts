import { expect } from "vitest";
import { SitesContract, SiteStatusesContract } from "../../../shared/client/contract.ts";
import { siteId } from "../../../shared/geo/site-status.ts";
import type { TokenScope } from "../../../shared/geo/tokens.ts";
import { type TableOperation, MemoryTable } from "../../../shared/memory/table.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { type GatheringSite, gatherStatus } from "../../../shared/services/gather-status.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import type { apiSite } from "./site.ts";

/** Sites that report to a primary, and calls of its API about them. */

export const SITES = "/api/v4/geo_sites";
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export type Api = ReturnType<typeof apiSite>;

/** A secondary that has what a real one has, and tells this primary. */
export const secondaryOf = (primary: Api, name: string, region = "ap-northeast-1") => {
  const siteTable = new MemoryTable({ name: `${name}-site` });
  const { clock, telemetry } = primary;
  const site: GatheringSite = {
    site: { name, role: "secondary", region },
    apiUrl: `https://${name}.example.com/geo`,
    replicables,
    siteTable,
    switches: new CachedSwitches(primary.siteTable, replicables, clock),
    primary: { name: primary.site.name, siteTable: primary.siteTable },
    syncObjectStorage: true,
    syncTimeoutSeconds: 28_800,
    clock,
    telemetry,
  };
  return { site, siteTable, report: () => gatherStatus(site, clock.now() + MINUTE) };
};

export const headersOf = async (api: Api, scope: TokenScope = "admin_geo") => ({
  "PRIVATE-TOKEN": await api.token({ scope, name: "alice" }),
});

export const call = async (api: Api, method: string, path: string, body?: unknown): Promise<Response> =>
  api.call(path, {
    method,
    headers: await headersOf(api),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });

export const sitesOf = async (api: Api, query = "") =>
  SitesContract.parse(await (await call(api, "GET", SITES + query)).json());
export const statusesOf = async (api: Api, query = "") =>
  SiteStatusesContract.parse(await (await call(api, "GET", `${SITES}/status${query}`)).json());
export const messageOf = async (response: Response): Promise<unknown> => {
  const body = (await response.json()) as Readonly<Record<string, unknown>>;
  expect(Object.keys(body)).toEqual(["message"]);
  return body["message"];
};
export const pathOf = (name: string): string => `${SITES}/${siteId(name)}`;
/** A write that notes a site. */
export const isNote = (operation: TableOperation): boolean =>
  operation.kind === "update" && operation.request.key.pk === "known_site";
export const OSLO = { name: "oslo", url: "https://geo.oslo.example" };
