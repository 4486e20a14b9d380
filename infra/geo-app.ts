import { Validations, type App } from "aws-cdk-lib";
import { AwsSolutionsChecks } from "cdk-nag";

import type { GeoConfig } from "../shared/config/geo-config.ts";
import { OverviewStack } from "./stacks/overview-stack.ts";
import { FeedStack } from "./stacks/feed-stack.ts";
import { SiteStack } from "./stacks/site-stack.ts";
import { SiteStorageStack } from "./stacks/site-storage-stack.ts";

/**
 * Puts an installation's stacks into an app: per site what it keeps and what works there, per secondary its feed, and one page
 * across all of them. No stack refers to another region, so the regions can be deployed in any order.
 */
export const addGeoStacks = (app: App, config: GeoConfig): void => {
  const { primary, secondaries } = config;
  const primaryStorage = new SiteStorageStack(app, { config, site: primary });
  new SiteStack(app, { config, site: primary, storage: primaryStorage });
  for (const site of secondaries) {
    const storage = new SiteStorageStack(app, { config, site });
    new SiteStack(app, { config, site, storage });
    new FeedStack(app, { config, site, primaryStorage });
  }
  new OverviewStack(app, { config });
};

/** Has every synthesis checked against AWS's own advice; a finding without a reason beside its resource fails it. */
export const checkWithNag = (app: App): void => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
};
