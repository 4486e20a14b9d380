import { join } from "node:path";
import process from "node:process";
import type { Cloud } from "../../infra/local/cloud.ts";
import { deploy } from "../../infra/local/deploy.ts";
import { LOCAL } from "../../infra/local/paths.ts";
import { endOnSignals, isStopping, stopEverything } from "../../infra/local/processes.ts";
import { type Progress, stderrProgress } from "../../infra/local/progress.ts";
import { CloudUnavailableError, describeResolution, resolveCloud } from "../../infra/local/resolve-cloud.ts";
import { UsageError } from "../../infra/local/start-options.ts";
import { atMost, type Bar, newObjectBars, walkBars } from "./bars.ts";
import { benchWorld, type BenchWorld, NothingReplicatesError } from "./bench-world.ts";
import { bundleBars, measureBundles, synthesize } from "./measure-bundles.ts";
import { type Figures, SCENARIO_NAMES } from "./figures.ts";
import { humanReport } from "./human-report.ts";
import { jsonDocument } from "./json-document.ts";
import { markdownReport } from "./markdown-report.ts";
import { largeBars, measureLarge } from "./measure-large.ts";
import { apiBars, measureApi } from "./measure-api.ts";
import { measureLag } from "./measure-lag.ts";
import { measureRequests, type RequestFigures } from "./measure-requests.ts";
import { measureWalks } from "./measure-walks.ts";
import { BENCH_HELP, type BenchOptions, parseBenchOptions } from "./options.ts";

/** `npm run bench`: the figures of docs/performance.md, measured afresh. */

/** Names the folder of the assembly that is deployed. */
const PURPOSE = "bench";

/** The proxy has to be where the functions can reach it, and the figures comparable: only one stand-in will do. */
const benchCloud = async (progress: Progress): Promise<Cloud> => {
  const resolution = await progress.step("Finding a cloud", (detail) => resolveCloud({ choice: "ministack", detail }));
  progress.say(describeResolution(resolution));
  if (resolution.cloud === undefined) throw new CloudUnavailableError("no cloud was found");
  return resolution.cloud;
};

const requestBars = ({ scenarios }: RequestFigures, { names }: BenchWorld): readonly Bar[] => [
  ...scenarios
    .filter(({ name }) => name === "new")
    .flatMap(({ lines, objects }) =>
      newObjectBars(lines, objects, { primaryBucket: names.bucket, replicaBucket: names.secondary.bucket }),
    ),
  ...scenarios.map((one) => atMost(`not settled: ${SCENARIO_NAMES[one.name]}`, 0, one.objects - one.settled)),
];

type CloudFigures = Pick<Figures, "cloud" | "lag" | "requests" | "large"> & {
  readonly bars: readonly Bar[];
  readonly assembly: string;
};

/** What has to be measured on a cloud, which is gone afterwards. */
const measureOnCloud = async ({ parts, gib }: BenchOptions, progress: Progress): Promise<CloudFigures> => {
  const cloud = await benchCloud(progress);
  const deployment = await progress.step("Deploying a primary and a secondary site", (detail) =>
    deploy(cloud, PURPOSE, detail),
  );
  const world = benchWorld(cloud, deployment);
  // Lag first: the proxy takes time of its own.
  const lag = parts.includes("lag")
    ? await progress.step("Measuring lag", (detail) => measureLag(world, detail))
    : undefined;
  const requests = parts.includes("requests")
    ? await progress.step("Counting requests", (detail) => measureRequests(world, detail))
    : undefined;
  const large = parts.includes("large")
    ? await progress.step("Copying a large object", (detail) => measureLarge(world, gib, detail))
    : undefined;
  await cloud.stop();
  return {
    cloud: { name: cloud.name, version: cloud.version },
    ...(lag === undefined ? {} : { lag }),
    ...(requests === undefined ? {} : { requests }),
    ...(large === undefined ? {} : { large }),
    bars: [
      ...(requests === undefined ? [] : requestBars(requests, world)),
      ...(large === undefined ? [] : largeBars(large)),
    ],
    assembly: join(LOCAL, "assembly", PURPOSE),
  };
};

const measure = async (options: BenchOptions, progress: Progress): Promise<Figures> => {
  const startedAt = Date.now();
  const { parts } = options;
  const needsCloud = parts.includes("lag") || parts.includes("requests") || parts.includes("large");
  const onCloud = needsCloud ? await measureOnCloud(options, progress) : undefined;
  const { assembly: deployed, bars = [], ...figures } = onCloud ?? {};
  const walks = parts.includes("walks")
    ? await progress.step("Walking through history", (detail) => measureWalks(detail))
    : undefined;
  const api = parts.includes("api") ? await progress.step("Asking the API", (detail) => measureApi(detail)) : undefined;
  // Last, when nothing else runs any more: what is measured is the machine's time.
  const bundles = parts.includes("bundles")
    ? await progress.step("Measuring bundles", async (detail) => {
        detail("bundling");
        return measureBundles(deployed ?? (await synthesize()), detail);
      })
    : undefined;
  return {
    ...figures,
    ...(walks === undefined ? {} : { walks }),
    ...(api === undefined ? {} : { api }),
    ...(bundles === undefined ? {} : { bundles }),
    bars: [
      ...(bundles === undefined ? [] : bundleBars(bundles)),
      ...(walks === undefined ? [] : walkBars(walks)),
      ...(api === undefined ? [] : apiBars(api)),
      ...bars,
    ],
    seconds: (Date.now() - startedAt) / 1_000,
  };
};

let ok: boolean | undefined;
const exitCode = (): number => (ok === undefined ? 130 : ok ? 0 : 1);
endOnSignals(exitCode);
try {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${BENCH_HELP}\n`);
    process.exit(0);
  }
  const figures = await measure(options, stderrProgress());
  ok = figures.bars.every((bar) => bar.ok);
  const out = options.json || options.markdown ? process.stderr : process.stdout;
  out.write(`\n${humanReport(figures)}\n`);
  await stopEverything();
  if (options.markdown) process.stdout.write(`${markdownReport(figures)}\n`);
  if (options.json) process.stdout.write(`${JSON.stringify(jsonDocument(figures))}\n`);
  process.exitCode = exitCode();
} catch (error) {
  if (!isStopping()) {
    const known =
      error instanceof UsageError || error instanceof CloudUnavailableError || error instanceof NothingReplicatesError;
    const text = error instanceof Error ? ((known ? error.message : error.stack) ?? error.message) : String(error);
    process.stderr.write(`${text}\n${error instanceof UsageError ? "\nSee npm run bench -- --help\n" : ""}`);
    await stopEverything();
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}
