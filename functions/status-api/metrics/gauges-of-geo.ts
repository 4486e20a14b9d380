import type { GaugeKey, ReplicableNames } from "../../../shared/geo/naming.ts";
import type { SiteStatus } from "../../../shared/geo/site-status.ts";

/** What a family of metrics is, without its members. */
export interface Described {
  readonly name: string;
  readonly help: string;
}

const MEANING: Readonly<Record<GaugeKey, string>> = {
  count: "on the primary, the objects that can be replicated; on a secondary, its registries",
  checksumTotalCount: "objects that can be checksummed on the primary",
  checksummedCount: "objects that were checksummed on the primary",
  checksumFailedCount: "objects whose checksum could not be made on the primary",
  registryCount: "registries on the secondary",
  syncedCount: "objects that are synced on the secondary",
  failedCount: "objects that failed to sync on the secondary",
  verificationTotalCount: "objects that can be verified on the secondary",
  verifiedCount: "objects that were verified on the secondary",
  verificationFailedCount: "objects that failed their verification on the secondary",
  oldestUnsyncedTime: "Unix time since which the oldest object waits that is not synced, -1 when none does",
};

/** A type as far as its gauges go. */
export interface GaugedType {
  readonly names: Pick<ReplicableNames, "titlePlural" | "statusFields" | "gauges">;
}

/** Geo exports integers alone; what is null was not gathered there. */
export const integerOf = (status: SiteStatus, field: string): number | undefined => {
  const value = status[field];
  return Number.isSafeInteger(value) ? Number(value) : undefined;
};

/** The gauges of a type, each with the status field that it is read from (F62). */
export const gaugesOf = ({ names }: GaugedType): readonly (Described & { readonly field: string })[] =>
  // The keys are those of the table above.
  (Object.keys(MEANING) as GaugeKey[]).map((key) => ({
    name: names.gauges[key],
    help: `${names.titlePlural}: ${MEANING[key]}`,
    field: names.statusFields[key],
  }));

/** Those of Geo's gauges of a site as a whole that mean something here. */
export const SITE_GAUGES: readonly (Described & { readonly field: string })[] = [
  {
    name: "geo_last_event_timestamp",
    help: "Unix time of the newest change of the primary's records, as the site knows it",
    field: "last_event_timestamp",
  },
  {
    name: "geo_cursor_last_event_timestamp",
    help: "Unix time of the newest change of the secondary's registry",
    field: "cursor_last_event_timestamp",
  },
  {
    name: "geo_last_successful_status_check_timestamp",
    help: "Unix time at which the site last looked at itself",
    field: "last_successful_status_check_timestamp",
  },
];
