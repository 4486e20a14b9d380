import type { Construct } from "constructs";

import { stackNames } from "../../shared/geo/physical-names.ts";
import type { GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoFeed } from "../sites/geo-feed.ts";
import { GeoStack } from "./geo-stack.ts";
import type { SiteStorageStack } from "./site-storage-stack.ts";

export interface FeedStackProps extends GeoSiteProps {
  /** The primary's storage, whose topics are subscribed to. */
  readonly primaryStorage: SiteStorageStack;
}

/** A secondary's feed, in the primary's region (docs/adr/0001-feed-stack.md). */
export class FeedStack extends GeoStack {
  constructor(scope: Construct, { config, site, primaryStorage }: FeedStackProps) {
    super(scope, {
      stackName: stackNames(config, site).feed,
      config,
      site,
      region: config.primary.region,
      description: `Carries the changes of the Geo primary ${config.primary.name} to ${site.name}`,
    });
    this.addStackDependency(primaryStorage);
    const { publisher } = new GeoFeed(this, "Feed", { config, site });
    this.output({ IngestQueueUrl: publisher.ingest.queue.queueUrl });
  }
}
