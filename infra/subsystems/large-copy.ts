import { Duration } from "aws-cdk-lib";
import { Construct } from "constructs";

import { env } from "../../functions/large-copy/env.ts";
import { functionName, secondaryNames } from "../../shared/geo/physical-names.ts";
import { functionArn } from "../constructs/arns.ts";
import { EachMinute } from "../constructs/each-minute.ts";
import { GeoFunction } from "../constructs/geo-function.ts";
import { bucketOf, placeOf, type GeoSiteProps } from "../constructs/geo-site.ts";
import { GeoWorkflow } from "../constructs/geo-workflow.ts";
import { grantReplication, replicationEnvironment } from "../constructs/replication.ts";
import { largeCopyWorkflow } from "./large-copy-workflow.ts";

/** The most that Lambda gives: 32 of the largest parts, sixteen at a time, take three minutes at 60 MB a second each. */
const TIMEOUT = Duration.minutes(15);

const MINUTES_PER_DAY = 24 * 60;

/** At a secondary: copies the largest objects, and sweeps uploads that nobody goes on with. */
export class LargeCopy extends Construct {
  constructor(scope: Construct, { config, site }: GeoSiteProps) {
    super(scope, "LargeCopy");
    const here = placeOf(config, site);
    const names = secondaryNames(config, site);
    const worker = functionName(config, site, "large-copy");
    const copier = new GeoFunction(this, "Copier", {
      folder: "large-copy",
      functionName: worker,
      description: `Copies the largest objects to ${site.name}, in parts`,
      schema: env,
      environment: {
        ...replicationEnvironment({ config, site }),
        TIMEOUT_SECONDS: String(TIMEOUT.toSeconds()),
      },
      timeout: TIMEOUT,
      memorySize: 512,
      tracing: config.tracing,
    });
    grantReplication({ config, site }, copier);
    bucketOf(config, site).grantSweepUploads(copier);
    new EachMinute(this, {
      scheduleName: names.largeCopy,
      description: `Sweeps uploads that nobody goes on with from the bucket of ${site.name}`,
      function: copier.function,
      everyMinutes: MINUTES_PER_DAY,
      input: { step: "sweep_uploads" },
      deadLetterQueueName: names.largeCopyDeadLetterQueue,
      runbook: "large-copy",
      alarmTopicArn: site.alarmTopicArn,
    });
    const workflow = new GeoWorkflow(this, "Workflow", {
      name: names.largeCopy,
      definition: largeCopyWorkflow(functionArn(here, worker)),
      calls: [functionArn(here, worker)],
      failureMeaning: `A copy of a very large object to ${site.name} stopped before its end; its row starts another.`,
      runbook: "large-copy",
      tracing: config.tracing,
      alarmTopicArn: site.alarmTopicArn,
    });
    workflow.node.addDependency(copier);
  }
}
