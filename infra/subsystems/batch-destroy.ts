import { Duration } from "aws-cdk-lib";
import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import { Construct, type IConstruct } from "constructs";

import { env } from "../../functions/batch-destroy/env.ts";
import { SITE_TABLE_PARTITIONS, functionName, primaryNames, registryPattern } from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { acknowledge } from "../constructs/acknowledge.ts";
import { functionArn, tablesArn, topicArn } from "../constructs/arns.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, manifestBucketOf, placeOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoWorkflow } from "../constructs/geo-workflow.ts";
import { batchDestroyWorkflow } from "./batch-destroy-workflow.ts";

/** A step stops a minute before its time is up and is called again, so the length decides nothing but how often. */
const TIMEOUT = Duration.minutes(5);

/** At the primary: hides all objects of a parent at an operator's word, and brings them back (F80-F83). */
export class BatchDestroy extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "BatchDestroy");
    const here = placeOf(config, site);
    const names = primaryNames(config, site);
    const bucket = bucketOf(config, site);
    const manifests = manifestBucketOf(config);
    const siteTable = siteTableOf(config, site);
    const announcements = topicArn(here, names.geoEventsTopic);
    const worker = functionName(config, site, "batch-destroy");
    const destroy = new GeoFunction(this, "Worker", {
      folder: "batch-destroy",
      functionName: worker,
      description: `Does the steps of batch destroys at ${site.name}`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ACCOUNT_ID: config.account,
        PRIMARY_BUCKET: bucket.bucketName,
        MANIFEST_BUCKET: manifests.bucketName,
        PRIMARY_SITE_TABLE: siteTable.tableName,
        GEO_EVENTS_TOPIC_ARN: announcements,
        SINGLE_COPY_BYTES: String(config.largeObjects.singleCopyBytes),
        PART_BYTES: String(config.largeObjects.partBytes),
        REPLICABLES: encodeReplicableSelection(config.selection),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    bucket.grantHideAndBringBack(destroy);
    manifests.grantKeepTexts(destroy);
    siteTable.grantLookUpPartition(destroy, SITE_TABLE_PARTITIONS.site);
    siteTable.grantKeepPartition(destroy, SITE_TABLE_PARTITIONS.destroy);
    siteTable.grantKeepPartition(destroy, SITE_TABLE_PARTITIONS.destroyParent);
    siteTable.grantKeepPartition(destroy, SITE_TABLE_PARTITIONS.destroyRelease);
    siteTable.grantFillPartitions(destroy, SITE_TABLE_PARTITIONS.destroySlice);
    siteTable.grantFillPartitions(destroy, SITE_TABLE_PARTITIONS.destroyVersions);
    siteTable.grantReadPartition(destroy, SITE_TABLE_PARTITIONS.secondary);
    this.#grantWatchRegistries(destroy, { config, site });
    Grant.addToPrincipal({ grantee: destroy, actions: ["sns:Publish"], resourceArns: [announcements] });

    const workflow = new GeoWorkflow(this, "Workflow", {
      name: names.batchDestroy,
      definition: batchDestroyWorkflow(functionArn(here, worker)),
      calls: [functionArn(here, worker)],
      failureMeaning: `A batch destroy at ${site.name}, or the undoing of one, stopped before its end.`,
      runbook: "batch-destroy",
      tracing: config.tracing,
      alarmTopicArn: site.alarmTopicArn,
    });
    workflow.node.addDependency(destroy);
  }

  /**
   * Read rows of every secondary's registry, to see how far it has followed. By the pattern of their names: were each named
   * here, a new secondary would change the primary's stack (decision 1).
   */
  #grantWatchRegistries(destroy: IGrantable & IConstruct, { config, site }: GeoSiteProps): void {
    const registries = tablesArn(placeOf(config, site), registryPattern(config));
    Grant.addToPrincipal({ grantee: destroy, actions: ["dynamodb:BatchGetItem"], resourceArns: [registries] });
    acknowledge(destroy, {
      [`IAM5[Resource::${registries}]`]: "The registries of this installation's secondaries, which come and go.",
    });
  }
}
