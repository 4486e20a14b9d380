import { dynamoClient, s3Reader, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { S3Bucket } from "../../shared/aws/s3-bucket.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { STOP_BEFORE_TIMEOUT_MS } from "../../shared/geo/limits.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { countRecords } from "../../shared/services/count-records.ts";
import { WALK_SETTINGS_DEFAULT } from "../../shared/services/registry-consistency/run-walks.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import {
  backfillRecords,
  type BackfilledOnce,
  type BackfillingSite,
} from "../../shared/services/verification-backfill/backfill-records.ts";
import { env } from "./env.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "verification-backfill" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const siteTable = new DynamoTable(dynamoClient(), config.PRIMARY_SITE_TABLE);
const site: BackfillingSite = {
  clock: systemClock,
  chance: systemChance,
  telemetry,
  functionTimeoutMs: Number(config.TIMEOUT_SECONDS) * 1_000,
  switches: new CachedSwitches(siteTable, replicables, systemClock),
  primary: new S3Bucket({ client: s3Reader(), bucket: config.PRIMARY_BUCKET, accountId: config.ACCOUNT_ID }),
  verificationState: new DynamoTable(dynamoClient(), config.STATE_TABLE),
  siteTable,
  settings: new CachedSiteRecord(siteTable, systemClock).settings,
  recordsCounted: countRecords(siteTable, "verification_state"),
  backfill: new SqsQueue(sqsClient(), config.CHECKSUM_QUEUE),
};
const settings = { ...WALK_SETTINGS_DEFAULT, everyMs: Number(config.CONSISTENCY_DAYS) * DAY_MS };

/** One run: removes what nobody wants, goes on with the walks that are under way, and begins those that are due. */
export const handler = async (): Promise<BackfilledOnce> => {
  try {
    const stopAt = site.clock.now() + site.functionTimeoutMs - STOP_BEFORE_TIMEOUT_MS;
    return await backfillRecords(site, replicables, settings, stopAt);
  } finally {
    telemetry.flush();
  }
};
