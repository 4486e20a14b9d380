import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { awsSecondarySite } from "../../shared/aws/secondary-site.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { SqsSource } from "../../shared/aws/sqs-source.ts";
import { sfnClient, sqsClient } from "../../shared/aws/clients.ts";
import { SfnWorkflow } from "../../shared/aws/sfn-workflows.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { eachMessage } from "../../shared/lambda/each-message.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { sqsHandler } from "../../shared/lambda/sqs-handler.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { consumeEvents } from "../../shared/services/consume.ts";
import { KeyCapacity } from "../../shared/services/key-capacity.ts";
import { SyncOutcomes } from "../../shared/services/sync-outcomes.ts";
import { siteReaders } from "../../shared/services/site-readers.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "event-consumer" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const {
  site: base,
  settings,
  deadline,
  versioning,
} = awsSecondarySite(
  config,
  telemetry,
  replicables,
  siteReaders(replicables, config.SYNC_OBJECT_STORAGE === "true", telemetry),
);
const site: SecondarySite = {
  ...base,
  largeCopies: {
    workflow: new SfnWorkflow(sfnClient(), config.LARGE_COPY_MACHINE),
    fromBytes: Number(config.LARGE_COPY_BYTES),
  },
};
const parking = new SqsQueue(sqsClient(), config.PARKING_QUEUE);
const capacity = new KeyCapacity(settings, "files_max_capacity", Number(config.WORKERS_MAX));
const outcomes = new SyncOutcomes(site.siteTable, site.clock, telemetry);

/** Makes the replicas of the keys that a batch of the geo-events queue names equal to their sources. */
export const handler = sqsHandler(
  { timeoutMs: site.functionTimeoutMs, now: () => site.clock.now(), source: new SqsSource(sqsClient()) },
  eachMessage(telemetry, async (message, { stopAt }) => {
    deadline.set(stopAt);
    await versioning.assertEnabled();
    return consumeEvents({ site, replicables, parking, stopAt, capacity, outcomes }, message);
  }),
);
