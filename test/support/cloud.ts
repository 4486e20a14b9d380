import process from "node:process";
import { missingCapability, type Capability } from "../../infra/local/capabilities.ts";
import { clientsFor, type Clients } from "../../infra/local/clients.ts";
import type { Cloud, CloudName } from "../../infra/local/cloud.ts";
import { loadLocalConfig } from "../../infra/local/deploy.ts";
import { readRunFile, type RunFile } from "../../infra/local/run-file.ts";
import { feedNames, primaryNames, secondaryNames } from "../../shared/geo/physical-names.ts";

/** One of the deployed sites, with clients for its region. */
export type CloudSite = RunFile["sites"][number] & { readonly clients: Clients };

export const runFile = process.env["S3_GEO_RUN_FILE"] ?? "";
const found = await readRunFile(runFile);
if (found === undefined) throw new Error(`no sites are described in "${runFile}": run npm run test:integration`);

const { endpoint, account = "", name, version } = found.cloud;
const { credentials } = found;

/** The process that deployed the sites, and started the cloud if it is a local one. */
export const startedBy: number = found.pid;

/** The cloud that the sites are on. */
export const cloud: Cloud = {
  name: name as CloudName, // written by the command that started it
  version,
  account,
  ...(endpoint === undefined ? {} : { endpoint }),
  ...(credentials === undefined
    ? {}
    : { credentials: { accessKeyId: credentials.access_key_id, secretAccessKey: credentials.secret_access_key } }),
  stop: async () => {}, // it is not a test's to stop
};

const sitesOf = (role: RunFile["sites"][number]["role"]): readonly [CloudSite, ...CloudSite[]] => {
  const [first, ...others] = found.sites
    .filter((site) => site.role === role)
    .map((site): CloudSite => ({ ...site, clients: clientsFor(cloud, site.region) }));
  if (first === undefined) throw new Error(`"${runFile}" names no ${role}`);
  return [first, ...others];
};

export const [primary] = sitesOf("primary");
/** More than one where `S3_GEO_SECONDARIES` says so. */
export const secondaries: readonly [CloudSite, ...CloudSite[]] = sitesOf("secondary");
/** The one that a test of a pair is about. */
export const [secondary] = secondaries;

const config = await loadLocalConfig(cloud);

/** What every physical name begins with. */
export const installation: string = config.name;

/** Physical names of what a secondary has. */
export const namesOfSecondary = (site: CloudSite): ReturnType<typeof secondaryNames> => secondaryNames(config, site);

/** Physical names of what feeds a secondary, in the primary's region. */
export const namesOfFeed = (site: CloudSite): ReturnType<typeof feedNames> => feedNames(config, site);

/** Physical names of what was deployed. */
export const names = {
  primary: primaryNames(config, primary),
  feed: namesOfFeed(secondary),
  secondary: namesOfSecondary(secondary),
} as const;

/** What the deployment found dropped by this cloud. */
export const fixUps: NonNullable<RunFile["fix_ups"]> = found.fix_ups ?? [];

/** Why this cloud can not show something; undefined when it can. */
export const missing = (capability: Capability): string | undefined => missingCapability(cloud, capability);
