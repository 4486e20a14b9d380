import { Dashboard, PeriodOverride } from "aws-cdk-lib/aws-cloudwatch";
import type { Construct } from "constructs";

import type { GeoConfig } from "../../shared/config/geo-config.ts";
import { installationNames } from "../../shared/geo/physical-names.ts";
import { overviewOf } from "../constructs/dashboard.ts";
import { DrawnSite } from "../constructs/drawn-metrics.ts";
import { GeoStack } from "./geo-stack.ts";

/**
 * One page across all sites, in the primary's region. A dashboard reads metrics and logs of every region of its account, so
 * nothing is copied between regions. It is a stack of its own, since it is the one thing that a new secondary changes: the
 * stacks that work stay as they are (docs/adr/0001-feed-stack.md). Without it nothing stops.
 */
export class OverviewStack extends GeoStack {
  constructor(scope: Construct, { config }: { readonly config: GeoConfig }) {
    const { primary, secondaries } = config;
    const { overview } = installationNames(config);
    super(scope, {
      stackName: overview,
      config,
      site: primary,
      region: primary.region,
      description: `What is drawn of all Geo sites of ${config.name}`,
    });
    const sites = [primary, ...secondaries].map((site) => new DrawnSite({ config, site }));
    new Dashboard(this, "Dashboard", {
      dashboardName: overview,
      periodOverride: PeriodOverride.INHERIT,
      widgets: overviewOf(sites, primary.region),
    });
  }
}
