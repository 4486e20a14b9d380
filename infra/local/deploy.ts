import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { bucketName, primaryNames, secondaryNames, stackNames } from "../../shared/geo/physical-names.ts";
import type { GeoConfig, SiteConfig } from "../../shared/config/geo-config.ts";
import { leaveOut, readAssembly } from "./assembly.ts";
import { DynamoTable } from "../../shared/aws/dynamo-table.ts";
import { systemClock } from "../../shared/aws/system-clock.ts";
import { applySelection } from "../../shared/geo/replicable-selection.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { clientsFor, cloudEnvironment } from "./clients.ts";
import type { Cloud } from "./cloud.ts";
import { applyFixUps, type FixUpReport } from "./fix-ups.ts";
import { BIN, localFolder, ROOT } from "./paths.ts";
import { runOrThrow } from "./processes.ts";
import { switchOnExperiments } from "./switch-on.ts";

/** A site that is deployed. */
export interface DeployedSite {
  readonly name: string;
  readonly role: "primary" | "secondary";
  readonly region: string;
  readonly bucket: string;
  /** The table with its tokens and counters. */
  readonly siteTable: string;
  /** Base URL of its API, without a slash at its end. */
  readonly apiUrl: string;
}

export interface Deployment {
  readonly config: GeoConfig;
  readonly primary: DeployedSite;
  readonly secondaries: readonly DeployedSite[];
  readonly fixUps: readonly FixUpReport[];
}

/** A hanging deployment (a custom resource that never answers) must not hang us. */
const DEPLOY_TIMEOUT_MS = 300_000;
const SYNTH_TIMEOUT_MS = 180_000;

const CONFIG = "infra/local/geo.config.ts";
const cdk = join(BIN, "cdk");
const QUIET = ["--no-notices", "--no-version-reporting", "--no-color"] as const;

const Outputs = z.record(z.string(), z.record(z.string(), z.string()));

/**
 * The address of a site's API. A stand-in for AWS prints AWS's address, where nothing of ours answers: the API is under
 * the endpoint, named by its id and stage.
 */
export const apiUrlOf = (cloud: Cloud, outputs: Readonly<Record<string, string>>): string => {
  const url = Object.values(outputs).find((value) => /\.execute-api\./.test(value));
  const parts = /^https?:\/\/([a-z0-9]+)\.execute-api\.[^/]+\/([^/]+)/.exec(url ?? "");
  if (url === undefined || parts === null) {
    throw new Error(`no output of the stack is the URL of its API: ${JSON.stringify(outputs)}`);
  }
  if (cloud.endpoint === undefined) return url.replace(/\/+$/, "");
  return `${cloud.endpoint.replace(/\/+$/, "")}/_aws/execute-api/${parts[1]}/${parts[2]}`;
};

/** Synthesizes the app once, for this cloud; everything afterwards reads the assembly. */
const synthesize = async (cloud: Cloud, assembly: string, region: string): Promise<void> => {
  await rm(assembly, { recursive: true, force: true });
  const emulator = cloud.name === "aws" ? [] : ["--context", "emulator=ministack"];
  await runOrThrow(
    cdk,
    ["synth", "--quiet", "--output", assembly, "--context", `config=${CONFIG}`, ...emulator, ...QUIET],
    {
      cwd: ROOT,
      env: cloudEnvironment(cloud, region),
      timeoutMs: SYNTH_TIMEOUT_MS,
    },
  );
};

/** From an empty folder: inside the app's folder the CLI would synthesize first, and without our context. */
const bootstrap = async (cloud: Cloud, regions: readonly string[]): Promise<void> => {
  const [region = "us-east-1"] = regions;
  await runOrThrow(cdk, ["bootstrap", ...regions.map((one) => `aws://${cloud.account}/${one}`), ...QUIET], {
    cwd: await localFolder("empty"),
    env: cloudEnvironment(cloud, region),
    timeoutMs: DEPLOY_TIMEOUT_MS,
  });
};

