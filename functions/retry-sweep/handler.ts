import { dynamoClient, sfnClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { SfnWorkflow } from "../../shared/aws/sfn-workflows.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { type SweepingSite, sweepStep } from "../../shared/services/sweep-step.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { whileNotPaused } from "../../shared/services/while-not-paused.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "retry-sweep" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const flags = new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE);
const switches = new CachedSwitches(flags, replicables, systemClock);
/** What work on a type's due rows means here: digests at the primary, replicas at a secondary. */
const wanted = config.ROLE === "primary" ? "primaryChecksumming" : "replication";
const table = new DynamoTable(dynamoClient(), config.TABLE);
const queue = new SqsQueue(sqsClient(), config.EVENTS_QUEUE);
const base = { clock: systemClock, telemetry };
const siteTable = new DynamoTable(dynamoClient(), config.SITE_TABLE);
const { settings, standing } = new CachedSiteRecord(siteTable, systemClock);
const site: SweepingSite = {
  ...base,
  table,
  replicableNames: replicables.map(({ name }) => name),
  isOn: whileNotPaused(standing, async (name) => (await switches.of(name))[wanted]),
  queue,
  siteTable,
  workflow: new SfnWorkflow(sfnClient(), config.STATE_MACHINE_ARN),
  ...(config.ROLE === "primary"
    ? { reverifying: { ...base, verificationState: table, replicables, settings, queue, switches } }
    : {}),
};

/** One step of the sweep: a minute's tick, or a state of the workflow that drains what was too much for it. */
export const handler = async (event: unknown): ReturnType<typeof sweepStep> => {
  try {
    return await sweepStep(site, event);
  } finally {
    telemetry.flush();
  }
};
