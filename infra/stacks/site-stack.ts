import type { RestApi } from "aws-cdk-lib/aws-apigateway";
import type { Construct } from "constructs";

import { stackNames } from "../../shared/geo/physical-names.ts";
import type { GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoPrimarySite } from "../sites/geo-primary-site.ts";
import { GeoSecondarySite } from "../sites/geo-secondary-site.ts";
import { GeoStack } from "./geo-stack.ts";
import type { SiteStorageStack } from "./site-storage-stack.ts";

export interface SiteStackProps extends GeoSiteProps {
  /** The same site's storage, in the same region. */
  readonly storage: SiteStorageStack;
}

/** What works at a site. It can be deleted and deployed again: what it needs to remember is in the storage stack. */
export class SiteStack extends GeoStack {
  constructor(scope: Construct, { config, site, storage }: SiteStackProps) {
    super(scope, {
      stackName: stackNames(config, site).site,
      config,
      site,
      region: site.region,
      description: `The Geo ${site.role} ${site.name}`,
    });
    this.addStackDependency(storage);
    const { streamArn } = storage;
    if (site.role === "primary") {
      const primary = new GeoPrimarySite(this, "Primary", { config, streamArn });
      this.output({ ChecksumQueueUrl: primary.checksum.changes.queue.queueUrl });
      this.#outputApi(primary.api);
    } else {
      const secondary = new GeoSecondarySite(this, "Secondary", { config, site, streamArn });
      this.output({
        EventsQueueUrl: secondary.consumer.events.queue.queueUrl,
        VerificationQueueUrl: secondary.verification.requests.queue.queueUrl,
      });
      this.#outputApi(secondary.api);
    }
  }

  #outputApi(api: RestApi): void {
    const url = api.url.replace(/\/$/, ""); // paths are written behind it, and begin with a slash themselves
    this.output({ ApiUrl: url, ApiId: api.restApiId, ApiStage: api.deploymentStage.stageName });
  }
}
