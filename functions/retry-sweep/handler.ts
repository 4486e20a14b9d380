import { dynamoClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { cursorOfRound } from "../../shared/geo/sweep-cursor.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { type Swept, type Sweeping, sweepDue } from "../../shared/services/sweep-due.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "retry-sweep" });
const sweeping: Sweeping = {
  table: new DynamoTable(dynamoClient(), config.TABLE),
  replicableNames: applySelection(declared, decodeReplicableSelection(config.REPLICABLES)).map(({ name }) => name),
  queue: new SqsQueue(sqsClient(), config.EVENTS_QUEUE),
  clock: systemClock,
  telemetry,
};

/** One round of the sweep; the state machine starts another while there is more. */
export const handler = async (input: unknown): Promise<Swept> => {
  try {
    return await sweepDue(sweeping, cursorOfRound(input));
  } finally {
    telemetry.flush();
  }
};
