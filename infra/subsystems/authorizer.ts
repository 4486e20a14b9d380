import { Duration } from "aws-cdk-lib";
import { RequestAuthorizer } from "aws-cdk-lib/aws-apigateway";
import { Construct } from "constructs";

import { env } from "../../functions/authorizer/env.ts";
import { SITE_TABLE_PARTITIONS, functionName } from "../../shared/geo/physical-names.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";

/** At every site: says who may use the API, from a token that the site table knows by its hash. */
export class Authorizer extends Construct {
  readonly authorizer: RequestAuthorizer;

  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "Authorizer");
    const siteTable = siteTableOf(config, site);
    const authorizer = new GeoFunction(this, "Decider", {
      folder: "authorizer",
      functionName: functionName(config, site, "authorizer"),
      description: `Says who may use the API of ${site.name}`,
      schema: env,
      environment: { SITE_NAME: site.name, SITE_TABLE: siteTable.tableName },
      timeout: Duration.seconds(10),
      memorySize: 256,
      tracing: config.tracing,
    });
    siteTable.grantChangePartition(authorizer, SITE_TABLE_PARTITIONS.token); // it notes when a token was last used

    // A token comes in one header or the other, and API Gateway wants all of its identity sources present. So none is
    // named, which rules out caching, and the function itself tells a missing token (401) from a bad one (403).
    this.authorizer = new RequestAuthorizer(this, "Authorizer", {
      handler: authorizer.function,
      identitySources: [],
      resultsCacheTtl: Duration.seconds(0),
    });
  }
}
