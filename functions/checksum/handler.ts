import { dynamoClient, s3Reader, snsClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { S3Bucket } from "../../shared/aws/s3-bucket.ts";
import { SnsTopic } from "../../shared/aws/sns-topic.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { SqsSource } from "../../shared/aws/sqs-source.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { checksumRules } from "../../shared/geo/checksum-policy.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { sqsHandler } from "../../shared/lambda/sqs-handler.ts";
import type { PrimarySite } from "../../shared/ports/site.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { KeyCapacity } from "../../shared/services/key-capacity.ts";
import { recordChecksums } from "../../shared/services/record-checksums.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const timeoutMs = Number(config.TIMEOUT_SECONDS) * 1_000;
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "checksum" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const siteTable = new DynamoTable(dynamoClient(), config.PRIMARY_SITE_TABLE);
const site: PrimarySite = {
  name: config.SITE_NAME,
  clock: systemClock,
  chance: systemChance,
  telemetry,
  functionTimeoutMs: timeoutMs,
  switches: new CachedSwitches(siteTable, replicables, systemClock),
  bucket: new S3Bucket({ client: s3Reader(), bucket: config.PRIMARY_BUCKET, accountId: config.ACCOUNT_ID }),
  verificationState: new DynamoTable(dynamoClient(), config.STATE_TABLE),
  checksums: checksumRules(replicables),
  geoEvents: new SnsTopic(snsClient(), config.GEO_EVENTS_TOPIC_ARN),
};
const parking = new SqsQueue(sqsClient(), config.PARKING_QUEUE);
const { settings } = new CachedSiteRecord(siteTable, systemClock);
const capacity = new KeyCapacity(settings, "verification_max_capacity", Number(config.WORKERS_MAX));

/** Brings the primary's record of the keys that a batch of the checksum queue names up to date. */
export const handler = sqsHandler(
  { timeoutMs, now: () => site.clock.now(), source: new SqsSource(sqsClient()) },
  eachMessage(telemetry, (message, { stopAt }) =>
    recordChecksums({ site, replicables, primaryBucket: config.PRIMARY_BUCKET, parking, stopAt, capacity }, message),
  ),
);
