import { createHash } from "node:crypto";

/** Who a site is, for its API and for the others. Pure. */

export type SiteRole = "primary" | "secondary";

/** A site, as far as its status speaks of it. */
export interface StatusSite {
  readonly name: string;
  readonly role: SiteRole;
  /** AWS region. */
  readonly region: string;
}

/**
 * A site's number in the API. Made from its name, so that every site knows every other's without anybody handing numbers
 * out, and neither a new site nor another order in the configuration changes one. 1 to 2^31 - 1; two of ten sites share
 * one with a chance of 1 in 48 million.
 */
export const siteId = (siteName: string): number =>
  Math.max(1, createHash("sha256").update(siteName, "utf8").digest().readUInt32BE(0) & 0x7fffffff);

/** GitLab has both words for a site; `geo_nodes` is the older one. */
export type SitesWord = "geo_sites" | "geo_nodes";

/** Where a site is in an API. @param apiUrl where that API is, without a slash at the end */
export const siteUrl = (apiUrl: string, id: number, word: SitesWord): string => `${apiUrl}/api/v4/${word}/${id}`;
