import { Duration } from "aws-cdk-lib";
import { AuthorizationType, LambdaIntegration, type RestApi } from "aws-cdk-lib/aws-apigateway";
import { Construct } from "constructs";

import { env } from "../../functions/admin-page/env.ts";
import { functionName } from "../../shared/geo/physical-names.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { PAGE_BUILDER } from "../constructs/function-folder.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import type { GeoSiteProps } from "../constructs/geo-site.ts";

/**
 * Takes the API's own default away: an option that is left out is the parent's, and only one that is there and undefined is
 * none. The CDK's types know no such value, hence the detour.
 */
const WITHOUT_AUTHORIZER = Object.fromEntries([["authorizer", undefined]]);

export interface AdminPageProps extends GeoSiteProps {
  /** The site's API, which the page stands beside and asks. */
  readonly api: RestApi;
}

/**
 * At every site: serves the admin page under `/admin` of the site's own API. The function has no rights and is open to
 * everybody, since nothing that it serves is about this site: the page's script asks the API, with the token of whoever looks.
 */
export class AdminPage extends Construct {
  constructor(scope: Construct, { config, site, api }: AdminPageProps) {
    super(scope, "AdminPage");
    const server = new GeoFunction(this, "Server", {
      folder: "admin-page",
      functionName: functionName(config, site, "admin-page"),
      description: `Serves the admin page of ${site.name}`,
      schema: env,
      environment: { SITE_NAME: site.name },
      timeout: Duration.seconds(10),
      memorySize: 256,
      tracing: config.tracing,
      furtherFiles: PAGE_BUILDER,
    });
    const admin = api.root.addResource("admin", {
      defaultIntegration: new LambdaIntegration(server.function, { allowTestInvoke: false }),
      defaultMethodOptions: { authorizationType: AuthorizationType.NONE, ...WITHOUT_AUTHORIZER },
    });
    // The proxy is of everything beneath, and not of the address that people shorten it to.
    for (const method of [admin.addMethod("GET"), admin.addProxy({ anyMethod: true })]) {
      acknowledge(method, {
        APIG4: "The page is the same for everybody and holds no data; each call that it makes is authorized.",
        COG4: "The page is the same for everybody and holds no data; each call that it makes is authorized.",
      });
    }
  }
}
