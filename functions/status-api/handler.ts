import { randomBytes } from "node:crypto";
import { dynamoClient, sfnClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { SfnWorkflow } from "../../shared/aws/sfn-workflows.ts";
import { SqsDeadLetters } from "../../shared/aws/sqs-dead-letters.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { decodeRedrivableQueues } from "../../shared/geo/redrivable-queues.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { httpHandler } from "../../shared/lambda/http-handler.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { statusApp } from "./app.ts";
import { env } from "./env.ts";

const { SITE_NAME: name, ROLE: role, REGION: region, ...config } = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: name, service: "status-api" });
const clock = systemClock;
const selected = applySelection(replicables, decodeReplicableSelection(config.REPLICABLES));
const primarySiteTable = new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE);
const app = statusApp({
  site: { name, role, region },
  replicables: selected,
  siteTable: new DynamoTable(dynamoClient(region), config.SITE_TABLE),
  rows: new DynamoTable(dynamoClient(region), config.TABLE),
  randomBytes,
  primarySiteTable,
  switches: new CachedSwitches(primarySiteTable, selected, clock),
  primary: role === "primary" ? undefined : { name: config.PRIMARY_NAME, siteTable: primarySiteTable },
  destroys: new SfnWorkflow(sfnClient(config.PRIMARY_REGION), config.BATCH_DESTROY_MACHINE),
  chance: systemChance,
  bulkWorkflow: new SfnWorkflow(sfnClient(region), config.BULK_UPDATE_MACHINE),
  syncObjectStorage: config.SYNC_OBJECT_STORAGE === "true",
  syncTimeoutSeconds: Number(config.SYNC_TIMEOUT_SECONDS),
  redrivable: decodeRedrivableQueues(config.REDRIVABLE_QUEUES).map((one) => ({
    name: one.name,
    queue: new SqsQueue(sqsClient(one.region), one.queue),
    deadLetters: new SqsDeadLetters(sqsClient(one.region), one.dead_letters),
  })),
  clock,
  telemetry,
});

/** Answers the API's calls. */
export const handler = flushing(telemetry, httpHandler(app, { clock, telemetry }));
