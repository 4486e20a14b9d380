import { parseArgs } from "node:util";
import { cloudTestsStep } from "./cloud-tests.ts";
import { CLOUD_CHOICES } from "./resolve-cloud.ts";
import { runStepCommand } from "./run-steps.ts";

const HELP = `Runs the suites that need a cloud, on the local cloud or on a real account.

Usage: npm run test:integration [-- [--cloud CLOUD] [FILE...]]

  FILE           part of the name of a test file; default: all
  --cloud CLOUD  one of ${CLOUD_CHOICES.join(", ")}; default: the first that can be had
  --help         this text

Environment:
  S3_GEO_SECONDARIES       1 or 2 secondary sites; default 1. The suites are about the first, but for batch-destroy
  S3_GEO_DESTROY_OBJECTS   objects that batch-destroy destroys, instead of 100
  S3_GEO_BACKFILL_OBJECTS  objects that backfill takes up, instead of 250
  S3_GEO_RETRY_OBJECTS     objects that fail in retry-storm, instead of 60
  S3_GEO_DAY_FOLDER        where operators-day writes its day down; it lives the whole of it then, instead of the morning

Examples:
  npm run test:integration
  npm run test:integration -- --cloud ministack hostile-keys
  S3_GEO_SECONDARIES=2 S3_GEO_DESTROY_OBJECTS=10000 npm run test:integration -- batch-destroy
  npm run test:aws
`;

const { values, positionals: filters } = parseArgs({
  options: { cloud: { type: "string" }, help: { type: "boolean", short: "h" } },
  allowPositionals: true,
});
const choice = CLOUD_CHOICES.find((known) => known === values.cloud);
if (values.help === true) {
  process.stdout.write(HELP);
} else if (values.cloud !== undefined && choice === undefined) {
  process.stderr.write(`--cloud is ${JSON.stringify(values.cloud)}, expected one of ${CLOUD_CHOICES.join(", ")}\n`);
  process.exitCode = 2;
} else {
  await runStepCommand((say) => [cloudTestsStep(say, { choice, filters })]);
}
