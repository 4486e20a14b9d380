import type { Command } from "commander";
import { GeoApiError, geoClient, type GeoClient } from "../shared/client/client.ts";
import type { SiteStatusAnswer } from "../shared/client/contract.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
import { type KnownSite, knownSites, meantSite } from "./run-file.ts";
import type { Surroundings } from "./surroundings.ts";

/** Which API a command talks to, as its options say it. */
export interface ConnectionOptions {
  readonly endpointUrl?: string | undefined;
  readonly site?: string | undefined;
  readonly token?: string | undefined;
}

/** A site's API, and the site that answers there. */
export interface Connection {
  readonly client: GeoClient;
  readonly url: string;
  readonly site: { readonly id: number; readonly name: string; readonly primary: boolean };
  /** What it told of itself when it was asked who is there; of a primary, behind it what its secondaries last reported. */
  readonly statuses: readonly [SiteStatusAnswer, ...SiteStatusAnswer[]];
}

/** A site that a command wanted to reach: with its API, or with what is in the way. */
export type Reach =
  | { readonly name: string; readonly connection: Connection }
  | { readonly name: string; readonly problem: CommandError | GeoApiError };

/** Hosts of this machine: only to these a token travels without TLS. */
const OWN_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

const HELP = `
Which site is asked: --endpoint-url with a token (GEO_ENDPOINT_URL, GEO_TOKEN), else a site of the file $GEO_SITES_FILE, else of
$XDG_CONFIG_HOME/s3-geo/sites.json, else of the demonstration that "npm start" keeps up.
The token is better put into GEO_TOKEN than behind --token, where other users of the machine can read it.`;

/** Gives a command the options by which it finds a site's API, and says so in its help. */
export const addConnectionOptions = (command: Command): Command =>
  command
    .option("--endpoint-url <url>", "the site's API, stage included: https://….amazonaws.com/geo")
    .option("--site <name>", "the site's name; with --endpoint-url, the name that has to answer there")
    .option("--token <token>", "an API token (default: GEO_TOKEN with an address, else that of the file of sites)")
    .addHelpText("after", HELP);

const usage = (message: string): CommandError => new CommandError(EXIT.usage, message);

const checkedUrl = (text: string, source: string): string => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usage(`${source} is ${JSON.stringify(text)}, expected an address such as https://….amazonaws.com/geo`);
  }
  if (url.protocol === "http:" && !OWN_HOSTS.has(url.hostname)) {
    throw usage(`${source} is ${JSON.stringify(text)}, expected https: the token would travel unencrypted`);
  }
  return text.replace(/\/+$/, "");
};

interface Address {
  readonly url: string;
  readonly token: string;
}

/** The address that was given by hand; undefined when none was. */
const givenAddress = (options: ConnectionOptions, env: Surroundings["env"] = {}): Address | undefined => {
  const endpoint = options.endpointUrl ?? env["GEO_ENDPOINT_URL"];
  if (endpoint === undefined || endpoint === "") return undefined;
  const url = checkedUrl(endpoint, options.endpointUrl === undefined ? "GEO_ENDPOINT_URL" : "--endpoint-url");
  const token = options.token ?? env["GEO_TOKEN"];
  if (token === undefined || token === "") throw usage(`no token for ${url}: expected it in GEO_TOKEN, or --token`);
  return { url, token };
};

const addressOf = ({ name, apiUrl, token, tokenEnv }: KnownSite, given?: string): Address => {
  const url = checkedUrl(apiUrl, `api_url of ${name}`);
  const taken = given ?? token;
  if (taken !== undefined) return { url, token: taken };
  throw usage(
    `no token for ${name}: expected it in ${tokenEnv ?? "the file of sites (token or token_env)"}, or --token`,
  );
};

/** Asks who is there. */
const arrive = async (
  { url, token }: Address,
  name: string | undefined,
  { fetch }: Surroundings,
): Promise<Connection> => {
  const client = geoClient({ url, token, ...(fetch === undefined ? {} : { fetch }) });
  const [status, ...others] = await client.siteStatuses();
  if (status === undefined) throw new CommandError(EXIT.failure, `${url} knows of no site`);
  if (name !== undefined && name !== status.name) {
    throw usage(`--site is ${JSON.stringify(name)}, and ${status.name} answers at ${url}`);
  }
  return {
    client,
    url,
    site: { id: status.geo_node_id, name: status.name, primary: status.primary },
    statuses: [status, ...others],
  };
};

const EXPECTED = "--endpoint-url with GEO_TOKEN";

/**
 * Finds the API that a command is to talk to, and asks who is there.
 * @param role which of the known sites is meant when nobody says so
 * @throws CommandError what can not work as it was called; GeoApiError when the site does not answer as it should
 */
export const connect = async (
  options: ConnectionOptions,
  role: "primary" | "secondary",
  surroundings: Surroundings,
): Promise<Connection> => {
  const given = givenAddress(options, surroundings.env);
  if (given !== undefined) return arrive(given, options.site, surroundings);
  const known = meantSite(await knownSites(EXPECTED, surroundings), options.site, role);
  return arrive(addressOf(known, options.token), options.site, surroundings);
};

/** As `connect`, for what only a secondary does. @param what `copies nothing`, of a primary that was named */
export const connectSecondary = async (
  options: ConnectionOptions,
  what: string,
  surroundings: Surroundings,
): Promise<Connection> => {
  const connection = await connect(options, "secondary", surroundings);
  if (!connection.site.primary) return connection;
  throw usage(`${connection.site.name} is a primary and ${what}: ask a secondary (--site)`);
};

/**
 * Finds every site that is known, all at once, primaries first: the one at the address that was given, else all of the file of
 * sites. With `--site` only that one. A site that can not be reached is told beside those that can.
 * @throws CommandError what can not work as it was called
 */
export const connectAll = async (
  options: ConnectionOptions,
  surroundings: Surroundings,
): Promise<readonly [Reach, ...Reach[]]> => {
  const given = givenAddress(options, surroundings.env);
  if (given !== undefined) {
    const connection = await arrive(given, options.site, surroundings);
    return [{ name: connection.site.name, connection }];
  }
  const known = await knownSites(EXPECTED, surroundings);
  const meant = options.site === undefined ? known.sites : [meantSite(known, options.site, "secondary")];
  if (options.token !== undefined && meant.length > 1) {
    throw usage("--token opens one site; expected --site with it, or tokens in the file of sites");
  }
  const ordered = meant.toSorted((a, b) => Number(b.role === "primary") - Number(a.role === "primary"));
  const [first, ...others] = await Promise.all(
    ordered.map(async (site): Promise<Reach> => {
      try {
        return { name: site.name, connection: await arrive(addressOf(site, options.token), site.name, surroundings) };
      } catch (problem) {
        if (problem instanceof GeoApiError || problem instanceof CommandError) return { name: site.name, problem };
        throw problem;
      }
    }),
  );
  if (first === undefined) throw usage(`${known.from} names no site`);
  return [first, ...others];
};

/** Those that were reached. @throws what is in the way of the first when none was: then there is nothing to tell. */
export const reached = (all: readonly Reach[]): readonly Connection[] => {
  const connections = all.flatMap((reach) => ("connection" in reach ? [reach.connection] : []));
  const [nearest] = all.flatMap((reach) => ("problem" in reach ? [reach.problem] : []));
  if (connections.length === 0 && nearest !== undefined) throw nearest;
  return connections;
};
