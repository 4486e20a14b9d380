import type { Context, Hono } from "hono";
import { isNotable, parseSiteEdit } from "../../shared/geo/site-request.ts";
import { siteId, type SiteRole } from "../../shared/geo/site-status.ts";
import { changeSiteSettings, readSettings } from "../../shared/services/change-settings.ts";
import { type GatheringSite, gatherStatus } from "../../shared/services/gather-status.ts";
import { editSite, type KnownSites, readKnownSites, readReports } from "../../shared/services/known-sites.ts";
import { readSiteStatus, type StatusReader } from "../../shared/services/site-status.ts";
import type { KnownSite } from "../../shared/tables/site/known-site.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { notChanged, otherAnswer, ownAnswer, type SitesServed } from "./known-sites.ts";
import { allowOnly, type ApiEnv, apiUrlOf, noSuchSite, notAnId, type SitesPath, wordOf } from "./site-paths.ts";

/** A thousand ids of 64 characters each, with quotes and commas, and as much again. */
const BODY_BYTES_MAX = 131_072;

/** How long a call may have the site look at itself, milliseconds: API Gateway gives up after 29 seconds. */
const REPAIR_MS = 15_000;

const NO_JSON = '400 Bad request - body: expected JSON such as {"files_max_capacity": 100}, got no JSON';

/** What a site is told of and changed by. */
export interface SettledSite extends SitesServed, StatusReader {
  readonly siteTable: SitesServed["siteTable"] & StatusReader["siteTable"] & GatheringSite["siteTable"];
  readonly replicables: GatheringSite["replicables"];
  readonly switches: GatheringSite["switches"];
  /** Of a secondary: the primary, which is told. */
  readonly primary: GatheringSite["primary"];
}

type Sent = Readonly<Record<string, unknown>>;

/** What was sent in two: what is noted of a site at the primary, and the settings of the site itself. */
const split = (sent: unknown, role: SiteRole): { readonly notes: Sent; readonly settings: Sent } | undefined => {
  if (typeof sent !== "object" || sent === null || Array.isArray(sent)) return undefined;
  const entries = Object.entries(sent);
  // Whether a secondary is paused, it knows itself; nobody can pause a primary.
  const isNote = (field: string): boolean => isNotable(field) && !(field === "enabled" && role === "secondary");
  return {
    notes: Object.fromEntries(entries.filter(([field]) => isNote(field))),
    settings: Object.fromEntries(entries.filter(([field]) => !isNote(field))),
  };
};

const isEmpty = (sent: Sent): boolean => Object.keys(sent).length === 0;

/**
 * One site and its settings (F34, F46, F51-F54, F64, F67).
 *
 * - `GET …/:id`: the site (`SiteAnswer`); at the primary any that it knows
 * - `PUT …/:id` with any of its settings, for example `{"selective_sync_type": "namespaces",
 *   "selective_sync_namespace_ids": [7]}`: changes them while it runs, and answers the site as it is then. 400 names
 *   everything that was expected and what came; 413 for more than 131,072 bytes. A site changes its own settings only: to
 *   change another one's is refused with its address. `{"enabled": false}` pauses a secondary (F98). At the primary, `url`
 *   and `internal_url` are noted of any site and, before it is deployed, `name` and `enabled`
 * - `POST …/:id/repair`: the site looks at itself anew, writes what it found, and answers its status. There is no OAuth
 *   application to repair, as Geo does; it is the way to have a site known again at once
 */
