import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import * as z from "zod/mini";
import { geoClient, type GeoClient } from "../shared/client/client.ts";
import { CommandError, EXIT } from "./exit-codes.ts";
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
}

/** Where the demonstration that `npm start` keeps up says how it is reached, beneath the checkout. */
const RUN_FILE = ".local/run.json";

const RunFile = z.object({
  sites: z.array(
    z.object({
      name: z.string(),
      role: z.enum(["primary", "secondary"]),
      api_url: z.string(),
      admin_token: z.string(),
    }),
  ),
});

/** Hosts of this machine: only to these a token travels without TLS. */
const OWN_HOSTS: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

const HELP = `
Which site is asked: --endpoint-url with a token, else the demonstration that "npm start" keeps up (${RUN_FILE}).
The token is better put into GEO_TOKEN than behind --token, where other users of the machine can read it.
GEO_ENDPOINT_URL stands in for --endpoint-url.`;

/** Gives a command the options by which it finds a site's API, and says so in its help. */
export const addConnectionOptions = (command: Command): Command =>
  command
    .option("--endpoint-url <url>", "the site's API, stage included: https://….amazonaws.com/geo")
    .option("--site <name>", "the site's name; with --endpoint-url, the name that has to answer there")
    .option("--token <token>", "an API token (default: GEO_TOKEN, or the demonstration's own)")
    .addHelpText("after", HELP);

const usage = (message: string): CommandError => new CommandError(EXIT.usage, message);

const checkedUrl = (text: string): string => {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw usage(`--endpoint-url is ${JSON.stringify(text)}, expected an address such as https://….amazonaws.com/geo`);
  }
  if (url.protocol === "http:" && !OWN_HOSTS.has(url.hostname)) {
    throw usage(`--endpoint-url is ${JSON.stringify(text)}, expected https: the token would travel unencrypted`);
  }
  return text.replace(/\/+$/, "");
};

const demonstration = async (root: string): Promise<z.infer<typeof RunFile>["sites"]> => {
  const text = await readFile(join(root, RUN_FILE), "utf8").catch(() => undefined);
  if (text === undefined) {
    throw usage(
      `which site? Expected --endpoint-url with GEO_TOKEN, or a running demonstration (npm start), and found no ${RUN_FILE}`,
    );
  }
  try {
    return RunFile.parse(JSON.parse(text)).sites;
  } catch (cause) {
    throw new CommandError(EXIT.failure, `${RUN_FILE} can not be read; start the demonstration again: npm start`, {
      cause,
    });
  }
};

/** Address and token, before anybody is asked. */
const findApi = async (
  options: ConnectionOptions,
  role: "primary" | "secondary",
  { root, env = {} }: Surroundings,
): Promise<{ readonly url: string; readonly token: string }> => {
  const endpoint = options.endpointUrl ?? env["GEO_ENDPOINT_URL"];
  if (endpoint !== undefined && endpoint !== "") {
    const url = checkedUrl(endpoint);
    const token = options.token ?? env["GEO_TOKEN"];
    if (token === undefined || token === "") throw usage(`no token for ${url}: expected it in GEO_TOKEN, or --token`);
    return { url, token };
  }
  const sites = await demonstration(root);
  const wanted = sites.find(({ name, role: is }) => (options.site === undefined ? is === role : name === options.site));
  if (wanted === undefined) {
    const names = sites.map(({ name, role: is }) => `${name} (${is})`).join(", ");
    throw usage(`--site is ${JSON.stringify(options.site ?? role)}, expected one of ${names}`);
  }
  return { url: wanted.api_url, token: options.token ?? wanted.admin_token };
};

/**
 * Finds the API that a command is to talk to, and asks who is there.
 * @param role which of the demonstration's sites is meant when nobody says so
 * @throws CommandError what can not work as it was called; GeoApiError when the site does not answer as it should
 */
export const connect = async (
  options: ConnectionOptions,
  role: "primary" | "secondary",
  surroundings: Surroundings,
): Promise<Connection> => {
  const { url, token } = await findApi(options, role, surroundings);
  const client = geoClient({
    url,
    token,
    ...(surroundings.fetch === undefined ? {} : { fetch: surroundings.fetch }),
  });
  const [status] = await client.siteStatuses();
  if (status === undefined) throw new CommandError(EXIT.failure, `${url} knows of no site`);
  if (options.site !== undefined && options.site !== status.name) {
    throw usage(`--site is ${JSON.stringify(options.site)}, and ${status.name} answers at ${url}`);
  }
  return { client, url, site: { id: status.geo_node_id, name: status.name, primary: status.primary } };
};
