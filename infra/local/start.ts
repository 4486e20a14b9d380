import process from "node:process";
import CliTable from "cli-table3";
import { cloudWorld } from "./cloud-world.ts";
import { deploy } from "./deploy.ts";
import { adminUrlOf, type DemoWorld, runFileOf } from "./demo-world.ts";
import { embeddedWorld } from "./embedded-world.ts";
import { RUN_FILE } from "./paths.ts";
import { atEnd, endOnSignals, isStopping, stopEverything } from "./processes.ts";
import { type Progress, stderrProgress } from "./progress.ts";
import { CloudUnavailableError, describeResolution, resolveCloud } from "./resolve-cloud.ts";
import { removeRunFile, writeRunFile } from "./run-file.ts";
import { parseStartOptions, START_HELP, type StartOptions, UsageError } from "./start-options.ts";
import { readCounts } from "./status-client.ts";
import { type ScopeResult, tellScope } from "./scope-chapter.ts";
import { type StoryResult, tellStory } from "./story.ts";

/** `npm start`: two sites, real files, and proof that both hold the same. */

interface Timings {
  readonly setup: number;
  readonly deploy: number;
  readonly replicate: number;
}

const secondsSince = (startedMs: number): number => Math.round((Date.now() - startedMs) / 100) / 10;

/** When the command began: `run.mjs` may have installed dependencies before us. */
const beganAt = Number(process.env["S3_GEO_SETUP_STARTED"]) || Date.now();

const bringUp = async (progress: Progress) => {
  const resolution = await progress.step("Finding a cloud", (detail) => resolveCloud({ detail }));
  progress.say(describeResolution(resolution));
  for (const reason of resolution.passedOver) progress.say(`  not ${reason}`);
  const setup = secondsSince(beganAt);
  const deployStarted = Date.now();
  const world = await progress.step("Deploying a primary and a secondary site", async (detail) =>
    resolution.cloud === undefined
      ? await embeddedWorld()
      : await cloudWorld(resolution.cloud, await deploy(resolution.cloud, "start", detail)),
  );
  return { world, setup, deployed: secondsSince(deployStarted) };
};

const statusTable = async (world: DemoWorld): Promise<string> => {
  const parts: string[] = [];
  for (const site of [world.primary, world.secondary]) {
    const heads =
      site.role === "primary"
        ? ["Objects", "Checksummed", "Failed"]
        : ["Registries", "Synced", "Failed", "Verified", "Failed"];
    const table = new CliTable({ head: ["Type", ...heads], style: { head: [], border: [] } });
    const counts = await readCounts(site, world.replicables);
    for (const type of counts.filter(({ rows }) => rows > 0)) {
      table.push(
        site.role === "primary"
          ? [type.title, type.rows, type.verified, type.verificationFailed]
          : [type.title, type.rows, type.synced, type.failed, type.verified, type.verificationFailed],
      );
    }
    parts.push(`${site.name}, ${site.role} in ${site.region}\n${table.toString()}`);
  }
  return parts.join("\n\n");
};

const addresses = (world: DemoWorld): string =>
  [world.primary, world.secondary]
    .map(
      (site) =>
        `${site.name}: bucket ${site.bucket.name}\n` +
        `  admin page ${adminUrlOf(site)} (token ${site.adminToken})\n` +
        `  curl -H "PRIVATE-TOKEN: ${site.adminToken}" ${site.apiUrl}/api/v4/geo_sites/status`,
    )
    .join("\n");

const summary = (result: StoryResult, seconds: Timings): string =>
  [
    `${result.objects} files, ${(result.bytes / 1e6).toFixed(1)} MB; ${result.deleted} deleted; ` +
      `${result.synced} synced, ${result.verified} verified, ${result.failed} failed`,
    `from put to verified: half within ${result.lagMs.p50} ms, 99 % within ${result.lagMs.p99} ms`,
    `setup ${seconds.setup} s, deployment ${seconds.deploy} s, replication ${seconds.replicate} s`,
    result.converged
      ? "Both buckets hold the same: every byte, its metadata, headers, tags and storage class."
      : `NOT CONVERGED. ${result.differences.length} differences${result.differences
          .slice(0, 10)
          .map(({ key, what }) => `\n  ${JSON.stringify(key)} ${what}`)
          .join("")}`,
  ].join("\n");

const scopeTable = ({ counts, obeyed }: ScopeResult): string => {
  const table = new CliTable({
    head: ["Registries of", "before", "narrowed", "widened"],
    style: { head: [], border: [] },
  });
  for (const { title, before, narrowed, widened } of counts) table.push([title, before, narrowed, widened]);
  const verdict = obeyed
    ? "Narrowed, the secondary kept exactly what its rule names; widened, it had everything again, verified."
    : "NOT OBEYED: the secondary did not come to hold what its rule names.";
  return `${table.toString()}\n${verdict}`;
};

/** The document of `--json`; its names are a contract. */
const documentOf = (world: DemoWorld, result: StoryResult, scope: ScopeResult | undefined, seconds: Timings) => ({
  cloud: { name: world.cloud.name, version: world.cloud.version },
  sites: [world.primary, world.secondary].map(({ name, role, region, bucket, apiUrl }) => ({
    name,
    role,
    region,
    bucket: bucket.name,
    api_url: apiUrl,
  })),
  objects: result.objects,
  bytes: result.bytes,
  synced: result.synced,
  verified: result.verified,
  failed: result.failed,
  deleted: result.deleted,
  lag_ms: result.lagMs,
  seconds,
  converged: result.converged,
  differences: result.differences.slice(0, 10),
  ...(scope === undefined ? {} : { selective_sync: { obeyed: scope.obeyed, counts: scope.counts } }),
});

const run = async (options: StartOptions): Promise<boolean> => {
  const progress = stderrProgress();
  const out = (text: string): void => void (options.json ? process.stderr : process.stdout).write(`${text}\n`);
  const { world, setup, deployed } = await bringUp(progress);
  atEnd(() => removeRunFile(RUN_FILE, process.pid));
  await writeRunFile(RUN_FILE, runFileOf(world));
  const started = Date.now();
  const result = await tellStory(world, progress, options.seed);
  const seconds: Timings = { setup, deploy: deployed, replicate: secondsSince(started) };
  out(`\n${await statusTable(world)}\n\n${summary(result, seconds)}\n`);
  const scope = options.narrow ? await tellScope(world, progress) : undefined;
  if (scope !== undefined) out(`${scopeTable(scope)}\n`);
  if (!options.exit) out(`${addresses(world)}\n\nUp until Ctrl-C. Everything a script needs is in .local/run.json`);
  if (options.json) process.stdout.write(`${JSON.stringify(documentOf(world, result, scope, seconds))}\n`);
  return result.converged && (scope?.obeyed ?? true);
};

let converged: boolean | undefined;
const exitCode = (): number => (converged === undefined ? 130 : converged ? 0 : 1);
endOnSignals(exitCode);
try {
  const options = parseStartOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(`${START_HELP}\n`);
    process.exit(0);
  }
  converged = await run(options);
  if (options.exit) {
    await stopEverything();
    process.exit(exitCode());
  }
  setInterval(() => {}, 60_000); // up until somebody ends us
} catch (error) {
  if (!isStopping()) {
    const usage = error instanceof UsageError;
    const known = usage || error instanceof CloudUnavailableError;
    const text = error instanceof Error ? ((known ? error.message : error.stack) ?? error.message) : String(error);
    process.stderr.write(`${text}\n${usage ? "\nSee npm start -- --help\n" : ""}`);
    await stopEverything();
    process.exit(usage ? 2 : 1);
  }
}
