import { dynamoClient } from "../../shared/aws/clients.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { UsageLedger } from "../../shared/services/daily-usage.ts";
import { type GatheringSite, gatherStatus } from "../../shared/services/gather-status.ts";
import { tellStatus } from "../../shared/services/tell-status.ts";
import { CachedSwitches } from "../../shared/services/type-switches.ts";
import { env } from "./env.ts";

/** After which nothing more is begun: what is under way then and the last write take their own time limits at most. */
const STOP_AFTER_MS = 30_000;

const { SITE_NAME: name, ROLE: role, REGION: region, ...config } = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: name, service: "site-status" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const primarySiteTable = new DynamoTable(dynamoClient(config.PRIMARY_REGION), config.PRIMARY_SITE_TABLE);
const siteTable = new DynamoTable(dynamoClient(region), config.SITE_TABLE);
const gathering: GatheringSite = {
  site: { name, role, region },
  apiUrl: config.API_URL.replace(/\/+$/, ""),
  replicables,
  siteTable,
  switches: new CachedSwitches(primarySiteTable, replicables, systemClock),
  primary: role === "primary" ? undefined : { name: config.PRIMARY_NAME, siteTable: primarySiteTable },
  syncObjectStorage: config.SYNC_OBJECT_STORAGE === "true",
  syncTimeoutSeconds: Number(config.SYNC_TIMEOUT_SECONDS),
  clock: systemClock,
  telemetry,
};

const ledger = new UsageLedger({ site: gathering.site, replicables, siteTable, clock: systemClock, telemetry });

/** What a run says of itself, for whoever starts it by hand. */
interface Run {
  /** Parts that could not be found out; they stay as they were. */
  readonly failed: readonly string[];
  /** Why the primary could not be told; null when it was, and at the primary. */
  readonly report_problem: string | null;
}

/** The site looks at itself, and tells the primary; the first look of a day is noted in the ledger of its usage. */
export const handler = flushing(telemetry, async (): Promise<Run> => {
  const { status, failed } = await gatherStatus(gathering, systemClock.now() + STOP_AFTER_MS);
  tellStatus(telemetry, status.gathered);
  await ledger.note();
  return { failed, report_problem: status.reportProblem ?? null };
});
