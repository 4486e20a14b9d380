import { Construct } from "constructs";

import { secondaryNames } from "../../shared/geo/physical-names.ts";
import { bucketOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { RegistryTable, SiteTable } from "../constructs/registry-table.ts";
import { ReplicatedBucket } from "../constructs/replicated-bucket.ts";

/** What a secondary keeps: its bucket of replicas (unless it was given one), its registry and its site table. */
export class GeoSecondaryStorage extends Construct {
  /** Stream of the registry, for the counters. */
  readonly streamArn: string;

  constructor(scope: Construct, id: string, { config, site }: GeoSiteProps) {
    super(scope, id);
    const names = secondaryNames(config, site);
    if (site.existingBucket === undefined) {
      new ReplicatedBucket(this, "Bucket", {
        bucketName: bucketOf(config, site).bucketName,
        noncurrentVersionDays: config.noncurrentVersionDays,
      });
    }
    this.streamArn = new RegistryTable(this, "Registry", { tableName: names.registryTable }).streamArn;
    new SiteTable(this, "Site", { tableName: names.siteTable });
  }
}
