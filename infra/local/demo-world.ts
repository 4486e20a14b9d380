import type { ObjectRef, RegistryRow } from "../../shared/geo/registry-row.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import type { DemoBucket } from "./demo-bucket.ts";
import type { RunFile } from "./run-file.ts";

/** A site that is up, seen from outside. */
export interface DemoSite {
  readonly name: string;
  readonly role: "primary" | "secondary";
  readonly region: string;
  readonly bucket: DemoBucket;
  /** Name of its own table; absent where that is in this process. */
  readonly siteTable?: string;
  /** Without a slash at its end. */
  readonly apiUrl: string;
  readonly adminToken: string;
}

/** Sites that are up, on a cloud or in this process: what the demonstration is played on. */
export interface DemoWorld {
  readonly cloud: RunFile["cloud"];
  readonly credentials?: RunFile["credentials"];
  readonly replicables: readonly Replicable[];
  readonly primary: DemoSite;
  /** The secondary that the demonstration is about. */
  readonly secondary: DemoSite;
  /** Secondaries beside it, where more than one was asked for. */
  readonly furtherSecondaries: readonly DemoSite[];
  /** The secondary's row for an object, for measuring lag and for saying what is wrong. */
  registryRow(ref: ObjectRef): Promise<RegistryRow | undefined>;
}

/** Where the site's admin page is. */
export const adminUrlOf = ({ apiUrl }: Pick<DemoSite, "apiUrl">): string => `${apiUrl}/admin/geo/sites`;

/** What is written to `.local/run.json`. */
export const runFileOf = (world: DemoWorld): RunFile => ({
  cloud: world.cloud,
  ...(world.credentials === undefined ? {} : { credentials: world.credentials }),
  sites: [world.primary, world.secondary, ...world.furtherSecondaries].map((site) => ({
    name: site.name,
    role: site.role,
    region: site.region,
    bucket: site.bucket.name,
    ...(site.siteTable === undefined ? {} : { site_table: site.siteTable }),
    api_url: site.apiUrl,
    admin_url: adminUrlOf(site),
    admin_token: site.adminToken,
  })),
  pid: process.pid,
});
