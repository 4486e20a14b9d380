import { GeoError } from "../geo/errors.ts";
import type { GatheredStatus, StoredStatus } from "../geo/gathered-status.ts";
import { STATUS_STALE_MS } from "../geo/health.ts";
import { type FieldErrors, parseNewSite, parseSiteEdit, type Refused, type SiteEdit } from "../geo/site-request.ts";
import { siteId, type StatusReplicable, type StatusSite } from "../geo/site-status.ts";
import type { Clock } from "../ports/clock.ts";
import type { ManyReader, Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { forgetSecondary } from "../tables/site/known-secondary.ts";
import {
  changeNote,
  endRename,
  forgetNote,
  forgetSite,
  type KnownSite,
  listKnownSites,
  nameOfNote,
  noteNewSite,
  noteRenamed,
  parseKnownSite,
} from "../tables/site/known-site.ts";
import { parseStatus, removeStatus, statusKey } from "../tables/site/status-item.ts";

/** Where the sites of an installation are known: the primary's own table. A secondary knows itself alone. */
export interface SitesKeeper {
  readonly site: StatusSite;
  readonly replicables: readonly StatusReplicable[];
  readonly siteTable: Pick<Table, "query" | "update" | "delete"> & ManyReader;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** All sites that a site knows. */
export interface KnownSites {
  /** What is noted of the site that answers. */
  readonly own: KnownSite | undefined;
  /** Every other one, by name. */
  readonly others: readonly KnownSite[];
  /** Names of those whose notes can not be read: nothing is told of them, and they can be removed. */
  readonly unreadable: readonly string[];
}

/**
 * The sites that a site knows, in one query: the primary each that has reported or was noted, a secondary only itself. One
 * note that can not be read hides no other.
 * @throws TableUnavailableError
 */
export const readKnownSites = async ({
  site,
  siteTable,
  telemetry,
}: Pick<SitesKeeper, "site" | "telemetry"> & { readonly siteTable: Pick<Table, "query"> }): Promise<KnownSites> => {
  if (site.role === "secondary") return { own: undefined, others: [], unreadable: [] };
  const { items } = await siteTable.query(listKnownSites);
  const unreadable: string[] = [];
  const sites = items.flatMap((item) => {
    try {
      return [parseKnownSite(item)];
    } catch (error) {
      if (!(error instanceof GeoError)) throw error;
      telemetry.error("the note of a site can not be read", { site_name: nameOfNote(item), message: error.message });
      unreadable.push(nameOfNote(item));
      return [];
    }
  });
  const others = sites
    .filter(({ name }) => name !== site.name)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1));
  return { own: sites.find(({ name }) => name === site.name), others, unreadable };
};

/** A site of which something is stored that can not be read, as of another version: told as what it is. */
const asUnreadable = (known: KnownSite, replicables: readonly StatusReplicable[], code: string): StoredStatus => {
  const gathered: GatheredStatus = {
    site: { name: known.name, role: "secondary", region: known.region ?? "" },
    apiUrl: known.apiUrl ?? "",
    version: "",
    gatheredAt: known.reportedAt ?? 0,
    types: replicables.map(({ name, names }) => ({ name, plural: names.plural })),
    unverified: [],
    counted: undefined,
    settled: undefined,
    primary: undefined,
    keeps: "",
    problems: [{ part: "counters", text: `What the site has reported can not be read here (${code}).` }],
  };
  return { gathered, failedReports: 0, reportProblem: undefined };
};

/** A secondary may write what is told of itself, whatever that says: nothing that is said of another site is believed. */
const checkedReport = (known: KnownSite, stored: StoredStatus | undefined): StoredStatus | undefined => {
  const { name, role } = stored?.gathered.site ?? { name: known.name, role: "secondary" };
  if (name === known.name && role === "secondary") return stored;
  throw new GeoError(
    "GEO_UNREADABLE_ROW",
    `what a site has reported can not be read: expected a report of the secondary ${known.name}, got one of the ${role} ${name}`,
  );
};

/**
 * What sites have reported, by their names, in one batch of reads; one that never did is missing.
 * @throws TableUnavailableError
 */
export const readReports = async (
  {
    siteTable,
    replicables,
    telemetry,
  }: Pick<SitesKeeper, "replicables" | "telemetry"> & { readonly siteTable: ManyReader },
  sites: readonly KnownSite[],
): Promise<ReadonlyMap<string, StoredStatus>> => {
  const items = await siteTable.getMany(sites.map(({ name }) => statusKey(name)));
  const byPartition = new Map(items.map((item) => [item["pk"], item]));
  return new Map(
    sites.flatMap((known) => {
      try {
        const stored = checkedReport(known, parseStatus(byPartition.get(statusKey(known.name).pk)));
        return stored === undefined ? [] : [[known.name, stored] as const];
      } catch (error) {
        if (!(error instanceof GeoError)) throw error;
        telemetry.error("a reported status can not be read", { site_name: known.name, message: error.message });
        return [[known.name, asUnreadable(known, replicables, error.code)] as const];
      }
    }),
  );
};

/** Whether a site is to work: a site that has reported says so itself, one that has not is what was noted of it. */
export const isEnabled = (known: KnownSite, stored: StoredStatus | undefined): boolean =>
  stored?.gathered.settled?.enabled ?? known.enabled;

/** Why a change of the known sites was not made. */
export type NotChanged = Refused | { readonly conflict: string };

const TAKEN: { readonly errors: FieldErrors } = { errors: { name: ["has already been taken"] } };

