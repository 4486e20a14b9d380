import { chmod, mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { connect, connectAll, reached } from "../../../cli/connection.ts";
import { EXIT } from "../../../cli/exit-codes.ts";
import { findSites } from "../../../cli/run-file.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";
import { GeoApiError } from "../../../shared/client/client.ts";
import { apiSite } from "../../api/support/site.ts";
import { checkout } from "./checkout.ts";

const PRIMARY = { name: "frankfurt", role: "primary", api_url: "https://one.example.com/geo", token: "of-one" };
const SECONDARY = { name: "dublin", role: "secondary", api_url: "https://two.example.com/geo", token_env: "DUBLIN" };

/** A machine with files of sites; the API of the first site answers as a primary, nobody does elsewhere. */
const machine = async (env: Readonly<Record<string, string>> = {}) => {
  const { root } = await checkout();
  const { app } = apiSite("primary");
  const tokens: (string | null)[] = [];
  const around: Surroundings = {
    root,
    replicables: [],
    out: () => {},
    err: () => {},
    env: { HOME: join(root, "home"), ...env },
    fetch: async (url, init) => {
      tokens.push(new Headers(init.headers).get("private-token"));
      if (!url.startsWith(PRIMARY.api_url)) throw new TypeError("nobody is there");
      return app.request(new URL(url).pathname.replace(/^\/geo/, ""), init);
    },
  };
  const file = async (path: string, content: unknown, mode = 0o600): Promise<string> => {
    const at = join(root, path);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, typeof content === "string" ? content : JSON.stringify(content));
    await chmod(at, mode);
    return at;
  };
  return { around, tokens, file, root };
};

const named = (name: string) => ({ sites: [{ ...PRIMARY, name }] });
const PROFILES = "home/.config/s3-geo/sites.json";

describe("the file of sites", () => {
  test("is the one that is named, else somebody's own, else the demonstration's", async () => {
    const { around, file, root } = await machine();
    expect(await findSites(around)).toBeUndefined();
    await file(".local/run.json", named("demonstration"));
    expect(await findSites(around)).toMatchObject({ from: ".local/run.json", sites: [{ name: "demonstration" }] });
    await file(PROFILES, named("own"));
    expect(await findSites(around)).toMatchObject({ from: join(root, PROFILES), sites: [{ name: "own" }] });
    await file("config/s3-geo/sites.json", named("elsewhere"));
    const env = { ...around.env, XDG_CONFIG_HOME: join(root, "config") };
    expect(await findSites({ ...around, env })).toMatchObject({ sites: [{ name: "elsewhere" }] });
    const GEO_SITES_FILE = await file("mine.json", named("mine"));
    expect(await findSites({ ...around, env: { ...env, GEO_SITES_FILE } })).toMatchObject({
      sites: [{ name: "mine" }],
    });
  });

  test("may name the environment variable of a token in its place", async () => {
    const { around, file } = await machine({ DUBLIN: "of-two" });
    await file(PROFILES, { sites: [SECONDARY] }, 0o644);
    expect(await findSites(around)).toMatchObject({ sites: [{ token: "of-two", tokenEnv: "DUBLIN" }] });
  });

  test.each([0o640, 0o604, 0o660])("that holds tokens is refused when others may read it: %o", async (mode) => {
    const { around, file } = await machine();
    await file(PROFILES, named("own"), mode);
    await expect(findSites(around)).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: expect.stringMatching(/holds tokens and others may read it; make it yours alone: chmod 600 /),
    });
  });

  test("that is named and is not there is said", async () => {
    const { around } = await machine({ GEO_SITES_FILE: "/nowhere/sites.json" });
    await expect(findSites(around)).rejects.toMatchObject({
      exitCode: EXIT.usage,
      message: 'GEO_SITES_FILE is "/nowhere/sites.json", where no file can be read',
    });
  });

  test("that is no such file says what was expected, and where", async () => {
    const { around, file } = await machine();
    await file(PROFILES, { sites: [{ ...PRIMARY, role: "main" }] });
    await expect(findSites(around)).rejects.toMatchObject({
      exitCode: EXIT.failure,
      message: expect.stringMatching(/expected \{"sites": .*; look at sites\.0\.role$/),
    });
    await file(PROFILES, "{");
    await expect(findSites(around)).rejects.toMatchObject({ message: expect.stringMatching(/or "token_env"}]}$/) });
  });
});

