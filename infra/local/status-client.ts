import * as z from "zod/mini";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { DemoSite } from "./demo-world.ts";

/** Counts of one type at one site, as its API tells them. */
export interface TypeCounts {
  readonly title: string;
  /** Rows; at the primary, objects that it has a record of. */
  readonly rows: number;
  readonly synced: number;
  readonly failed: number;
  readonly verified: number;
  readonly verificationFailed: number;
}

const Statuses = z.array(z.record(z.string(), z.unknown())).check(z.minLength(1));

/** The API did not answer as it should. */
export class StatusUnavailableError extends Error {
  override readonly name = "StatusUnavailableError";
}

/** Asks a site's status API, over HTTP and with its token, as anybody would. */
export const readStatus = async (
  site: Pick<DemoSite, "apiUrl" | "adminToken">,
): Promise<Readonly<Record<string, unknown>>> => {
  const url = `${site.apiUrl}/api/v4/geo_sites/status`;
  const response = await fetch(url, {
    headers: { "private-token": site.adminToken },
    signal: AbortSignal.timeout(30_000),
  });
  const body = await response.text();
  if (response.status !== 200)
    throw new StatusUnavailableError(`${url} answered ${response.status}: ${body.slice(0, 300)}`);
  const [status] = Statuses.parse(JSON.parse(body));
  return status ?? {};
};

/** The counts of each type at a site. */
export const readCounts = async (
  site: Pick<DemoSite, "role" | "apiUrl" | "adminToken">,
  replicables: readonly Replicable[],
): Promise<readonly TypeCounts[]> => {
  const status = await readStatus(site);
  const number = (field: string): number => {
    const value = status[field];
    return typeof value === "number" ? value : 0;
  };
  return replicables.map(({ names: { titlePlural, statusFields } }) => ({
    title: titlePlural,
    rows: number(site.role === "primary" ? statusFields.count : statusFields.registryCount),
    synced: number(statusFields.syncedCount),
    failed: number(statusFields.failedCount),
    verified: number(site.role === "primary" ? statusFields.checksummedCount : statusFields.verifiedCount),
    verificationFailed: number(
      site.role === "primary" ? statusFields.checksumFailedCount : statusFields.verificationFailedCount,
    ),
  }));
};

/** The counts of all types together. */
export const sumCounts = (counts: readonly TypeCounts[]): TypeCounts =>
  counts.reduce(
    (sum, one) => ({
      title: "All",
      rows: sum.rows + one.rows,
      synced: sum.synced + one.synced,
      failed: sum.failed + one.failed,
      verified: sum.verified + one.verified,
      verificationFailed: sum.verificationFailed + one.verificationFailed,
    }),
    { title: "All", rows: 0, synced: 0, failed: 0, verified: 0, verificationFailed: 0 },
  );
