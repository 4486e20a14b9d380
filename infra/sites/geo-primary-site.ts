import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import { Construct } from "constructs";

import type { GeoConfig } from "../../shared/config/geo-config.ts";
import { SiteDashboard } from "../constructs/dashboard.ts";
import { SavedQueries } from "../constructs/saved-queries.ts";
import { AdminPage } from "../subsystems/admin-page.ts";
import { Authorizer } from "../subsystems/authorizer.ts";
import { BulkUpdate } from "../subsystems/bulk-update.ts";
import { BatchDestroy } from "../subsystems/batch-destroy.ts";
import { Checksum } from "../subsystems/checksum.ts";
import { CounterAudit } from "../subsystems/counter-audit.ts";
import { Counters } from "../subsystems/counters.ts";
import { RetrySweep } from "../subsystems/retry-sweep.ts";
import { SiteStatus } from "../subsystems/site-status.ts";
import { StatusApi } from "../subsystems/status-api.ts";
import { VerificationBackfill } from "../subsystems/verification-backfill.ts";

export interface GeoPrimarySiteProps {
  readonly config: GeoConfig;
  /** `streamArn` of the primary's storage. */
  readonly streamArn: string;
}

/** What works at a primary, and holds nothing that can not be made again. */
export class GeoPrimarySite extends Construct {
  readonly api: RestApi;
  readonly checksum: Checksum;

  constructor(scope: Construct, id: string, { config, streamArn }: GeoPrimarySiteProps) {
    super(scope, id);
    const props = { config, site: config.primary };
    this.checksum = new Checksum(this, props);
    new BatchDestroy(this, props);
    new RetrySweep(this, props);
    new BulkUpdate(this, props);
    new VerificationBackfill(this, props);
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
