import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import { Construct } from "constructs";

import { reportsDrift } from "../../shared/config/geo-config.ts";
import { SiteDashboard } from "../constructs/dashboard.ts";
import { SavedQueries } from "../constructs/saved-queries.ts";
import type { GeoSiteProps } from "../constructs/geo-site.ts";
import { AdminPage } from "../subsystems/admin-page.ts";
import { Authorizer } from "../subsystems/authorizer.ts";
import { BulkUpdate } from "../subsystems/bulk-update.ts";
import { CounterAudit } from "../subsystems/counter-audit.ts";
import { Counters } from "../subsystems/counters.ts";
import { EventConsumer } from "../subsystems/event-consumer.ts";
import { LargeCopy } from "../subsystems/large-copy.ts";
import { RegistryConsistency } from "../subsystems/registry-consistency.ts";
import { ReplicaDrift } from "../subsystems/replica-drift.ts";
import { RetrySweep } from "../subsystems/retry-sweep.ts";
import { SiteStatus } from "../subsystems/site-status.ts";
import { StatusApi } from "../subsystems/status-api.ts";
import { Verification } from "../subsystems/verification.ts";

export interface GeoSecondarySiteProps extends GeoSiteProps {
  /** `streamArn` of the secondary's storage. */
  readonly streamArn: string;
}

/** What works at a secondary, and holds nothing that can not be made again. */
export class GeoSecondarySite extends Construct {
  readonly api: RestApi;
  readonly consumer: EventConsumer;
  readonly verification: Verification;

  constructor(scope: Construct, id: string, { config, site, streamArn }: GeoSecondarySiteProps) {
    super(scope, id);
    const props = { config, site };
    this.consumer = new EventConsumer(this, props);
    this.verification = new Verification(this, props);
    if (reportsDrift(site)) new ReplicaDrift(this, props);
    new RetrySweep(this, props);
    new BulkUpdate(this, props);
    new LargeCopy(this, props);
    new RegistryConsistency(this, props);
    new Counters(this, { ...props, streamArn });
    new CounterAudit(this, props);
    const { authorizer } = new Authorizer(this, props);
    this.api = new StatusApi(this, { ...props, authorizer }).api;
    new AdminPage(this, { ...props, api: this.api });
    new SiteStatus(this, { ...props, api: this.api });
    new SiteDashboard(this, props);
    new SavedQueries(this, props);
  }
}
