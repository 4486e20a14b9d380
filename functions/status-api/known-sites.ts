import type { Context, Hono } from "hono";
import type { StoredStatus } from "../../shared/geo/gathered-status.ts";
import { SYNC_TIMEOUT_SECONDS } from "../../shared/geo/limits.ts";
import { onPage } from "../../shared/geo/pagination.ts";
import { type SiteAnswer, siteAnswer } from "../../shared/geo/site-answer.ts";
import { siteId, type SitesWord } from "../../shared/geo/site-status.ts";
import { SETTINGS_DEFAULT, type SiteSettings } from "../../shared/geo/site-settings.ts";
import { readSettings, type RecordedSite } from "../../shared/services/change-settings.ts";
import { type DeployedSettings, settledFacts } from "../../shared/services/gather-status.ts";
import {
  isEnabled,
  noteSite,
  type NotChanged,
  readKnownSites,
  readReports,
  removeSite,
  type SitesKeeper,
} from "../../shared/services/known-sites.ts";
import type { KnownSite } from "../../shared/tables/site/known-site.ts";
import { atMost, jsonOf } from "./json-body.ts";
import { paged } from "./paged.ts";
import { allowOnly, type ApiEnv, apiUrlOf, noSuchSite, notAnId, type SitesPath, wordOf } from "./site-paths.ts";

/** A name, two URLs and some flags, with every character escaped. */
const BODY_BYTES_MAX = 65_536;

/** What sites are told of, noted and forgotten by. */
export interface SitesServed extends SitesKeeper, RecordedSite, DeployedSettings {
  readonly siteTable: SitesKeeper["siteTable"] & RecordedSite["siteTable"];
}

/** Where a call came in, and with which word for sites. */
interface Told {
  readonly apiUrl: string;
  readonly word: SitesWord;
}

/** The site that answers. @param note what the primary has noted of itself */
export const ownAnswer = (
  served: SitesServed,
  settings: SiteSettings,
  note: KnownSite | undefined,
  told: Told,
): SiteAnswer => {
  const url = note?.url ?? told.apiUrl;
  return siteAnswer({
    name: served.site.name,
    role: served.site.role,
    url,
    internalUrl: note?.internalUrl ?? url,
    enabled: settings.enabled,
    current: true,
    settled: settledFacts(settings, served),
    firstType: served.replicables[0]?.names.plural,
    ...told,
  });
};

/** What a site has that has not reported any settings. */
const UNTOLD = settledFacts(SETTINGS_DEFAULT, {
  syncObjectStorage: true,
  syncTimeoutSeconds: SYNC_TIMEOUT_SECONDS.standard,
});

/** Another site, by what is noted of it and what it reported. */
export const otherAnswer = (known: KnownSite, stored: StoredStatus | undefined, told: Told): SiteAnswer => {
  const url = known.url ?? known.apiUrl ?? null;
  return siteAnswer({
    name: known.name,
    role: "secondary",
    url,
    internalUrl: known.internalUrl ?? url,
    enabled: isEnabled(known, stored),
    current: false,
    settled: stored?.gathered.settled ?? UNTOLD,
    firstType: stored?.gathered.types[0]?.plural,
    ...told,
  });
};

/** The answer to a change of known sites that was not made. */
export const notChanged = (context: Context<ApiEnv>, why: NotChanged): Response => {
  if ("conflict" in why) return context.json({ message: `409 Conflict - ${why.conflict}` }, 409);
  return "problem" in why
    ? context.json({ message: `400 Bad request - ${why.problem}` }, 400)
    : context.json({ message: why.errors }, 400);
};

const AT_PRIMARY_ONLY = "409 Conflict - sites are noted and removed at the primary; ask the primary's API";

/**
 * The sites of an installation (F64, F66).
 *
 * - `GET …`: every site that this one knows, a page at a time, itself first: at the primary all, at a secondary itself
 * - `POST …` with `{"name": "tokyo", "url": "https://…"}`, and perhaps `internal_url` and `enabled`: notes a site that is to
 *   be deployed; 201 with the site. 400 with what is wrong, by field, as GitLab says it. At the primary only
 * - `DELETE …/:id`: forgets a site that is gone; 204. 409 with the reason for one that has reported within the hour, and for
 *   the primary while there are others. At the primary only
 */
export const addKnownSites = (app: Hono<ApiEnv>, sites: SitesPath, served: SitesServed): void => {
  const one = `${sites}/:id` as const;
  const word = wordOf(sites);

  app.get(sites, async (context) =>
    paged(context, sites, async (page) => {
      const told = { apiUrl: apiUrlOf(context), word };
      const { own, others } = await readKnownSites(served);
      const chosen = onPage([undefined, ...others], page);
      const named = chosen.flatMap((known) => known ?? []);
      const reports = await readReports(served, named);
      const isFirst = named.length < chosen.length;
      const first = isFirst ? [ownAnswer(served, await readSettings(served), own, told)] : [];
      const entries = [...first, ...named.map((known) => otherAnswer(known, reports.get(known.name), told))];
      return { entries, total: others.length + 1 };
    }),
  );

  app.post(sites, atMost(BODY_BYTES_MAX), async (context) => {
    if (served.site.role !== "primary") return context.json({ message: AT_PRIMARY_ONLY }, 409);
    const sent = await jsonOf(context);
    if (sent === undefined) {
      const message =
        '400 Bad request - body: expected JSON such as {"name": "tokyo", "url": "https://…"}, got no JSON';
      return context.json({ message }, 400);
    }
    const noted = await noteSite(served, sent.json, context.env?.tokenName);
    if (!("site" in noted)) return notChanged(context, noted);
    return context.json(otherAnswer(noted.site, undefined, { apiUrl: apiUrlOf(context), word }), 201);
  });

  app.delete(one, async (context) => {
    const id = context.req.param("id");
    const refusal = notAnId(context, id);
    if (refusal !== undefined) return refusal;
    if (served.site.role !== "primary") {
      return Number(id) === siteId(served.site.name)
        ? context.json({ message: AT_PRIMARY_ONLY }, 409)
        : noSuchSite(context);
    }
    const removed = await removeSite(served, await readKnownSites(served), Number(id), context.env?.tokenName);
    if (removed === undefined) return noSuchSite(context);
    return "conflict" in removed ? notChanged(context, removed) : context.body(null, 204);
  });

  app.all(sites, allowOnly("GET, HEAD, POST"));
};
