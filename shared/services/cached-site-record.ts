import type { SiteSettings } from "../geo/site-settings.ts";
import type { Clock } from "../ports/clock.ts";
import type { LateReader, StandingReader } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import { parseSiteRecord, siteRecordKey, type SiteRecord } from "../tables/site/site-record.ts";
import { CachedItem } from "./cached-item.ts";

/** A site's record of itself, seconds old: what the site is for and what its operator wants of it come in one read. */
export class CachedSiteRecord {
  readonly standing: StandingReader;
  readonly settings: LateReader<SiteSettings>;

  constructor(siteTable: Pick<Table, "get">, clock: Clock) {
    const record = new CachedItem<SiteRecord>(siteTable, siteRecordKey, parseSiteRecord, clock);
    this.standing = { read: async () => (await record.read()).standing };
    this.settings = { read: async () => (await record.read()).settings };
  }
}
