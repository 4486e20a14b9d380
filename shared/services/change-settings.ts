import { CAPACITY_NAMES } from "../geo/capacities.ts";
import { parseSettingsRequest, type SettingsRequest } from "../geo/settings-request.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { SiteRole } from "../geo/site-status.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { changeSettings, parseSiteRecord, siteRecordKey } from "../tables/site/site-record.ts";

/** Where a site's record of itself is kept, and by whom. */
export interface RecordedSite {
  readonly siteTable: Pick<Table, "get" | "update">;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/**
 * A site's settings as they are now.
 * @throws TableUnavailableError when the site table did not answer
 */
export const readSettings = async ({ siteTable }: { readonly siteTable: Pick<Table, "get"> }): Promise<SiteSettings> =>
  parseSiteRecord(await siteTable.get(siteRecordKey)).settings;

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/**
 * What of a request says something new. What is so already is not written: with a rule goes the time of its change, and
 * with that a walk through all history.
 */
const whatIsNew = (request: SettingsRequest, present: SiteSettings): SettingsRequest => {
  const { enabled, selectiveSync, syncObjectStorage, minimumReverificationInterval: days } = request;
  const capacities = CAPACITY_NAMES.flatMap((name) => {
    const value = request.capacities?.[name];
    return value === undefined || value === present.capacities[name] ? [] : [[name, value] as const];
  });
  return {
    ...(enabled === undefined || enabled === present.enabled ? {} : { enabled }),
    ...(selectiveSync === undefined || isSame(selectiveSync, present.selectiveSync) ? {} : { selectiveSync }),
    ...(syncObjectStorage === undefined || syncObjectStorage === present.syncObjectStorage
      ? {}
      : { syncObjectStorage }),
    ...(capacities.length === 0 ? {} : { capacities: Object.fromEntries(capacities) }),
    ...(days === undefined || days === present.minimumReverificationInterval
      ? {}
      : { minimumReverificationInterval: days }),
  };
};

/**
 * Changes settings of the site while it runs; every function of it hears of them within `STANDING_KEPT_MS`. The last word
 * counts, setting by setting. Said twice it says the same.
 *
 * @param sent parsed JSON, see `parseSettingsRequest`
 * @param changedBy the name of the operator's token, for the log
 * @returns the settings as they are then, or all that is wrong with what was sent; nothing was written then
 * @throws TableUnavailableError when the site table did not answer: the change may be made or not, and may be repeated
 */
export const changeSiteSettings = async (
  { siteTable, clock, telemetry }: RecordedSite,
  role: SiteRole,
  sent: unknown,
  changedBy: string | undefined,
): Promise<{ readonly settings: SiteSettings } | { readonly problems: readonly string[] }> => {
  const present = await readSettings({ siteTable });
  const parsed = parseSettingsRequest(sent, role, present.selectiveSync);
  if ("problems" in parsed) return parsed;
  const change = whatIsNew(parsed.request, present);
  if (Object.keys(change).length === 0) return { settings: present };
  const written = await siteTable.update(changeSettings(change, clock.now()));
  const { settings } = parseSiteRecord(written.item);
  telemetry.warn("an operator changed settings of the site", {
    token_name: changedBy ?? "unknown",
    before: JSON.stringify(present),
    after: JSON.stringify(settings),
  });
  return { settings };
};
