import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addConnectionOptions, connect, type ConnectionOptions } from "../../../cli/connection.ts";
import { EXIT, exitCodeOf } from "../../../cli/exit-codes.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";
import { GeoApiError } from "../../../shared/client/client.ts";
import { apiSite } from "../../api/support/site.ts";
import { checkout } from "./checkout.ts";

const URL_OF = "https://abc.example.com/geo";

/** Surroundings in which one site answers everywhere, and what it was asked. */
const surroundings = async (answering: "primary" | "secondary" = "secondary") => {
  const { root } = await checkout();
  const { app } = apiSite(answering);
  const calls: { readonly url: string; readonly token: string | null }[] = [];
  const around: Surroundings = {
    root,
    replicables: [],
    out: () => {},
    err: () => {},
    env: {},
    fetch: async (url, init) => {
      calls.push({ url, token: new Headers(init.headers).get("private-token") });
      return app.request(new URL(url).pathname.replace(/^\/geo/, ""), init);
    },
  };
  return { around, calls, root };
};

const runFile = async (root: string, content: unknown): Promise<void> => {
  await mkdir(join(root, ".local"), { recursive: true });
  await writeFile(join(root, ".local/run.json"), typeof content === "string" ? content : JSON.stringify(content), {
    mode: 0o600,
  });
};

const DEMONSTRATION = {
  sites: [
    { name: "london", role: "primary", api_url: "http://127.0.0.1:1/geo", admin_token: "of-london" },
    { name: "dublin", role: "secondary", api_url: "http://127.0.0.1:2/geo", admin_token: "of-dublin" },
  ],
};

describe("a command finds its site", () => {
  test("at the address that it is given, with the token from the environment", async () => {
    const { around, calls } = await surroundings();
    const { site, url } = await connect({ endpointUrl: `${URL_OF}/` }, "secondary", {
      ...around,
      env: { GEO_TOKEN: "secret" },
    });
    expect(url).toBe(URL_OF);
    expect(site.primary).toBe(false);
    expect(calls).toEqual([{ url: `${URL_OF}/api/v4/geo_sites/status?per_page=100`, token: "secret" }]);
  });

  test("at the address in the environment, and --token goes before the environment's", async () => {
    const { around, calls } = await surroundings();
    const env = { GEO_TOKEN: "secret", GEO_ENDPOINT_URL: URL_OF };
    await connect({ token: "mine" }, "secondary", { ...around, env });
    expect(calls[0]?.token).toBe("mine");
  });

  test("in the demonstration that is up, by its role or by its name, never with the environment's token", async () => {
    const { around, calls, root } = await surroundings();
    await runFile(root, DEMONSTRATION);
    const env = { GEO_TOKEN: "of-another-installation" };
    await connect({}, "secondary", { ...around, env });
    await connect({}, "primary", { ...around, env });
    await connect({ site: "london" }, "secondary", { ...around, env }).catch(() => {});
    expect(calls.map(({ token }) => token)).toEqual(["of-dublin", "of-london", "of-london"]);
  });
});

/** Why a command does not come to its site, and whom it asked before. */
const failure = async (options: ConnectionOptions, env: Record<string, string> = {}, file?: unknown) => {
  const { around, calls, root } = await surroundings();
  if (file !== undefined) await runFile(root, file);
  const error: unknown = await connect(options, "secondary", { ...around, env }).catch((thrown: unknown) => thrown);
  return { error, calls };
};

describe("a command that finds none says what was expected, with exit code", () => {
  test.each([
    [
      "neither an address nor a demonstration",
      {},
      {},
      undefined,
      /expected --endpoint-url with GEO_TOKEN, a file of sites \(GEO_SITES_FILE\), or a running/i,
    ],
    ["an address without a token", { endpointUrl: URL_OF }, {}, undefined, /no token for .*GEO_TOKEN, or --token/],
    ["what is no address", { endpointUrl: "dublin" }, { GEO_TOKEN: "x" }, undefined, /"dublin", expected an address/],
    ["an address without TLS", { endpointUrl: "http://a.example" }, { GEO_TOKEN: "x" }, undefined, /expected https/],
    [
      "a site that is not there",
      { site: "oslo" },
      {},
      DEMONSTRATION,
      /"oslo", expected one of london \(primary\), dublin/,
    ],
  ])("2: %s", async (_name, options, env, file, text) => {
    const { error, calls } = await failure(options, env, file);
    expect(error).toMatchObject({ exitCode: EXIT.usage, message: expect.stringMatching(text) });
    expect(calls).toEqual([]);
  });

  test("2: another site than the one that was named answers", async () => {
    const { error } = await failure({ endpointUrl: URL_OF, site: "oslo", token: "x" });
    expect(error).toMatchObject({ exitCode: EXIT.usage, message: expect.stringMatching(/"oslo", and .* answers at/) });
  });

  test("1: a demonstration's file that can not be read", async () => {
    const { error } = await failure({}, {}, "{");
    expect(error).toMatchObject({ exitCode: EXIT.failure });
  });

  test.each([
    ["unauthorized", EXIT.notAllowed],
    ["forbidden", EXIT.notAllowed],
    ["invalid", EXIT.usage],
    ["unreachable", EXIT.failure],
    ["conflict", EXIT.failure],
  ] as const)("a call that ended as %s: %i", (reason, code) => {
    expect(exitCodeOf(new GeoApiError(reason, "no"))).toBe(code);
  });
});

test("a command says in its help how it finds its site", () => {
  let help = "";
  addConnectionOptions(new Command("x"))
    .configureOutput({ writeOut: (text) => void (help += text) })
    .outputHelp();
  expect(help).toMatch(/--endpoint-url[\s\S]*--site[\s\S]*--token[\s\S]*GEO_TOKEN/);
});
