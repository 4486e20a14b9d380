import type { Replicable } from "../geo/replicable.ts";
import type { Clock } from "../ports/clock.ts";
import type { Table } from "../ports/table.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { DestroyedVersions } from "./batch-destroy/destroyed-versions.ts";
import { CachedSiteRecord } from "./cached-site-record.ts";
import { SiteScope } from "./site-scope.ts";
import { CachedSwitches } from "./type-switches.ts";

/**
 * Makes what a secondary's functions read while they run, from the tables that it is in.
 * @param syncObjectStorage what the site was deployed with
 */
export const siteReaders = (replicables: readonly Replicable[], syncObjectStorage: boolean, telemetry: Telemetry) => ({
  switchesOf: (primarySiteTable: Pick<Table, "get">, clock: Clock) =>
    new CachedSwitches(primarySiteTable, replicables, clock),
  recordOf: (siteTable: Pick<Table, "get">, clock: Clock) => {
    const { standing, settings } = new CachedSiteRecord(siteTable, clock);
    return { standing, settings, scope: new SiteScope(settings, replicables, syncObjectStorage, telemetry) };
  },
  destroyedOf: (primarySiteTable: Pick<Table, "query">, clock: Clock) => new DestroyedVersions(primarySiteTable, clock),
});
