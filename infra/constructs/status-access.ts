import type { IGrantable } from "aws-cdk-lib/aws-iam";

import { SITE_TABLE_PARTITIONS } from "../../shared/geo/physical-names.ts";
import { flagTableOf, siteTableOf, type GeoSiteProps } from "./geo-site.ts";

/**
 * What a function needs with which a site looks at itself: the one that does so each minute, and the API, which does so when
 * it is asked to. A secondary writes into the primary's table as well: its own status, whose partition is named after it, and
 * that there is such a site. It can not write another one's status.
 */
export const grantGathering = (grantee: IGrantable, { config, site }: GeoSiteProps): void => {
  const siteTable = siteTableOf(config, site);
  const own = `${SITE_TABLE_PARTITIONS.status}#${site.name}`;
  siteTable.grantReadPartition(grantee, SITE_TABLE_PARTITIONS.counter);
  siteTable.grantReadPartition(grantee, SITE_TABLE_PARTITIONS.counterAudit);
  siteTable.grantReplaceInPartition(grantee, SITE_TABLE_PARTITIONS.rollUp);
  siteTable.grantChangePartition(grantee, own);
  if (site.role === "primary") return;
  const primary = flagTableOf(config);
  primary.grantLookUpPartition(grantee, `${SITE_TABLE_PARTITIONS.status}#${config.primary.name}`);
  primary.grantMarkPartition(grantee, own);
  primary.grantMarkPartition(grantee, SITE_TABLE_PARTITIONS.knownSite);
};
