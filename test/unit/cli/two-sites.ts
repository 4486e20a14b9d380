import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { runCli } from "../../../cli/run-cli.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";
import { SYNC_TIMEOUT_SECONDS } from "../../../shared/geo/limits.ts";
import { duePartition, rowKey } from "../../../shared/geo/registry-row.ts";
import { REPLICATION_STATE } from "../../../shared/geo/replication-state.ts";
import { siteId } from "../../../shared/geo/site-status.ts";
import { VERIFICATION_STATE } from "../../../shared/geo/verification-state.ts";
import { NO_FINDINGS } from "../../../shared/geo/consistency.ts";
import { gatherStatus } from "../../../shared/services/gather-status.ts";
import { CachedSwitches } from "../../../shared/services/type-switches.ts";
import { beginWalk, endWalk, parseWalk, walkRequest } from "../../../shared/tables/site/consistency-items.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { apiSite, PRIMARY_NAME } from "../../api/support/site.ts";
import { checkout } from "./checkout.ts";

export const SECONDARY_NAME = "frankfurt";
export const ID = { primary: siteId(PRIMARY_NAME), secondary: siteId(SECONDARY_NAME) } as const;

const URLS = { primary: "http://127.0.0.1:1/geo", secondary: "http://127.0.0.1:2/geo" } as const;

/** Where tokens would be looked for; a test says what is there. */
const PLACE = { region: "eu-central-1", site_table: "s3-geo-site" } as const;

/** What the terminal would obey: nothing of it may come to who is no terminal. */
const CONTROLS = /[^\P{Cc}\n]/u;

/**
 * A primary and a secondary in this process, in a file of sites as the demonstration writes it, and the command line on them.
 * Nobody is a terminal, and whatever is printed is held to that.
 */
export const twoSites = async (around: Partial<Surroundings> = {}) => {
  const { root } = await checkout();
  const secondary = apiSite("secondary");
  const { clock } = secondary;
  const primary = apiSite("primary", { name: PRIMARY_NAME, siteTable: secondary.primarySiteTable, clock });
  const tokens = {
    primary: await primary.token({ scope: "admin_geo" }),
    secondary: await secondary.token({ scope: "admin_geo" }),
  };
  const down = new Set<"primary" | "secondary">();

  /** @param named which of them are in the file */
  const sitesFile = async (
    given: Partial<Record<"primary" | "secondary", string>> = tokens,
    named: readonly string[] = ["primary", "secondary"],
  ): Promise<void> => {
    await mkdir(join(root, ".local"), { recursive: true });
    const sites = [
      {
        ...PLACE,
        name: PRIMARY_NAME,
        role: "primary",
        api_url: URLS.primary,
        admin_token: given.primary ?? tokens.primary,
      },
      {
        ...PLACE,
        name: SECONDARY_NAME,
        role: "secondary",
        api_url: URLS.secondary,
        admin_token: given.secondary ?? tokens.secondary,
      },
    ].filter(({ role }) => named.includes(role));
    await writeFile(join(root, ".local/run.json"), JSON.stringify({ sites }), { mode: 0o600 });
  };
  await sitesFile();

  /** Runs a command as a shell would, and says what it printed. */
  const geo = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const code = await runCli(args, {
      root,
      replicables,
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      env: {},
      now: () => clock.now(),
      sleep: (milliseconds) => {
        clock.advance(milliseconds);
        return Promise.resolve();
      },
      fetch: async (url, init) => {
        const role = url.startsWith(URLS.primary) ? "primary" : "secondary";
        if (down.has(role)) throw new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
        const { pathname, search } = new URL(url);
        const api = role === "primary" ? primary : secondary;
        const response = await api.call(`${pathname.replace(/^\/geo/, "")}${search}`, init);
        response.headers.set("date", new Date(clock.now()).toUTCString()); // as every server's answers have
        return response;
      },
      ...around,
    });
    if (around.screen === undefined && CONTROLS.test(said.out + said.err)) {
      throw new Error(`control characters where there is no terminal: ${JSON.stringify(said)}`);
    }
    return { code, ...said };
  };

  return { geo, primary, secondary, clock, root, sitesFile, tokens, down };
};

/** As a secondary is that has compared every type with the primary to the end. */
export const finishWalks = async ({ secondary }: Awaited<ReturnType<typeof twoSites>>): Promise<void> => {
  for (const { name } of replicables) {
    const now = secondary.clock.now();
    await secondary.siteTable.update(
      beginWalk(name, undefined, { id: `walk-${name}`, reason: "first", ranges: 1, scope: "all", now }),
    );
    const walk = parseWalk(await secondary.siteTable.get(walkRequest(name)));
    if (walk === undefined) throw new Error(`no walk of ${name}`);
    await secondary.siteTable.update(endWalk(walk, NO_FINDINGS, now));
  }
};

/** As a secondary does each minute: it looks at itself, and tells the primary. */
export const reportToPrimary = async ({ primary, secondary }: Awaited<ReturnType<typeof twoSites>>): Promise<void> => {
  const { site, siteTable, clock, telemetry } = secondary;
  const gathering = {
    site,
    apiUrl: URLS.secondary,
    replicables,
    siteTable,
    switches: new CachedSwitches(primary.siteTable, replicables, clock),
    primary: { name: PRIMARY_NAME, siteTable: primary.siteTable },
    syncObjectStorage: true,
    syncTimeoutSeconds: SYNC_TIMEOUT_SECONDS.standard,
    clock,
    telemetry,
  };
  await gatherStatus(gathering, clock.now() + 60_000);
};

/** A row of a secondary's registry, as far as it is counted. */
export const registryRow = (
  state: keyof typeof REPLICATION_STATE,
  verification: keyof typeof VERIFICATION_STATE,
  id: number,
  type = "lfs_object",
) => ({
  pk: `${type}#000`,
  sk: `${type}s/${id}`,
  size: 1_024,
  state: REPLICATION_STATE[state],
  verification_state: VERIFICATION_STATE[verification],
});

/** The same as it stands in the table, so that the registry lists it; nobody has counted it. */
export const uncountedRow = (...row: Parameters<typeof registryRow>) => {
  const [, , id, replicableName = "lfs_object"] = row;
  const ref = { replicableName, key: `${replicableName}s/${id}` };
  return { ...registryRow(...row), ...rowKey(ref), due_pk: duePartition(ref), due_at: 1, gen: 1 };
};

/** A record of the primary. */
export const primaryRow = (verification: keyof typeof VERIFICATION_STATE, id: number, type = "lfs_object") => ({
  pk: `${type}#000`,
  sk: `${type}s/${id}`,
  size: 1_024,
  verification_state: VERIFICATION_STATE[verification],
});
