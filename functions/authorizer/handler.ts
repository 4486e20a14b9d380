import { dynamoClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { parseEnv, regionOf } from "../../shared/lambda/parse-env.ts";
import { authorizer } from "./authorize.ts";
import { env } from "./env.ts";

const { SITE_NAME: siteName, SITE_TABLE: siteTableName } = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName, service: "authorizer" });
const site = new DynamoTable(dynamoClient(regionOf(process.env)), siteTableName);

/** Says who may call the API. */
export const handler = flushing(telemetry, authorizer({ site, clock: systemClock }, telemetry));
