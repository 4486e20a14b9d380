import { createHash } from "node:crypto";
import type { CountedCell } from "./counters.ts";
import { type Health, assessHealth } from "./health.ts";
import type { ReplicableNames, StatusFieldKey } from "./naming.ts";
import { PRODUCT_VERSION } from "./product-version.ts";
import { REPLICATION_STATE } from "./replication-state.ts";
import { VERIFICATION_STATE } from "./verification-state.ts";
import type { WalkProgress } from "./walk-progress.ts";

/** A site's status document: GitLab Geo's `GET /geo_sites/status`, made from counters. Pure. */

export type SiteRole = "primary" | "secondary";

/** A site, as far as its status speaks of it. */
export interface StatusSite {
  readonly name: string;
  readonly role: SiteRole;
  /** AWS region. */
  readonly region: string;
}

/** A type, as far as a status speaks of it. */
export interface StatusReplicable {
  readonly name: string;
  readonly names: Pick<ReplicableNames, "plural" | "statusFields">;
}

/**
 * A site's number in the API. Made from its name, so that every site knows every other's without anybody handing numbers
 * out, and neither a new site nor another order in the configuration changes one. 1 to 2^31 - 1; two of ten sites share
 * one with a chance of 1 in 48 million.
 */
export const siteId = (siteName: string): number =>
  Math.max(1, createHash("sha256").update(siteName, "utf8").digest().readUInt32BE(0) & 0x7fffffff);

const MS_PER_SECOND = 1_000;

/** What an amount of rows makes of a whole, as Geo prints it: `98.50%`; `0.00%` when there is no whole. */
export const percentage = (part: number | null, whole: number | null): string =>
  part === null || whole === null || whole === 0 ? "0.00%" : `${((part / whole) * 100).toFixed(2)}%`;

/**
 * Rows that meet a condition. Not below zero: the counters are read one after the other while rows change, so that a sum
 * may for a moment lack a row that has just left one of them.
 */
const rowsWhere = (cells: readonly CountedCell[], condition: (cell: CountedCell) => boolean): number =>
  Math.max(
    0,
    cells.filter(condition).reduce((sum, { rows }) => sum + rows, 0),
  );

const every = (): boolean => true;
const inState =
  (state: keyof typeof REPLICATION_STATE) =>
  (cell: CountedCell): boolean =>
    cell.state === REPLICATION_STATE[state];
const inVerification =
  (state: keyof typeof VERIFICATION_STATE) =>
  (cell: CountedCell): boolean =>
    cell.verificationState === VERIFICATION_STATE[state];
const isSynced = inState("synced");
const isVerifiable = (cell: CountedCell): boolean => !inVerification("disabled")(cell);

const isQueued = (cell: CountedCell): boolean => inState("pending")(cell) || inState("started")(cell);
const isVerificationQueued = (cell: CountedCell): boolean =>
  inVerification("pending")(cell) || inVerification("started")(cell);

/** A number that was counted, a text, or nothing: this kind of site does not gather it. */
type FieldValue = number | string | null;

const NOT_GATHERED: Readonly<Record<StatusFieldKey, FieldValue>> = {
  count: null,
  checksumTotalCount: null,
  checksummedCount: null,
  checksumFailedCount: null,
  registryCount: null,
  syncedCount: null,
  failedCount: null,
  verificationTotalCount: null,
  verifiedCount: null,
  verificationFailedCount: null,
  syncedInPercentage: percentage(null, null),
  verifiedInPercentage: percentage(null, null),
  oldestUnsyncedTime: null,
};

const fieldsOfPrimary = (cells: readonly CountedCell[]): Readonly<Record<StatusFieldKey, FieldValue>> => ({
  ...NOT_GATHERED,
  count: rowsWhere(cells, every),
  checksumTotalCount: rowsWhere(cells, isVerifiable),
  checksummedCount: rowsWhere(cells, inVerification("succeeded")),
  checksumFailedCount: rowsWhere(cells, inVerification("failed")),
});

const fieldsOfSecondary = (cells: readonly CountedCell[]): Readonly<Record<StatusFieldKey, FieldValue>> => {
  const registries = rowsWhere(cells, every);
  const synced = cells.filter(isSynced);
  const verified = rowsWhere(synced, inVerification("succeeded"));
  return {
    ...NOT_GATHERED,
    count: registries,
    registryCount: registries,
    syncedCount: rowsWhere(synced, every),
    failedCount: rowsWhere(cells, inState("failed")),
    verificationTotalCount: rowsWhere(synced, isVerifiable),
    verifiedCount: verified,
    // Nearly always 0: a failed verification takes the row out of synced as well, so that it is copied again.
    verificationFailedCount: rowsWhere(synced, inVerification("failed")),
    syncedInPercentage: percentage(rowsWhere(synced, every), registries),
    // Geo divides by the registries here too, and not by what can be verified.
    verifiedInPercentage: percentage(verified, registries),
  };
};

