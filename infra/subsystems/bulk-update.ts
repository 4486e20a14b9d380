import { Duration } from "aws-cdk-lib";
import { Grant } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";

import { env } from "../../functions/bulk-update/env.ts";
import {
  SITE_TABLE_PARTITIONS,
  functionName,
  primaryNames,
  secondaryNames,
  siteNames,
} from "../../shared/geo/physical-names.ts";
import { encodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { functionArn, stateMachineArn } from "../constructs/arns.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { flagTableOf, objectTableOf, placeOf, siteTableOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoWorkflow } from "../constructs/geo-workflow.ts";
import { QueueAccess } from "../constructs/queue-access.ts";
import { bulkUpdateWorkflow } from "./bulk-update-workflow.ts";

/** A slice stops beginning pages after 20 seconds (shared/geo/bulk-progress.ts); the page that it is at may be a slow one. */
const TIMEOUT = Duration.minutes(1);

/** Where rows are named to: what they are to be looked at by, and what reads replicas. */
const queuesOf = ({ config, site }: GeoSiteProps): { readonly look: string; readonly verification: string } => {
  if (site.role === "primary") {
    const { checksumQueue } = primaryNames(config, site);
    return { look: checksumQueue, verification: checksumQueue };
  }
  const { backfillQueue, verificationQueue } = secondaryNames(config, site);
  return { look: backfillQueue, verification: verificationQueue };
};

/** At every site: resynchronizes, verifies or tries again many rows, at an operator's word (F77). */
export class BulkUpdate extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "BulkUpdate");
    const here = placeOf(config, site);
    const { bulkUpdate } = siteNames(config, site);
    const queues = queuesOf({ config, site });
    const rows = objectTableOf(config, site);
    const siteTable = siteTableOf(config, site);
    const flags = flagTableOf(config);
    const machine = stateMachineArn(here, bulkUpdate);
    const worker = functionName(config, site, "bulk-update");

    const bulk = new GeoFunction(this, "Worker", {
      folder: "bulk-update",
      functionName: worker,
      description: `Asks many rows of ${site.name} for what an operator wants of them`,
      schema: env,
      environment: {
        SITE_NAME: site.name,
        ROLE: site.role,
        REGION: site.region,
        TABLE: rows.tableName,
        SITE_TABLE: siteTable.tableName,
        LOOK_QUEUE: queues.look,
        VERIFICATION_QUEUE: queues.verification,
        PRIMARY_SITE_TABLE: flags.tableName,
        PRIMARY_REGION: config.primary.region,
        REPLICABLES: encodeReplicableSelection(config.selection),
        STATE_MACHINE: machine,
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    flags.grantLookUpPartition(bulk, SITE_TABLE_PARTITIONS.site);
    // Whether the site is paused. (The primary's own record stands beside the flags.)
    if (site.role === "secondary") siteTable.grantLookUpPartition(bulk, SITE_TABLE_PARTITIONS.site);
    siteTable.grantChangePartition(bulk, SITE_TABLE_PARTITIONS.bulkUpdate);
    rows.grantListRows(bulk);
    rows.grantReadDue(bulk);
    rows.grantReadMany(bulk);
    // A record that is settled is not read again for being named: it has to be marked.
    if (site.role === "primary") rows.grantMark(bulk);
    for (const name of new Set(Object.values(queues))) {
      const queue = new QueueAccess(here, name);
      queue.grantSend(bulk);
      queue.grantMeasure(bulk);
    }
    Grant.addToPrincipal({ grantee: bulk, actions: ["states:StartExecution"], resourceArns: [machine] });

    const workflow = new GeoWorkflow(this, "Workflow", {
      name: bulkUpdate,
      definition: bulkUpdateWorkflow(functionArn(here, worker)),
      calls: [functionArn(here, worker)],
      failureMeaning: `A bulk update at ${site.name} stopped before its end.`,
      runbook: "bulk-update",
      tracing: config.tracing,
      alarmTopicArn: site.alarmTopicArn,
    });
    workflow.node.addDependency(bulk);
  }
}