describe("a command that wants every site", () => {
  test("reaches those that answer, primaries first, and says what is in the way of others", async () => {
    const { around, file, tokens } = await machine({ DUBLIN: "of-two" });
    await file(PROFILES, { sites: [SECONDARY, PRIMARY] });
    const all = await connectAll({}, around);
    expect(all).toMatchObject([
      { name: "frankfurt", connection: { site: { primary: true } } },
      { name: "dublin", problem: { reason: "unreachable" } },
    ]);
    expect(tokens).toEqual(["of-one", "of-two"]);
    expect(reached(all).map(({ site }) => site.name)).toEqual(["frankfurt"]);
  });

  test("is told of a site without a token beside the others", async () => {
    const { around, file } = await machine();
    await file(PROFILES, { sites: [PRIMARY, SECONDARY] });
    expect(await connectAll({}, around)).toMatchObject([
      { name: "frankfurt" },
      { name: "dublin", problem: { message: "no token for dublin: expected it in DUBLIN, or --token" } },
    ]);
  });

  test("fails with what is in the way when it reaches none", async () => {
    const { around, file } = await machine({ DUBLIN: "of-two" });
    await file(PROFILES, { sites: [SECONDARY] });
    const all = await connectAll({}, around);
    expect(() => reached(all)).toThrow(GeoApiError);
  });

  test("reaches the one that is named, or whose address is given", async () => {
    const { around, file } = await machine();
    await file(PROFILES, { sites: [SECONDARY, PRIMARY] });
    expect(await connectAll({ site: "frankfurt", token: "mine" }, around)).toMatchObject([{ name: "frankfurt" }]);
    expect(await connectAll({ endpointUrl: PRIMARY.api_url, token: "mine" }, around)).toMatchObject([
      { name: "frankfurt" },
    ]);
  });

  test.each([
    ["a token for many", { token: "mine" }, [PRIMARY, SECONDARY], /--token opens one site; expected --site with it/],
    ["a site that is not there", { site: "oslo" }, [PRIMARY], /"oslo", expected one of frankfurt \(primary\), as /],
    ["a file without sites", {}, [], /names no site/],
    [
      "an address without TLS",
      { site: "far" },
      [{ ...PRIMARY, name: "far", api_url: "http://far.example" }],
      /^api_url/,
    ],
  ])("is told what was expected: %s", async (_, options, sites, text) => {
    const { around, file } = await machine();
    await file(PROFILES, { sites });
    const asking = connectAll(options, around).then(reached);
    await expect(asking).rejects.toMatchObject({ exitCode: EXIT.usage, message: expect.stringMatching(text) });
  });
});

test("a command that wants one secondary does not choose among several", async () => {
  const { around, file } = await machine();
  await file(PROFILES, { sites: [PRIMARY, SECONDARY, { ...SECONDARY, name: "oslo" }] });
  await expect(connect({}, "secondary", around)).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: "which secondary? Expected --site with one of dublin (secondary), oslo (secondary)",
  });
});

test.each([
  [
    [SECONDARY],
    /^which primary\? .*sites\.json names none; expected one there, or --site with one of dublin \(secondary\)$/,
  ],
  [[], /^which primary\? .*sites\.json names none; expected one there$/],
])("a command that wants the primary says so of a file that names none: %j", async (sites, message) => {
  const { around, file } = await machine();
  await file(PROFILES, { sites });
  await expect(connect({}, "primary", around)).rejects.toMatchObject({
    exitCode: EXIT.usage,
    message: expect.stringMatching(message),
  });
});
