import { dynamoClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { parseEnv, regionOf } from "../../shared/lambda/parse-env.ts";
import { streamHandler } from "../../shared/lambda/stream-handler.ts";
import { count } from "./count.ts";
import { env } from "./env.ts";

const { SITE_NAME: siteName, ROLE: role, SITE_TABLE: siteTableName } = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName, service: "counters" });
const siteTable = new DynamoTable(dynamoClient(regionOf(process.env)), siteTableName);

/** Folds the stream of the site's table of objects into exact counts. */
export const handler = flushing(telemetry, streamHandler(count({ role, siteTable, clock: systemClock, telemetry })));
