import { dynamoClient, sfnClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { SfnWorkflow } from "../../shared/aws/sfn-workflows.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { BULK_SLICE_MS } from "../../shared/geo/bulk-progress.ts";
import { readBulkStep } from "../../shared/geo/bulk-step.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import type { BulkSite } from "../../shared/services/bulk-update/bulk-site.ts";
import { type BulkStepAnswer, takeBulkStep } from "../../shared/services/bulk-update/take-step.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "bulk-update" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const sqs = sqsClient(config.REGION);
const tables = dynamoClient(config.REGION);
const flags = new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE);
const site: BulkSite = {
  role: config.ROLE,
  replicables,
  rows: new DynamoTable(tables, config.TABLE),
  siteTable: new DynamoTable(tables, config.SITE_TABLE),
  lookQueue: new SqsQueue(sqs, config.LOOK_QUEUE),
  verificationQueue: config.ROLE === "primary" ? undefined : new SqsQueue(sqs, config.VERIFICATION_QUEUE),
  workflow: new SfnWorkflow(sfnClient(config.REGION), config.STATE_MACHINE),
  switches: new CachedSwitches(flags, replicables, systemClock),
  clock: systemClock,
  chance: systemChance,
  telemetry,
};

/** One step of the workflow, as `shared/geo/bulk-step.ts` reads it from the machine's input. */
export const handler = async (input: unknown): Promise<BulkStepAnswer> => {
  try {
    return await takeBulkStep(site, readBulkStep(input), systemClock.now() + BULK_SLICE_MS);
  } finally {
    telemetry.flush();
  }
};