export const addSiteSettings = (app: Hono<ApiEnv>, sites: SitesPath, settled: SettledSite): void => {
  const path = `${sites}/:id` as const;
  const word = wordOf(sites);
  const { site } = settled;
  const isOwn = (id: string): boolean => Number(id) === siteId(site.name);

  const answerOther = async (context: Context<ApiEnv>, known: KnownSite): Promise<Response> => {
    const stored = (await readReports(settled, [known])).get(known.name);
    return context.json(otherAnswer(known, stored, { apiUrl: apiUrlOf(context), word }));
  };

  app.get(path, async (context) => {
    const id = context.req.param("id");
    const refusal = notAnId(context, id);
    if (refusal !== undefined) return refusal;
    const { own, others } = await readKnownSites(settled);
    if (isOwn(id)) {
      return context.json(ownAnswer(settled, await readSettings(settled), own, { apiUrl: apiUrlOf(context), word }));
    }
    const known = others.find(({ name }) => siteId(name) === Number(id));
    return known === undefined ? noSuchSite(context) : answerOther(context, known);
  });

  /** What speaks against the notes that are to be made of the site that answers. */
  const refuseNotes = (context: Context<ApiEnv>, notes: Sent, self: KnownSite, known: KnownSites) => {
    if (isEmpty(notes)) return undefined;
    if (site.role === "secondary") {
      const kept = ["is kept by the primary: change it through the primary's API"];
      const errors = Object.fromEntries(Object.keys(notes).map((field) => [field, kept]));
      return notChanged(context, { errors });
    }
    const edited = { name: self.name, isPrimary: true, isDeployed: true, settingsAre: "" };
    const parsed = parseSiteEdit(notes, edited, known.others);
    return "edit" in parsed ? undefined : notChanged(context, parsed);
  };

  const changeOwn = async (context: Context<ApiEnv>, sent: unknown): Promise<Response> => {
    const by = context.env?.tokenName;
    const { notes, settings } = split(sent, site.role) ?? { notes: {}, settings: sent };
    const known = isEmpty(notes) ? { own: undefined, others: [], unreadable: [] } : await readKnownSites(settled);
    const self = known.own ?? ownNote(site.name);
    const refusal = refuseNotes(context, notes, self, known);
    if (refusal !== undefined) return refusal;
    // Without notes also nothing at all is for the settings to refuse.
    if (isEmpty(notes) || !isEmpty(split(sent, site.role)?.settings ?? {})) {
      const changed = await changeSiteSettings(settled, site.role, settings, by);
      if ("problems" in changed) {
        return context.json({ message: `400 Bad request - ${changed.problems.join("; ")}` }, 400);
      }
    }
    if (!isEmpty(notes)) {
      const edited = await editSite(settled, known, self, notes, by);
      if (!("site" in edited)) return notChanged(context, edited);
    }
    const { own } = await readKnownSites(settled);
    return context.json(ownAnswer(settled, await readSettings(settled), own, { apiUrl: apiUrlOf(context), word }));
  };

  app.put(path, atMost(BODY_BYTES_MAX), async (context) => {
    const id = context.req.param("id");
    const refusal = notAnId(context, id);
    if (refusal !== undefined) return refusal;
    const known = isOwn(id) ? undefined : await readKnownSites(settled);
    const other = known?.others.find(({ name }) => siteId(name) === Number(id));
    if (known !== undefined && other === undefined) return noSuchSite(context);
    const sent = await jsonOf(context);
    if (sent === undefined) return context.json({ message: NO_JSON }, 400);
    if (known === undefined || other === undefined) return changeOwn(context, sent.json);
    const edited = await editSite(settled, known, other, sent.json, context.env?.tokenName);
    return "site" in edited ? answerOther(context, edited.site) : notChanged(context, edited);
  });

  app.post(`${path}/repair`, async (context) => {
    const id = context.req.param("id");
    const refusal = notAnId(context, id);
    if (refusal !== undefined) return refusal;
    if (!isOwn(id)) {
      const { others } = await readKnownSites(settled);
      const other = others.find(({ name }) => siteId(name) === Number(id));
      if (other === undefined) return noSuchSite(context);
      const where = other.apiUrl === undefined ? "once it is deployed" : `at ${other.apiUrl}`;
      return notChanged(context, { conflict: `a site looks at itself: ask ${other.name}'s own API, ${where}` });
    }
    const apiUrl = apiUrlOf(context);
    await gatherStatus({ ...settled, apiUrl }, settled.clock.now() + REPAIR_MS);
    return context.json(await readSiteStatus(settled, apiUrl, word));
  });

  app.all(path, allowOnly("GET, HEAD, PUT, DELETE"));
  app.all(`${path}/repair`, allowOnly("POST"));
};

/** The primary, as long as nothing is noted of it. */
const ownNote = (name: string): KnownSite => ({
  name,
  url: undefined,
  internalUrl: undefined,
  enabled: true,
  region: undefined,
  apiUrl: undefined,
  reportedAt: undefined,
  renamedFrom: undefined,
});
