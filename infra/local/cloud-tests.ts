import { join } from "node:path";
import { cloudEnvironment } from "./clients.ts";
import { cloudWorld } from "./cloud-world.ts";
import { deploy } from "./deploy.ts";
import { runFileOf } from "./demo-world.ts";
import { LOCAL } from "./paths.ts";
import { type CloudChoice, describeResolution, resolveCloud } from "./resolve-cloud.ts";
import { writeRunFile } from "./run-file.ts";
import { type Step, type StepResult, vitestStep } from "./step-results.ts";

/** Where the integration tests find the sites they run against; named to them by `S3_GEO_RUN_FILE`. */
const TEST_RUN_FILE = join(LOCAL, "test-run.json");

/** Variables by which some suites take more objects than usual. */
const SIZES = ["S3_GEO_BACKFILL_OBJECTS", "S3_GEO_DESTROY_OBJECTS", "S3_GEO_RETRY_OBJECTS"] as const;

/** What an object more may take, milliseconds: as much as the most patient of these suites gives it, and some. */
const MS_PER_OBJECT = 4_000;

/** How much longer than usual the suites may take, milliseconds: each has its own limit, and this one stays behind theirs. */
const extraMsFor = (env: NodeJS.ProcessEnv): number =>
  SIZES.reduce((objects, name) => objects + Number(env[name] ?? 0), 0) * MS_PER_OBJECT;

const NO_CLOUD =
  "There is no local cloud, so nothing was deployed and the integration tests did not run. " +
  "Python 3.10 or newer is enough for one (with its venv module); see docs/surprises.md.";

/**
 * Brings up a cloud, deploys a primary and its secondary (two of them with `S3_GEO_SECONDARIES=2`) with the real app, and runs the suites that need them. Without a
 * cloud they are skipped, and said to be; with `GEO_REQUIRE_CLOUD=1`, as in CI, that is a failure.
 *
 * @param options.choice this cloud or none; default the first that can be had.
 * @param options.filters parts of the names of the files to run; default all.
 */
export const cloudTestsStep = (
  say: (line: string) => void,
  { choice, filters = [] }: { readonly choice?: CloudChoice | undefined; readonly filters?: readonly string[] } = {},
): Step => ({
  title: "Tests on a cloud",
  run: async (): Promise<StepResult> => {
    const resolution = await resolveCloud({ detail: () => {}, ...(choice === undefined ? {} : { choice }) });
    say(describeResolution(resolution));
    const { cloud } = resolution;
    if (cloud === undefined) {
      const required = process.env["GEO_REQUIRE_CLOUD"] === "1";
      for (const reason of resolution.passedOver) say(`  not ${reason}`);
      return { passed: 0, failed: required ? 1 : 0, skipped: required ? 0 : 1, output: NO_CLOUD };
    }
    try {
      const startedAt = Date.now();
      const deployment = await deploy(cloud, "test", () => {});
      const secondaries = deployment.secondaries.length === 1 ? "a secondary site" : "two secondary sites";
      say(`Deployed a primary and ${secondaries} (${((Date.now() - startedAt) / 1_000).toFixed(1)} s)`);
      const world = await cloudWorld(cloud, deployment);
      await writeRunFile(TEST_RUN_FILE, { ...runFileOf(world), fix_ups: [...deployment.fixUps] });
      const environment = Object.fromEntries(
        Object.entries(cloudEnvironment(cloud, deployment.primary.region)).filter(
          (entry): entry is [string, string] => entry[1] !== undefined,
        ),
      );
      const variables = {
        ...environment,
        ...(cloud.name === "aws" ? { GEO_CLOUD: "aws" } : {}),
        S3_GEO_RUN_FILE: TEST_RUN_FILE,
      };
      const args = ["--project", "cloud*", ...filters];
      return await vitestStep("Cloud suites", args, variables, extraMsFor(process.env)).run();
    } finally {
      await cloud.stop();
    }
  },
});
