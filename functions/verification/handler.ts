import { dynamoClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { awsVerifyingSite } from "../../shared/aws/secondary-site.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { SqsSource } from "../../shared/aws/sqs-source.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { sqsHandler } from "../../shared/lambda/sqs-handler.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { consumeVerifications } from "../../shared/services/consume.ts";
import { KeyCapacity } from "../../shared/services/key-capacity.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "verification" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const { settings, standing } = new CachedSiteRecord(new DynamoTable(dynamoClient(), config.SITE_TABLE), systemClock);
const site = awsVerifyingSite(config, telemetry, replicables, {
  switchesOf: (table, clock) => new CachedSwitches(table, replicables, clock),
  standing,
});
const parking = new SqsQueue(sqsClient(), config.PARKING_QUEUE);
const capacity = new KeyCapacity(settings, "verification_max_capacity", Number(config.WORKERS_MAX));

/** Reads the replicas of the keys that a batch of the verification queue names, and compares. */
export const handler = sqsHandler(
  { timeoutMs: site.functionTimeoutMs, now: () => site.clock.now(), source: new SqsSource(sqsClient()) },
  eachMessage(telemetry, (message, { stopAt }) =>
    consumeVerifications({ site, replicables, parking, stopAt, capacity }, message),
  ),
);
