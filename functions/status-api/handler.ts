import { dynamoClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { httpHandler } from "../../shared/lambda/http-handler.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { statusApp } from "./app.ts";
import { env } from "./env.ts";

const { SITE_NAME: name, ROLE: role, REGION: region, ...config } = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: name, service: "status-api" });
const clock = systemClock;
const app = statusApp({
  site: { name, role, region },
  replicables: applySelection(replicables, decodeReplicableSelection(config.REPLICABLES)),
  siteTable: new DynamoTable(dynamoClient(region), config.SITE_TABLE),
  primarySiteTable: new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE),
  syncObjectStorage: config.SYNC_OBJECT_STORAGE === "true",
  clock,
  telemetry,
});

/** Answers the API's calls. */
export const handler = flushing(telemetry, httpHandler(app, { clock, telemetry }));
