import type { GeoConfig, SiteConfig } from "../../shared/config/geo-config.ts";
import { bucketName, primaryNames, secondaryNames } from "../../shared/geo/physical-names.ts";
import type { Place } from "./arns.ts";
import { BucketAccess } from "./bucket-access.ts";
import { TableAccess } from "./table-access.ts";

/** What the constructs of one site are given. */
export interface GeoSiteProps {
  readonly config: GeoConfig;
  readonly site: SiteConfig;
}

/** Where a site's resources are. */
export const placeOf = (config: GeoConfig, site: SiteConfig): Place => ({
  account: config.account,
  region: site.region,
});

/** A site's bucket: its own, or the one it was given. */
export const bucketOf = (config: GeoConfig, site: SiteConfig): BucketAccess =>
  new BucketAccess({
    bucketName: site.existingBucket?.name ?? bucketName(config, site),
    region: site.region,
    kmsKeyArn: site.existingBucket?.kmsKeyArn,
  });

/** Where the primary freezes what batch destroys are going to hide. */
export const manifestBucketOf = ({ primary, ...config }: GeoConfig): BucketAccess =>
  new BucketAccess({ bucketName: primaryNames(config, primary).manifestBucket, region: primary.region });

/** The primary's verification-state table. */
export const stateTableOf = (config: GeoConfig): TableAccess =>
  new TableAccess(placeOf(config, config.primary), primaryNames(config, config.primary).verificationStateTable);

/** A secondary's registry. */
export const registryOf = (config: GeoConfig, secondary: SiteConfig): TableAccess =>
  new TableAccess(placeOf(config, secondary), secondaryNames(config, secondary).registryTable);

/** The table with a row per object that a site keeps: verification state at the primary, the registry at a secondary. */
export const objectTableOf = (config: GeoConfig, site: SiteConfig): TableAccess =>
  site.role === "primary" ? stateTableOf(config) : registryOf(config, site);

/** A site's small table of tokens and counters. */
export const siteTableOf = (config: GeoConfig, site: SiteConfig): TableAccess =>
  new TableAccess(
    placeOf(config, site),
    site.role === "primary" ? primaryNames(config, site).siteTable : secondaryNames(config, site).siteTable,
  );

/** The primary's small table, where the feature flags of all sites are. */
export const flagTableOf = (config: GeoConfig): TableAccess => siteTableOf(config, config.primary);
