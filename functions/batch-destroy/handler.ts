import { dynamoClient, s3PartCopier, s3Reader, s3Writer, snsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { S3DestroyableBucket } from "../../shared/aws/s3-destroyable-bucket.ts";
import { S3ManifestStore } from "../../shared/aws/s3-manifest-store.ts";
import { SnsTopic } from "../../shared/aws/sns-topic.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { copyLimitsOf } from "../../shared/geo/copy-limits.ts";
import { parseDestroyStep } from "../../shared/geo/destroy-step.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import type { DestroyingSite } from "../../shared/ports/destroy.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { destroyStep } from "../../shared/services/batch-destroy/destroy-step.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { knownSecondaries, listSecondaries } from "../../shared/tables/site/known-secondary.ts";
import { env } from "./env.ts";

/**
 * Time that is left when a step stops: a slice that is being hidden takes seconds, or half a minute when S3 is slow. Copies of an
 * undo are begun only if they end before that.
 */
const STOP_BEFORE_TIMEOUT_MS = 60_000;

const config = parseEnv(env, process.env);
const timeoutMs = Number(config.TIMEOUT_SECONDS) * 1_000;
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "batch-destroy" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const siteTable = new DynamoTable(dynamoClient(), config.PRIMARY_SITE_TABLE);
const reader = s3Reader();
let endsAt = 0;
const clients = new Map<string, ReturnType<typeof dynamoClient>>();

/** One client for each region that has a secondary. */
const clientOf = (region: string): ReturnType<typeof dynamoClient> => {
  const client = clients.get(region) ?? dynamoClient(region);
  clients.set(region, client);
  return client;
};

const site: DestroyingSite = {
  name: config.SITE_NAME,
  clock: systemClock,
  chance: systemChance,
  telemetry,
  functionTimeoutMs: timeoutMs,
  switches: new CachedSwitches(siteTable, replicables, systemClock),
  replicables,
  bucket: new S3DestroyableBucket({
    reader,
    writer: s3Writer(),
    copier: s3PartCopier(),
    bucket: config.PRIMARY_BUCKET,
    accountId: config.ACCOUNT_ID,
    timeLimitMs: () => endsAt - systemClock.now(),
  }),
  copies: copyLimitsOf(config),
  manifests: new S3ManifestStore(reader, config.MANIFEST_BUCKET, config.ACCOUNT_ID),
  siteTable,
  geoEvents: new SnsTopic(snsClient(), config.GEO_EVENTS_TOPIC_ARN),
  secondaries: async () => {
    const { items } = await siteTable.query(listSecondaries);
    return knownSecondaries(items, systemClock.now()).map(({ name, region, registryTable }) => ({
      name,
      registry: new DynamoTable(clientOf(region), registryTable),
    }));
  },
};

/** One step of the workflow of batch destroys. */
export const handler = async (event: unknown): Promise<unknown> => {
  const startedAt = systemClock.now();
  endsAt = startedAt + timeoutMs - 5_000;
  try {
    return await destroyStep(site, parseDestroyStep(event), startedAt + timeoutMs - STOP_BEFORE_TIMEOUT_MS);
  } finally {
    telemetry.flush();
  }
};
