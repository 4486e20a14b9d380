import type { ReplicableNames, StatusFieldKey } from "./naming.ts";
import type { SiteStatus, StatusReplicable } from "./site-status.ts";

/**
 * GitLab's usage object of Geo (F70): how many sites there are, and of each secondary that is counted on every number that
 * its status has of its types. Pure.
 */
export interface UsageData {
  readonly geo_enabled: boolean;
  /** Sites that are counted on, the primary included. */
  readonly geo_nodes: number;
  /** Null: there is no event table, so no event has a number. */
  readonly geo_event_log_max_id: null;
  /** Null: nobody signs in at a secondary. */
  readonly geo_secondary_web_oauth_users: null;
  readonly geo_node_usage: readonly Readonly<Record<string, number>>[];
}

/** What stands for a number that a site does not gather: GitLab's own word for it in usage data. */
const NOT_GATHERED = -1;

/** What a number of a type means, for the schema. */
const MEANINGS: Readonly<Record<Exclude<StatusFieldKey, "syncedInPercentage" | "verifiedInPercentage">, string>> = {
  count: "on the secondary",
  checksumTotalCount: "to checksum on the primary; -1, since a secondary does not gather it",
  checksummedCount: "checksummed on the primary; -1, since a secondary does not gather it",
  checksumFailedCount: "failed to checksum on the primary; -1, since a secondary does not gather it",
  registryCount: "in the registry",
  syncedCount: "synced",
  failedCount: "failed to sync",
  verificationTotalCount: "available to verify; -1 where they are not verified",
  verifiedCount: "verified; -1 where they are not verified",
  verificationFailedCount: "that failed verification; -1 where they are not verified",
  oldestUnsyncedTime: "that wait for longest to be synced: since when, in seconds since the epoch; -1 when none waits",
};

/** The keys of the fields that are numbers. */
const NUMBERS = Object.keys(MEANINGS) as (keyof typeof MEANINGS)[]; // it has no other keys

/** Every number of every type in a secondary's status. */
const usageOf = (status: SiteStatus, types: readonly StatusReplicable[]): Readonly<Record<string, number>> =>
  Object.fromEntries(
    types.flatMap(({ names: { statusFields } }) =>
      NUMBERS.map((key) => {
        const value = status[statusFields[key]];
        return [statusFields[key], typeof value === "number" ? value : NOT_GATHERED];
      }),
    ),
  );

/** @param secondaries statuses of those that are counted on */
export const usageData = (
  sites: number,
  secondaries: readonly SiteStatus[],
  types: readonly StatusReplicable[],
): UsageData => ({
  geo_enabled: true,
  geo_nodes: sites,
  geo_event_log_max_id: null,
  geo_secondary_web_oauth_users: null,
  geo_node_usage: secondaries.map((status) => usageOf(status, types)),
});

/** The JSON schema of `geo_node_usage`, from the declared types. docs/api/geo_node_usage.json is this, as a file. */
export const usageSchema = (
  types: readonly { readonly names: Pick<ReplicableNames, "statusFields" | "titlePlural"> }[],
) => ({
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "geo_node_usage",
  description:
    "One object for each enabled secondary; an installation that does not replicate all types has fewer numbers.",
  type: "array",
  items: {
    type: "object",
    additionalProperties: false,
    properties: Object.fromEntries(
      types.flatMap(({ names: { statusFields, titlePlural } }) =>
        NUMBERS.map((key) => [
          statusFields[key],
          {
            type: "number",
            description: `${key === "oldestUnsyncedTime" ? "Of" : "Number of"} ${titlePlural} ${MEANINGS[key]}`,
          },
        ]),
      ),
    ),
  },
});