/** Follows what the CLI says: which stacks are under way and how many are done. */
const stackProgress = (total: number, detail: (text: string) => void): ((line: string) => void) => {
  const under = new Set<string>();
  const done = new Set<string>();
  return (line) => {
    const started = /^(\S+): (?:start|creating|deploying)/.exec(line)?.[1];
    const finished = /✅\s+(\S+)/.exec(line)?.[1];
    if (started !== undefined) under.add(started);
    if (finished !== undefined) {
      under.delete(finished);
      done.add(finished);
    }
    detail(`${done.size}/${total} stacks${under.size === 0 ? "" : `, now ${[...under].join(", ")}`}`);
  };
};

const deployStacks = async (
  cloud: Cloud,
  assembly: string,
  region: string,
  stacks: number,
  detail: (text: string) => void,
): Promise<z.infer<typeof Outputs>> => {
  const outputsFile = `${assembly}-outputs.json`;
  await rm(outputsFile, { force: true });
  await runOrThrow(
    cdk,
    [
      ["deploy", "--all", "--app", assembly, "--require-approval", "never", "--concurrency", "4"],
      ["--outputs-file", outputsFile, "--progress", "events", "--ci", ...QUIET],
    ].flat(),
    {
      cwd: await localFolder("empty"),
      env: cloudEnvironment(cloud, region),
      timeoutMs: DEPLOY_TIMEOUT_MS,
      onLine: stackProgress(stacks, detail),
    },
  );
  return Outputs.parse(JSON.parse(await readFile(outputsFile, "utf8")));
};

/** The configuration that the local commands deploy, for this cloud's account. */
export const loadLocalConfig = async (cloud: Pick<Cloud, "account">): Promise<GeoConfig> => {
  process.env["CDK_DEFAULT_ACCOUNT"] = cloud.account;
  return (await import("./geo.config.ts")).default;
};

/** What no stand-in for AWS has a use for, and MiniStack refuses a stack for: saved queries of Logs Insights. */
const NOT_EMULATED: ReadonlySet<string> = new Set(["AWS::Logs::QueryDefinition"]);

/**
 * Deploys the real app to a cloud: synthesizes it once, bootstraps the regions, deploys every stack, and puts back what a
 * stand-in for AWS dropped. Every type is then switched on.
 *
 * @param purpose names the folder of the assembly, so that two commands of one checkout do not share it.
 */
export const deploy = async (cloud: Cloud, purpose: string, detail: (text: string) => void): Promise<Deployment> => {
  const config = await loadLocalConfig(cloud);
  const sites = [config.primary, ...config.secondaries];
  const assembly = join(await localFolder("assembly"), purpose);
  const { region } = config.primary;

  detail("synthesizing the templates and bundling the functions");
  await synthesize(cloud, assembly, region);
  if (cloud.name !== "aws") await leaveOut(assembly, NOT_EMULATED);
  const stacks = await readAssembly(assembly);
  detail("bootstrapping the regions");
  await bootstrap(
    cloud,
    sites.map((site) => site.region),
  );
  detail(`deploying ${stacks.length} stacks`);
  const outputs = await deployStacks(cloud, assembly, region, stacks.length, detail);
  detail("applying fix-ups");
  const fixUps = cloud.name === "aws" ? [] : await applyFixUps(cloud, stacks);

  const { siteTable } = primaryNames(config, config.primary);
  const flags = new DynamoTable(clientsFor(cloud, region).dynamo, siteTable);
  await switchOnExperiments(flags, applySelection(replicables, config.selection), systemClock);

  const deployed = (site: SiteConfig): DeployedSite => ({
    name: site.name,
    role: site.role,
    region: site.region,
    bucket: site.existingBucket?.name ?? bucketName(config, site),
    siteTable: (site.role === "primary" ? primaryNames : secondaryNames)(config, site).siteTable,
    apiUrl: apiUrlOf(cloud, outputs[stackNames(config, site).site] ?? {}),
  });
  return { config, primary: deployed(config.primary), secondaries: config.secondaries.map(deployed), fixUps };
};