const noted = (change: string, name: string, { telemetry }: SitesKeeper, by: string | undefined): void =>
  telemetry.warn(`an operator ${change}`, { site: name, token_name: by ?? "unknown" });

/**
 * Notes a site that is to be deployed. What it is and has is said by itself, once it is there.
 * @param sent parsed JSON, see `parseNewSite`
 * @param by the name of the operator's token, for the log
 */
export const noteSite = async (
  keeper: SitesKeeper,
  sent: unknown,
  by: string | undefined,
): Promise<{ readonly site: KnownSite } | NotChanged> => {
  const { others } = await readKnownSites(keeper);
  const parsed = parseNewSite(sent, [...others, keeper.site]);
  if (!("site" in parsed)) return parsed;
  const { name, ...note } = parsed.site;
  const written = await keeper.siteTable.update(noteNewSite(name, note));
  if (written.outcome === "refused") return TAKEN; // somebody has noted the same at the same time
  noted("noted a site", name, keeper, by);
  return { site: parseKnownSite(written.item) };
};

/** Where an operator changes the settings of another site. */
const settingsOf = ({ name, apiUrl }: KnownSite): string =>
  `change it through the API of ${name} itself${apiUrl === undefined ? ", once it is deployed" : `: ${apiUrl}`}`;

/** Takes a site that is not deployed yet to another name. Said again it goes on where it was. */
const rename = async (keeper: SitesKeeper, known: KnownSite, edit: SiteEdit & { readonly name: string }) => {
  const { name, ...change } = edit;
  const note = { url: known.url, internalUrl: known.internalUrl, enabled: known.enabled, ...change };
  const written = await keeper.siteTable.update(noteRenamed(name, note, known.name));
  if (written.outcome === "refused") return TAKEN;
  await keeper.siteTable.delete(forgetSite(known));
  await keeper.siteTable.update(endRename(name));
  return { site: parseKnownSite(written.item) };
};

/** Changes what is noted of a site: of another one, or of the primary itself. */
export const editSite = async (
  keeper: SitesKeeper,
  { own, others }: Pick<KnownSites, "own" | "others">,
  known: KnownSite,
  sent: unknown,
  by: string | undefined,
): Promise<{ readonly site: KnownSite } | NotChanged> => {
  const isPrimary = known.name === keeper.site.name;
  const edited = {
    name: known.name,
    isPrimary,
    isDeployed: isPrimary || known.reportedAt !== undefined,
    settingsAre: settingsOf(known),
  };
  // A new name of the same site is its own: the change was interrupted, and is said again.
  const apart = others.filter(({ name, renamedFrom }) => name !== known.name && renamedFrom !== known.name);
  const rest = [...apart, ...(isPrimary ? [] : [keeper.site, ...(own === undefined ? [] : [own])])];
  const parsed = parseSiteEdit(sent, edited, rest);
  if (!("edit" in parsed)) return parsed;
  const { name, ...note } = parsed.edit;
  if (name !== undefined && name.toLowerCase() !== known.name.toLowerCase()) {
    const renamed = await rename(keeper, known, { ...note, name });
    if ("site" in renamed) noted("renamed a site", name, keeper, by);
    return renamed;
  }
  const written = await keeper.siteTable.update(changeNote(name ?? known.name, note, isPrimary));
  if (written.outcome === "refused") return { conflict: `${known.name} was removed meanwhile` };
  noted("changed what is noted of a site", known.name, keeper, by);
  return { site: parseKnownSite(written.item) };
};

/**
 * Forgets a site: what is noted of it, what it reported, and that batch destroys wait for it. One that still reports is not gone, and would be back within a
 * minute; the primary is the last to go.
 */
export const removeSite = async (
  keeper: SitesKeeper,
  { own, others, unreadable }: KnownSites,
  id: number,
  by: string | undefined,
): Promise<{ readonly removed: string } | { readonly conflict: string } | undefined> => {
  const { site, clock, siteTable } = keeper;
  if (id === siteId(site.name)) {
    const rest = [...others.map(({ name }) => name), ...unreadable.filter((name) => name !== site.name)];
    if (rest.length > 0) {
      const names = rest.join(", ");
      return { conflict: `the primary can be removed when it is alone; there are still ${names}` };
    }
    await siteTable.delete(own === undefined ? forgetNote(site.name) : forgetSite(own));
    await siteTable.delete(removeStatus(site.name));
    noted("removed the primary", site.name, keeper, by);
    return { removed: site.name };
  }
  const known = others.find((other) => siteId(other.name) === id);
  const name = known?.name ?? unreadable.find((one) => siteId(one) === id);
  if (name === undefined) return undefined;
  const stillThere = {
    conflict: `${name} has reported within the hour, so it is still deployed: delete its stacks first (cdk destroy)`,
  };
  // A time far ahead is of a clock that was wrong, and would hold the site for ever.
  const reportedAt = known?.reportedAt;
  if (reportedAt !== undefined && Math.abs(clock.now() - reportedAt) < STATUS_STALE_MS) return stillThere;
  const deleted = await siteTable.delete(known === undefined ? forgetNote(name) : forgetSite(known));
  if (deleted.outcome === "refused") return stillThere; // it reported just now
  await siteTable.delete(removeStatus(name));
  await siteTable.delete(forgetSecondary(name)); // or batch destroys would go on to wait for it
  noted("removed a site", name, keeper, by);
  return { removed: name };
};
