import { PowertoolsTelemetry } from "../../shared/aws/powertools-telemetry.ts";
import { awsSecondarySite } from "../../shared/aws/secondary-site.ts";
import { readLargeCopyStep } from "../../shared/geo/large-copy.ts";
import { STOP_BEFORE_TIMEOUT_MS } from "../../shared/geo/limits.ts";
import { applySelection, decodeReplicableSelection } from "../../shared/geo/replicable-selection.ts";
import { parseEnv } from "../../shared/lambda/parse-env.ts";
import { replicables as declared } from "../../shared/replicables/index.ts";
import { type LargeCopyAnswer, takeLargeCopyStep } from "../../shared/services/large-copy/take-step.ts";
import { siteReaders } from "../../shared/services/site-readers.ts";
import { env } from "./env.ts";

const config = parseEnv(env, process.env);
const telemetry = new PowertoolsTelemetry({ siteName: config.SITE_NAME, service: "large-copy" });
const replicables = applySelection(declared, decodeReplicableSelection(config.REPLICABLES));
const { site, deadline, versioning } = awsSecondarySite(
  config,
  telemetry,
  replicables,
  siteReaders(replicables, config.SYNC_OBJECT_STORAGE === "true", telemetry),
);

/** One step of the workflow, or of the daily sweep, as `shared/geo/large-copy.ts` reads it. */
export const handler = async (input: unknown): Promise<LargeCopyAnswer> => {
  const stopAt = site.clock.now() + site.functionTimeoutMs - STOP_BEFORE_TIMEOUT_MS;
  deadline.set(stopAt);
  try {
    const step = readLargeCopyStep(input);
    await versioning.assertEnabled();
    return await takeLargeCopyStep(site, replicables, step, stopAt);
  } finally {
    telemetry.flush();
  }
};
