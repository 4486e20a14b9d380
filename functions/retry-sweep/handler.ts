import { dynamoClient, sqsClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { cursorOfRound } from "../../shared/geo/sweep-cursor.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { CachedSiteRecord } from "../../shared/services/cached-site-record.ts";
import { reverify } from "../../shared/services/re-verify.ts";
import { type Swept, type Sweeping, sweepDue } from "../../shared/services/sweep-due.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
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
const sweeping: Sweeping = {
  table,
  replicableNames: replicables.map(({ name }) => name),
  isOn: async (name) => (await switches.of(name))[wanted],
  queue,
  clock: systemClock,
  telemetry,
};
/** The primary alone has a timer (F30); its own table is where the flags are. */
const reverifying =
  config.ROLE === "primary"
    ? {
        verificationState: table,
        replicables,
        settings: new CachedSiteRecord(flags, systemClock).settings,
        queue,
        clock: systemClock,
        telemetry,
        switches,
      }
    : undefined;

/**
 * One round of the sweep; the state machine starts another while there is more. When there is not, what was verified too
 * long ago has its turn: nothing waits behind it.
 */
export const handler = async (input: unknown): Promise<Swept> => {
  try {
    const swept = await sweepDue(sweeping, cursorOfRound(input));
    if (!swept.more && reverifying !== undefined) await reverify(reverifying);
    return swept;
  } finally {
    telemetry.flush();
  }
};
