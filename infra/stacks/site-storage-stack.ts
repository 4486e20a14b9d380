import type { Construct } from "constructs";

import { primaryNames, secondaryNames, stackNames } from "../../shared/geo/physical-names.ts";
import { bucketOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoPrimaryStorage } from "../sites/geo-primary-storage.ts";
import { GeoSecondaryStorage } from "../sites/geo-secondary-storage.ts";
import { GeoStack } from "./geo-stack.ts";

/** What a site keeps. Deleting the stack leaves bucket and tables where they are. */
export class SiteStorageStack extends GeoStack {
  readonly streamArn: string;

  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, {
      stackName: stackNames(config, site).storage,
      config,
      site,
      region: site.region,
      description: `What the Geo ${site.role} ${site.name} keeps`,
    });
    if (site.role === "primary") {
      this.streamArn = new GeoPrimaryStorage(this, "Primary", { config }).streamArn;
      const { verificationStateTable, siteTable } = primaryNames(config, site);
      this.output({ VerificationStateTable: verificationStateTable, SiteTable: siteTable });
    } else {
      this.streamArn = new GeoSecondaryStorage(this, "Secondary", { config, site }).streamArn;
      const { registryTable, siteTable } = secondaryNames(config, site);
      this.output({ RegistryTable: registryTable, SiteTable: siteTable });
    }
    this.output({ BucketName: bucketOf(config, site).bucketName });
  }
}
