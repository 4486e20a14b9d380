import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod/mini";
import { CommandError, EXIT } from "./exit-codes.ts";
import type { Surroundings } from "./surroundings.ts";

/** Where the demonstration that `npm start` keeps up says how it is reached, beneath the checkout. */
export const RUN_FILE = ".local/run.json";

/** Where somebody's own sites stand, beneath `$XDG_CONFIG_HOME` (default: `~/.config`). */
const PROFILES = "s3-geo/sites.json";

/** Bits of a file's mode that let others than its owner at it. */
const OTHERS = 0o077;

/**
 * A file of sites: of the demonstration that is up, or of somebody's own deployed sites. As much of it as commands need.
 */
const SitesFile = z.object({
  /** Only of the demonstration: the local cloud that its sites are on. */
  cloud: z.optional(z.object({ name: z.string(), endpoint: z.optional(z.string()) })),
  credentials: z.optional(z.object({ access_key_id: z.string(), secret_access_key: z.string() })),
  sites: z.array(
    z.object({
      name: z.string(),
      role: z.enum(["primary", "secondary"]),
      /** The output `ApiUrl` of the site's stack, stage included. */
      api_url: z.string(),
      /** Of the demonstration, with the scope `admin_geo`. */
      admin_token: z.optional(z.string()),
      token: z.optional(z.string()),
      /** The environment variable that holds the token, so that the file holds none. */
      token_env: z.optional(z.string()),
      region: z.optional(z.string()),
      /** For `geo token` and `geo doctor`, which look at the site's table. */
      site_table: z.optional(z.string()),
    }),
  ),
});

/** A site that a command may reach. */
export interface KnownSite {
  readonly name: string;
  readonly role: "primary" | "secondary";
  readonly apiUrl: string;
  /** Absent: whoever asks has to bring one. */
  readonly token: string | undefined;
  /** The environment variable that was expected to hold the token. */
  readonly tokenEnv: string | undefined;
  readonly region: string | undefined;
  readonly siteTable: string | undefined;
}

/** The sites that are known without an option, and where from. */
export interface KnownSites {
  /** For messages: the file's path. */
  readonly from: string;
  readonly sites: readonly KnownSite[];
  /** Of a local cloud; absent: AWS, with the credentials that the SDK finds. */
  readonly cloud: { readonly name: string; readonly endpoint?: string | undefined } | undefined;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

const usage = (message: string): CommandError => new CommandError(EXIT.usage, message);

const present = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/** The files that may name sites, the first that is there counts. One that is named has to be there. */
const candidates = ({ root, env = {} }: Surroundings): readonly { readonly path: string; readonly must: boolean }[] => {
  const named = present(env["GEO_SITES_FILE"]);
  if (named !== undefined) return [{ path: named, must: true }];
  const home = present(env["HOME"]);
  const config = present(env["XDG_CONFIG_HOME"]) ?? (home === undefined ? undefined : join(home, ".config"));
  return [
    ...(config === undefined ? [] : [{ path: join(config, PROFILES), must: false }]),
    { path: join(root, RUN_FILE), must: false },
  ];
};

/** Tokens that other users of the machine can read are theirs. */
const keepPrivate = async (path: string, file: z.infer<typeof SitesFile>): Promise<void> => {
  const holdsTokens = file.sites.some(({ token, admin_token: admin }) => (token ?? admin) !== undefined);
  if (!holdsTokens) return;
  const { mode } = await stat(path);
  if ((mode & OTHERS) !== 0) {
    throw usage(`${path} holds tokens and others may read it; make it yours alone: chmod 600 ${path}`);
  }
};

const parsed = (path: string, shown: string, text: string): z.infer<typeof SitesFile> => {
  const isDemonstration = path.endsWith(RUN_FILE);
  try {
    return SitesFile.parse(JSON.parse(text));
  } catch (cause) {
    const where = cause instanceof z.core.$ZodError ? cause.issues.map((issue) => issue.path.join(".")).join(", ") : "";
    const remedy = isDemonstration
      ? "start the demonstration again: npm start"
      : `expected {"sites": [{"name", "role", "api_url", "token" or "token_env"}]}${where === "" ? "" : `; look at ${where}`}`;
    throw new CommandError(EXIT.failure, `${shown} can not be read; ${remedy}`, { cause });
  }
};

/**
 * Reads which sites there are: of `$GEO_SITES_FILE`, else of `$XDG_CONFIG_HOME/s3-geo/sites.json`, else the demonstration's.
 * @returns undefined when there is no such file
 * @throws {CommandError} of a file that can not be read, or that others may read
 */
export const findSites = async (surroundings: Surroundings): Promise<KnownSites | undefined> => {
  const { root, env = {} } = surroundings;
  for (const { path, must } of candidates(surroundings)) {
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) {
      if (must) throw usage(`GEO_SITES_FILE is ${JSON.stringify(path)}, where no file can be read`);
      continue;
    }
    const shown = path === join(root, RUN_FILE) ? RUN_FILE : path;
    const file = parsed(path, shown, text);
    await keepPrivate(path, file);
    return {
      from: shown,
      sites: file.sites.map((site) => ({
        name: site.name,
        role: site.role,
        apiUrl: site.api_url,
        token:
          site.token ?? site.admin_token ?? (site.token_env === undefined ? undefined : present(env[site.token_env])),
        tokenEnv: site.token_env,
        region: site.region,
        siteTable: site.site_table,
      })),
      cloud: file.cloud,
      credentials:
        file.credentials === undefined
          ? undefined
          : { accessKeyId: file.credentials.access_key_id, secretAccessKey: file.credentials.secret_access_key },
    };
  }
  return undefined;
};

/**
 * As `findSites`, for whom needs one.
 * @param expected what may be given in place of a file: `--endpoint-url with GEO_TOKEN`
 */
export const knownSites = async (expected: string, surroundings: Surroundings): Promise<KnownSites> => {
  const found = await findSites(surroundings);
  if (found !== undefined) return found;
  throw usage(
    `which site? Expected ${expected}, a file of sites (GEO_SITES_FILE), or a running demonstration (npm start), and found no ${RUN_FILE}`,
  );
};

const listed = (sites: readonly KnownSite[]): string => sites.map(({ name, role }) => `${name} (${role})`).join(", ");

/**
 * The one that is meant: by its name, else the only one of its role.
 * @throws {CommandError} with what may be said, when there is none or more than one
 */
export const meantSite = (
  { sites, from }: KnownSites,
  name: string | undefined,
  role: "primary" | "secondary",
): KnownSite => {
  const [wanted, ...others] = sites.filter((site) => (name === undefined ? site.role === role : site.name === name));
  if (wanted === undefined && name === undefined) {
    const other = sites.length === 0 ? "" : `, or --site with one of ${listed(sites)}`;
    throw usage(`which ${role}? ${from} names none; expected one there${other}`);
  }
  if (wanted === undefined) {
    throw usage(`--site is ${JSON.stringify(name)}, expected one of ${listed(sites)}, as ${from} has them`);
  }
  if (others.length > 0) throw usage(`which ${role}? Expected --site with one of ${listed([wanted, ...others])}`);
  return wanted;
};
