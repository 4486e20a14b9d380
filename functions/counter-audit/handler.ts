import { dynamoClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { countedTable } from "../../shared/geo/counters.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import {
  auditCounters,
  type AuditedOnce,
  type AuditedSite,
} from "../../shared/services/counter-audit/audit-counters.ts";
import { env } from "./env.ts";

/**
 * How much of its time a run leaves alone: what is begun are four partitions at a time, and those of a type with a billion
 * objects hold a million rows.
 */
const STOP_BEFORE_TIMEOUT_MS = 120_000;

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "counter-audit" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const site: AuditedSite = {
  clock: systemClock,
  telemetry,
  functionTimeoutMs: Number(config.TIMEOUT_SECONDS) * 1_000,
  rows: new DynamoTable(dynamoClient(), config.OBJECT_TABLE),
  counted: countedTable(config.ROLE),
  siteTable: new DynamoTable(dynamoClient(), config.SITE_TABLE),
};

/** One run: goes on with the recounts that are under way, and begins those that are due. */
export const handler = async (): Promise<AuditedOnce> => {
  try {
    const stopAt = site.clock.now() + site.functionTimeoutMs - STOP_BEFORE_TIMEOUT_MS;
    return await auditCounters(site, replicables, stopAt);
  } finally {
    telemetry.flush();
  }
};
