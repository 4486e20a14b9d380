import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { awsWalkingSite } from "../../shared/aws/secondary-site.ts";
import { STOP_BEFORE_TIMEOUT_MS } from "../../shared/geo/limits.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { keepConsistent } from "../../shared/services/registry-consistency/keep-consistent.ts";
import { WALK_SETTINGS_DEFAULT, type WalkedOnce } from "../../shared/services/registry-consistency/run-walks.ts";
import { siteReaders } from "../../shared/services/site-readers.ts";
import { env } from "./env.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "registry-consistency" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const readers = siteReaders(replicables, config.SYNC_OBJECT_STORAGE === "true", telemetry);
const site = awsWalkingSite(config, telemetry, readers);
const settings = {
  ...WALK_SETTINGS_DEFAULT,
  everyMs: Number(config.CONSISTENCY_DAYS) * DAY_MS,
  orphansPerWalk: Number(config.ORPHANS_PER_WALK),
};

/** One run: goes on with the walks that are under way, and begins those that are due. */
export const handler = async (): Promise<WalkedOnce> => {
  try {
    const stopAt = site.clock.now() + site.functionTimeoutMs - STOP_BEFORE_TIMEOUT_MS;
    return await keepConsistent(site, replicables, settings, stopAt);
  } finally {
    telemetry.flush();
  }
};