/** Ours, beside Geo's fields: what a script that waits for a site needs to see go to zero. */
const queuesOf = (role: SiteRole, plural: string, cells: readonly CountedCell[]): Record<string, number | null> => {
  const atSecondary = role === "secondary";
  return {
    [`${plural}_queued_count`]: atSecondary ? rowsWhere(cells, isQueued) : null,
    [`${plural}_verification_queued_count`]: rowsWhere(
      atSecondary ? cells.filter(isSynced) : cells,
      isVerificationQueued,
    ),
    [`${plural}_bytes`]: Math.max(
      0,
      cells.reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  };
};

const fieldsOfType = (
  role: SiteRole,
  { names }: StatusReplicable,
  cells: readonly CountedCell[] | undefined,
): Readonly<Record<string, FieldValue>> => {
  const gathered = role === "primary" ? fieldsOfPrimary : fieldsOfSecondary;
  const values = cells === undefined ? NOT_GATHERED : gathered(cells);
  const entries = Object.entries(values).map(([key, value]) => [names.statusFields[key as StatusFieldKey], value]);
  const queues = queuesOf(role, names.plural, cells ?? []);
  return {
    ...Object.fromEntries(entries),
    ...(cells === undefined ? Object.fromEntries(Object.keys(queues).map((key) => [key, null])) : queues),
  };
};

/** The fields of a status that do not depend on the types. */
export interface SiteStatusBase extends Health {
  readonly geo_node_id: number;
  readonly name: string;
  readonly primary: boolean;
  readonly region: string;
  /** Seconds since the epoch: when this site last looked at itself. */
  readonly last_successful_status_check_timestamp: number | null;
  readonly version: string;
  readonly revision: null;
  /** Null at a primary, and at a secondary that is not restricted. */
  readonly selective_sync_type: "namespaces" | "shards" | "organizations" | null;
  /** ISO 8601, UTC. */
  readonly updated_at: string;
  /** How far the walks of each type have come, by its name. Null at a primary, and when it could not be read. */
  readonly registry_consistency: Readonly<Record<string, WalkProgress>> | null;
  readonly _links: { readonly self: string; readonly site: string };
}

/** A site's status: the base, and for every type its fields. */
export type SiteStatus = SiteStatusBase & Readonly<Record<string, unknown>>;

/** What a status is made from. */
export interface StatusFacts {
  readonly site: StatusSite;
  readonly replicables: readonly StatusReplicable[];
  /** What was counted, by type; nothing when the counters could not be read. */
  readonly cells: ReadonlyMap<string, readonly CountedCell[]> | undefined;
  /** What is wrong; nothing when all is well. */
  readonly problem?: string;
  /** How far the walks of each type have come; nothing at a primary, or when it could not be read. */
  readonly consistency?: Readonly<Record<string, WalkProgress>>;
  /** What the site is restricted by; nothing when it is not, or when that could not be read. */
  readonly selectiveSync?: "namespaces" | "shards" | "organizations";
  /** When the counters were read, milliseconds since the epoch. */
  readonly readAt: number;
  /** Where the site's API is, without a slash at the end; for links. */
  readonly apiUrl: string;
}

/** Makes the status document. A type that was never counted has zeros; a status without counts has nulls. */
export const siteStatus = (facts: StatusFacts): SiteStatus => {
  const { site, replicables, cells, readAt } = facts;
  const id = siteId(site.name);
  const links = `${facts.apiUrl}/api/v4/geo_sites/${id}`;
  const fields = replicables.map((replicable) =>
    fieldsOfType(site.role, replicable, cells && (cells.get(replicable.name) ?? [])),
  );
  return {
    geo_node_id: id,
    name: site.name,
    primary: site.role === "primary",
    region: site.region,
    ...assessHealth(facts.problem),
    last_successful_status_check_timestamp: cells === undefined ? null : Math.floor(readAt / MS_PER_SECOND),
    version: PRODUCT_VERSION,
    revision: null,
    selective_sync_type: facts.selectiveSync ?? null,
    updated_at: new Date(readAt).toISOString(),
    ...Object.assign({}, ...fields),
    registry_consistency: facts.consistency ?? null,
    _links: { self: `${links}/status`, site: links },
  };
};
