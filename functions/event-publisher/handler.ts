import { dynamoClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemChance, systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { sqsHandler } from "../../shared/lambda/sqs-handler.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { SecondaryNote } from "../../shared/services/note-secondary.ts";
import { type Publishing, publishEvents } from "../../shared/services/publish.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "event-publisher" });
const remote = sqsClient(config.EVENTS_QUEUE_REGION);
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const flags = new DynamoTable(dynamoClient(), config.PRIMARY_SITE_TABLE);
const publishing: Publishing = {
  site: {
    name: config.SITE_NAME,
    clock: systemClock,
    chance: systemChance,
    telemetry,
    switches: new CachedSwitches(flags, replicables, systemClock),
  },
  replicables,
  primaryBucket: config.PRIMARY_BUCKET,
  events: new SqsQueue(remote, config.EVENTS_QUEUE),
  verification: new SqsQueue(remote, config.VERIFICATION_QUEUE),
  parking: new SqsQueue(sqsClient(), config.PARKING_QUEUE),
};

const note = new SecondaryNote(publishing.site, flags, {
  name: config.SITE_NAME,
  region: config.EVENTS_QUEUE_REGION,
  registryTable: config.REGISTRY_TABLE,
});

/** Turns a batch of the ingest queue into Geo events for one secondary, packed. */
export const handler = sqsHandler(
  // Works through a whole batch in a few calls: there is nothing to stop half way.
  { timeoutMs: 0, now: () => systemClock.now(), source: undefined },
  async (messages) => {
    try {
      await note.refresh();
      return await publishEvents(publishing, messages);
    } finally {
      telemetry.flush();
    }
  },
);
