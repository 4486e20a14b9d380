import { Construct } from "constructs";

import { reportsDrift } from "../../shared/config/geo-config.ts";
import { secondaryNames } from "../../shared/geo/physical-names.ts";
import { DriftQueue } from "../constructs/drift-queue.ts";
import { bucketOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { RegistryTable, SiteTable } from "../constructs/registry-table.ts";
import { CHANGES_OF_A_REPLICA } from "../../shared/geo/reported-changes.ts";
import { ReplicatedBucket, reportExistingBucket } from "../constructs/replicated-bucket.ts";

/**
 * What a secondary keeps: its bucket of replicas (unless it was given one), the queue that its changes go to, its registry
 * and its site table.
 */
export class GeoSecondaryStorage extends Construct {
  /** Stream of the registry, for the counters. */
  readonly streamArn: string;

  constructor(scope: Construct, id: string, { config, site }: GeoSiteProps) {
    super(scope, id);
    const names = secondaryNames(config, site);
    const { bucketName } = bucketOf(config, site);
    const report = reportsDrift(site)
      ? { events: CHANGES_OF_A_REPLICA, queue: new DriftQueue(this, "Drift", { config, site }).queue }
      : undefined;
    if (site.existingBucket === undefined) {
      new ReplicatedBucket(this, "Bucket", {
        bucketName,
        noncurrentVersionDays: config.noncurrentVersionDays,
        report,
      });
    } else if (report !== undefined) {
      reportExistingBucket(this, "Bucket", { bucketName, report });
    }
    this.streamArn = new RegistryTable(this, "Registry", { tableName: names.registryTable }).streamArn;
    new SiteTable(this, "Site", { tableName: names.siteTable });
  }
}
