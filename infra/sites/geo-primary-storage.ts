import { Construct } from "constructs";

import type { GeoConfig } from "../../shared/config/geo-config.ts";
import { primaryNames } from "../../shared/geo/physical-names.ts";
import { EventTopics } from "../constructs/event-topics.ts";
import { bucketOf, placeOf } from "../constructs/geo-site.ts";
import { ManifestBucket } from "../constructs/manifest-bucket.ts";
import { RegistryTable, SiteTable } from "../constructs/registry-table.ts";
import { CHANGES_OF_A_BUCKET } from "../../shared/geo/reported-changes.ts";
import { ReplicatedBucket, reportExistingBucket } from "../constructs/replicated-bucket.ts";

export interface GeoPrimaryStorageProps {
  readonly config: GeoConfig;
}

/** What a primary keeps: its bucket (unless it was given one), the topics its changes go to, its tables and manifests. */
export class GeoPrimaryStorage extends Construct {
  /** Stream of the verification-state table, for the counters. */
  readonly streamArn: string;

  constructor(scope: Construct, id: string, { config }: GeoPrimaryStorageProps) {
    super(scope, id);
    const { primary } = config;
    const names = primaryNames(config, primary);
    const { bucketName } = bucketOf(config, primary);
    const topics = new EventTopics(this, "Topics", {
      ...placeOf(config, primary),
      bucketEventsTopic: names.bucketEventsTopic,
      geoEventsTopic: names.geoEventsTopic,
      bucketName,
    });
    const report = { events: CHANGES_OF_A_BUCKET, topic: topics.bucketEvents };
    if (primary.existingBucket === undefined) {
      new ReplicatedBucket(this, "Bucket", {
        bucketName,
        noncurrentVersionDays: config.noncurrentVersionDays,
        report,
      });
    } else {
      reportExistingBucket(this, "Bucket", { bucketName, report });
    }
    this.streamArn = new RegistryTable(this, "VerificationState", {
      tableName: names.verificationStateTable,
    }).streamArn;
    new SiteTable(this, "Site", { tableName: names.siteTable });
    new ManifestBucket(this, "Manifests", {
      bucketName: names.manifestBucket,
      noncurrentVersionDays: config.noncurrentVersionDays,
    });
  }
}
