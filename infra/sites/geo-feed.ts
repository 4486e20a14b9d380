import { Construct } from "constructs";

import type { GeoSiteProps } from "../constructs/geo-site.ts";
import { EventPublisher } from "../subsystems/event-publisher.ts";

/**
 * What carries the primary's changes to one secondary. It is in the primary's region, where its topics are, and yet
 * belongs to the secondary: it comes and goes with it (docs/adr/0001-feed-stack.md).
 */
export class GeoFeed extends Construct {
  readonly publisher: EventPublisher;

  constructor(scope: Construct, id: string, props: GeoSiteProps) {
    super(scope, id);
    this.publisher = new EventPublisher(this, props);
  }
}
