import { sqsClient } from "../../shared/aws/clients.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { awsDriftingSite } from "../../shared/aws/secondary-site.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { SqsSource } from "../../shared/aws/sqs-source.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { sqsHandler } from "../../shared/lambda/sqs-handler.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { noticeDrift } from "../../shared/services/notice-drift.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "replica-drift" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const site = awsDriftingSite(config, telemetry, (table, clock) => new CachedSwitches(table, replicables, clock));
const events = new SqsQueue(sqsClient(), config.EVENTS_QUEUE);
const parking = new SqsQueue(sqsClient(), config.PARKING_QUEUE);

/** Compares what S3 reports of the bucket of replicas with the rows, and has whatever differs made right. */
export const handler = sqsHandler(
  {
    timeoutMs: Number(config.TIMEOUT_SECONDS) * 1_000,
    now: () => site.clock.now(),
    source: new SqsSource(sqsClient()),
  },
  eachMessage(telemetry, (message, { stopAt }) => noticeDrift({ site, replicables, events, parking, stopAt }, message)),
);
