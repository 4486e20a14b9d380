import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import { TIME_MS_MAX } from "../../geo/gathered-status.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { AttributeValue, DeleteRequest, Item, ItemKey, QueryRequest, UpdateRequest } from "../../ports/table.ts";

/**
 * A site that the primary has heard of: from an operator who noted it before it is deployed, from the site itself, or both.
 * Told apart by name without regard to case, which is the sort key: two of one name are one item.
 */
export interface KnownSite {
  readonly name: string;
  /** As an operator noted them; undefined: the site's API. */
  readonly url: string | undefined;
  readonly internalUrl: string | undefined;
  readonly enabled: boolean;
  /** Where it is and where its API is, as it said itself. */
  readonly region: string | undefined;
  readonly apiUrl: string | undefined;
  /** When it last reported, milliseconds since the epoch. */
  readonly reportedAt: number | undefined;
  /** Which name it had, while it is being taken to this one. */
  readonly renamedFrom: string | undefined;
}

const PARTITION = SITE_TABLE_PARTITIONS.knownSite;

/** Most sites that are read: a page of them is all of them. An installation has tens. */
export const KNOWN_SITES_MAX = 1_000;

export const knownSiteKey = (name: string): ItemKey => ({ pk: PARTITION, sk: name.toLowerCase() });

export const listKnownSites: QueryRequest = {
  condition: "pk = :pk",
  values: { ":pk": PARTITION },
  limit: KNOWN_SITES_MAX,
};

const Stored = z.object({
  site_name: z.string(),
  site_url: z.optional(z.string()),
  internal_url: z.optional(z.string()),
  is_enabled: z._default(z.boolean(), true),
  site_region: z.optional(z.string()),
  api_url: z.optional(z.string()),
  reported_at: z.optional(z.number().check(z.maximum(TIME_MS_MAX))),
  renamed_from: z.optional(z.string()),
});

/** The name of a site of which an item is, whatever else stands there. */
export const nameOfNote = ({ sk, site_name: name }: Item): string =>
  [name, sk].find((one) => typeof one === "string") ?? "";

/** Throws `GEO_UNREADABLE_ROW` on an item that can not be read. */
export const parseKnownSite = (item: Item): KnownSite => {
  const parsed = z.safeParse(Stored, item);
  if (!parsed.success) {
    throw new GeoError("GEO_UNREADABLE_ROW", `the note of a site can not be read: ${parsed.error.message}`);
  }
  const { data } = parsed;
  return {
    name: data.site_name,
    url: data.site_url,
    internalUrl: data.internal_url === "" ? undefined : data.internal_url,
    enabled: data.is_enabled,
    region: data.site_region,
    apiUrl: data.api_url,
    reportedAt: data.reported_at,
    renamedFrom: data.renamed_from,
  };
};

/** A site says that it is there. Its name as it says it counts; what an operator noted stays. */
export const reportSite = (
  { name, region, apiUrl }: { readonly name: string; readonly region: string; readonly apiUrl: string },
  now: number,
): UpdateRequest => ({
  key: knownSiteKey(name),
  update: "SET site_name = :name, site_region = :region, api_url = :api, reported_at = :now",
  values: { ":name": name, ":region": region, ":api": apiUrl, ":now": now },
});

/** What an operator notes of a site; undefined leaves as it is, and an empty internal URL is none. */
export interface SiteNote {
  readonly url?: string | undefined;
  readonly internalUrl?: string | undefined;
  readonly enabled?: boolean | undefined;
}

const columnsOf = ({ url, internalUrl, enabled }: SiteNote): readonly (readonly [string, AttributeValue])[] =>
  Object.entries({ site_url: url, internal_url: internalUrl, is_enabled: enabled }).flatMap(([column, value]) =>
    value === undefined ? [] : [[column, value] as const],
  );

const noted = (name: string, note: SiteNote): Pick<UpdateRequest, "key" | "update" | "values"> => {
  const columns = [["site_name", name] as const, ...columnsOf(note)];
  return {
    key: knownSiteKey(name),
    update: `SET ${columns.map(([column]) => `${column} = :${column}`).join(", ")}`,
    values: Object.fromEntries(columns.map(([column, value]) => [`:${column}`, value])),
  };
};

/** Notes a site that nobody has heard of. */
export const noteNewSite = (name: string, note: SiteNote): UpdateRequest => ({
  ...noted(name, note),
  condition: "attribute_not_exists(pk)",
});

/**
 * Notes a site under another name. Goes through again when it was interrupted before the note of the old name was removed; not
 * once the site has reported, or when somebody else has noted the name.
 */
export const noteRenamed = (name: string, note: SiteNote, from: string): UpdateRequest => {
  const { key, update, values } = noted(name, note);
  return {
    key,
    update: `${update}, renamed_from = :from`,
    condition: "attribute_not_exists(pk) OR (renamed_from = :from AND attribute_not_exists(reported_at))",
    values: { ...values, ":from": from },
  };
};

/** The old name is gone. */
export const endRename = (name: string): UpdateRequest => ({
  key: knownSiteKey(name),
  update: "REMOVE renamed_from",
  condition: "attribute_exists(pk)",
});

/** Notes something about a site that there is. The primary, which answers itself, has no item before the first note. */
export const changeNote = (name: string, note: SiteNote, mayBeNew: boolean): UpdateRequest =>
  mayBeNew ? noted(name, note) : { ...noted(name, note), condition: "attribute_exists(pk)" };

/** Forgets a note that can not be read; a site that is there says so again within a minute. */
export const forgetNote = (name: string): DeleteRequest => ({ key: knownSiteKey(name) });

/** Forgets a site, unless it has reported since it was seen. */
export const forgetSite = ({ name, reportedAt }: KnownSite): DeleteRequest => ({
  key: knownSiteKey(name),
  ...(reportedAt === undefined
    ? { condition: "attribute_not_exists(reported_at)" }
    : { condition: "attribute_not_exists(reported_at) OR reported_at = :seen", values: { ":seen": reportedAt } }),
});
