import { CfnOutput, Stack, Tags } from "aws-cdk-lib";
import type { Construct } from "constructs";

import type { GeoConfig, SiteConfig } from "../../shared/config/geo-config.ts";

/** One stack of an installation: its account, region and name are the configuration's. */
export class GeoStack extends Stack {
  constructor(
    scope: Construct,
    props: {
      readonly stackName: string;
      readonly config: GeoConfig;
      readonly region: string;
      readonly site: SiteConfig;
      readonly description: string;
    },
  ) {
    super(scope, props.stackName, {
      stackName: props.stackName,
      description: props.description,
      env: { account: props.config.account, region: props.region },
    });
    Tags.of(this).add("geo:installation", props.config.name);
    Tags.of(this).add("geo:site", props.site.name);
  }

  /** What people and scripts look for after a deployment. */
  protected output(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) new CfnOutput(this, name, { value });
  }
}
