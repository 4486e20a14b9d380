import { runCli } from "../../../cli/run-cli.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { API_URL, type apiSite } from "../../api/support/site.ts";

type Api = Pick<ReturnType<typeof apiSite>, "call" | "token">;

/** A command line and what it came to. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What stands in a path before the API's own: the stage. */
const STAGE = new URL(API_URL).pathname;

/** Runs the command on the API of a site in this process, through its authorizer. */
export const geoAt = (api: Api, around: Partial<Surroundings> = {}, scope: "admin_geo" | "read_geo" = "admin_geo") => {
  let token: Promise<string> | undefined; // one for all: what a page tells is for whoever asked
  return async (...args: readonly string[]): Promise<Said> => {
    const said = { out: "", err: "" };
    token ??= api.token({ scope });
    const code = await runCli(args, {
      root: "/nowhere",
      replicables,
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      env: { GEO_ENDPOINT_URL: API_URL, GEO_TOKEN: await token },
      fetch: (url, init) => {
        const { pathname, search } = new URL(url);
        return api.call(`${pathname.slice(STAGE.length)}${search}`, init);
      },
      ...around,
    });
    return { code, ...said };
  };
};

/** A screen of so many columns. */
export const screenOf = (columns: number): Partial<Surroundings> => ({ screen: { columns: () => columns } });
