import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../../cli/exit-codes.ts";
import { runCli } from "../../../cli/run-cli.ts";
import type { TableAddress } from "../../../cli/token-keeper.ts";
import { TableUnavailableError } from "../../../shared/geo/errors.ts";
import { hashToken, isTokenShaped } from "../../../shared/geo/tokens.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { authenticate } from "../../../shared/services/authenticate.ts";
import { checkout } from "./checkout.ts";

const clock = { now: () => Date.now() };
const AT = ["--site-table", "s3-geo-ireland-site", "--region", "eu-west-1"];

/** The command on a site's table in memory, and which table it opened. */
const commanding = async (env: Readonly<Record<string, string>> = {}) => {
  const { root } = await checkout();
  const site = new MemoryTable({ name: "site" });
  const opened: TableAddress[] = [];
  const geo = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const code = await runCli(["token", ...args], {
      root,
      replicables: [],
      env,
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      siteTable: (address) => {
        opened.push(address);
        return site;
      },
    });
    return { code, ...said };
  };
  const runFile = async (content: unknown): Promise<void> => {
    await mkdir(join(root, ".local"), { recursive: true });
    await writeFile(join(root, ".local/run.json"), typeof content === "string" ? content : JSON.stringify(content), {
      mode: 0o600,
    });
  };
  return { geo, site, opened, runFile };
};

/** A failure as the SDK names it. */
const named = (name: string): Error => Object.assign(new Error("no"), { name });

const LONDON = { name: "london", role: "primary", region: "eu-west-2", api_url: "http://127.0.0.1:1/geo" };
const DUBLIN = { name: "dublin", role: "secondary", region: "eu-west-1", api_url: "http://127.0.0.1:2/geo" };

const DEMONSTRATION = {
  cloud: { name: "ministack", endpoint: "http://127.0.0.1:4566" },
  credentials: { access_key_id: "key", secret_access_key: "secret" },
  sites: [
    { ...LONDON, site_table: "s3-geo-london-site" },
    { ...DUBLIN, site_table: "s3-geo-dublin-site" },
  ],
};

describe("geo token create", () => {
  test("shows a secret that opens the API, alone on its line, and stores no more than its hash", async () => {
    const { geo, site } = await commanding();
    const { code, out, err } = await geo("create", "--name", "dashboards", ...AT);
    expect(code).toBe(EXIT.ok);
    const secret = out.trimEnd();
    expect(isTokenShaped(secret)).toBe(true);
    expect(err).toContain("dashboards (read_geo)");
    expect(err).not.toContain(secret);
    expect(JSON.stringify(site.items())).not.toContain(secret);
    const call = { method: "GET", path: "/metrics", headers: { "private-token": secret } };
    expect(await authenticate({ site, clock }, call)).toMatchObject({ admission: "allowed" });
  });

  test("makes what it is asked for", async () => {
    const { geo } = await commanding();
    const { out } = await geo(
      "create",
      "--name",
      "me",
      "--scope",
      "admin_geo",
      "--days",
      "7",
      "--output",
      "json",
      ...AT,
    );
    const made = JSON.parse(out);
    expect(made).toMatchObject({
      name: "me",
      scope: "admin_geo",
      state: "active",
      id: hashToken(made.token).slice(0, 12),
    });
    expect(Date.parse(made.expires_at) - Date.parse(made.created_at)).toBe(7 * 86_400_000);
  });

  test.each([
    ["no name", [], "name: expected 1 to 255 characters, got 0"],
    ["a scope that is none", ["--name", "me", "--scope", "root"], "--scope: expected read_geo or admin_geo"],
    ["a day too many", ["--name", "me", "--days", "366"], "days: expected a whole number from 1 to 365, got 366"],
    ["days that are no number", ["--name", "me", "--days", "x"], "--days: expected a number of days"],
    ["a format that is none", ["--name", "me", "--output", "xml"], "--output: expected table or json"],
  ])("makes none for %s", async (_, args, said) => {
    const { geo, site } = await commanding();
    const { code, out, err } = await geo("create", ...args, ...AT);
    expect({ code, out }).toEqual({ code: EXIT.usage, out: "" });
    expect(err).toContain(said);
    expect(site.items()).toEqual([]);
  });
});

describe("geo token list and revoke", () => {
  test("show what there is and end it, and never show a secret again", async () => {
    const { geo } = await commanding();
    const made = JSON.parse((await geo("create", "--name", "dashboards", "--output", "json", ...AT)).out);
    const listed = await geo("list", ...AT);
    expect(listed.out).toMatch(/^id +state +scope +expires_at +last_used_at +name\n/);
    expect(listed.out).toMatch(new RegExp(`^${made.id} +active +read_geo +\\S+ +never +dashboards$`, "m"));
    const ended = await geo("revoke", made.id, ...AT);
    expect(ended).toMatchObject({ code: EXIT.ok, out: `${made.id} of dashboards is revoked\n` });
    const after = await geo("list", "--output", "json", ...AT);
    expect(JSON.parse(after.out)).toEqual([expect.objectContaining({ id: made.id, state: "revoked" })]);
    for (const { out, err } of [listed, ended, after]) expect(out + err).not.toContain(made.token.slice(4));
  });

  test("end nothing that is not there", async () => {
    const { geo } = await commanding();
    expect(await geo("revoke", "0123456789ab", ...AT)).toMatchObject({
      code: EXIT.usage,
      err: expect.stringContaining("there is no token 0123456789ab"),
    });
  });
});

describe("geo token finds the site's table", () => {
  test("by its options, else by the environment", async () => {
    const { geo, opened } = await commanding({ GEO_SITE_TABLE: "table", AWS_REGION: "us-east-1" });
    await geo("list");
    await geo("list", ...AT);
    expect(opened).toEqual([
      { table: "table", region: "us-east-1" },
      { table: "s3-geo-ireland-site", region: "eu-west-1" },
    ]);
  });

  test("in the demonstration that is up, with what its cloud takes", async () => {
    const { geo, opened, runFile } = await commanding();
    await runFile(DEMONSTRATION);
    expect(await geo("list")).toMatchObject({ code: EXIT.ok });
    expect(await geo("list", "--site", "dublin")).toMatchObject({ code: EXIT.ok });
    const cloud = { endpoint: "http://127.0.0.1:4566", credentials: { accessKeyId: "key", secretAccessKey: "secret" } };
    expect(opened).toEqual([
      { table: "s3-geo-london-site", region: "eu-west-2", ...cloud },
      { table: "s3-geo-dublin-site", region: "eu-west-1", ...cloud },
    ]);
  });

  const noTable = { ...DEMONSTRATION, sites: [LONDON] };
  const deployed = { sites: [LONDON] };
  test.each([
    ["a table without a region", ["--site-table", "x"], undefined, EXIT.usage, "no region for x"],
    ["neither", [], undefined, EXIT.usage, "Expected --site-table with --region, a file of sites"],
    ["both", ["--site", "london", ...AT], DEMONSTRATION, EXIT.usage, "expected it or --site-table"],
    ["a site that is not there", ["--site", "oslo"], DEMONSTRATION, EXIT.usage, "expected one of london (primary)"],
    ["a world in memory", [], noTable, EXIT.failure, "keeps its tables in its own memory"],
    ["a site whose table nobody names", [], deployed, EXIT.failure, "expected site_table and region there"],
    ["a file that can not be read", [], "{", EXIT.failure, "start the demonstration again"],
  ])("or says what was expected: %s", async (_, args, file, code, said) => {
    const { geo, opened, runFile } = await commanding();
    if (file !== undefined) await runFile(file);
    expect(await geo("list", ...args)).toMatchObject({ code, out: "", err: expect.stringContaining(said) });
    expect(opened).toEqual([]);
  });
});

describe("geo token, when AWS refuses, ends with exit code", () => {
  test.each([
    [EXIT.notAllowed, "AccessDeniedException", "does not let you at the tokens"],
    [EXIT.notAllowed, "CredentialsProviderError", "does not let you at the tokens"],
    [EXIT.usage, "ResourceNotFoundException", "there is no table s3-geo-ireland-site in eu-west-1"],
    [EXIT.failure, "TimeoutError", "was not answered"],
  ])("%i for %s", async (code, name, said) => {
    const { geo, site } = await commanding();
    site.interference = {
      before: () => {
        throw new TableUnavailableError("the table was not answered", { cause: named(name) });
      },
    };
    for (const args of [["list"], ["create", "--name", "me"], ["revoke", "0123456789ab"]]) {
      expect(await geo(...args, ...AT)).toMatchObject({ code, out: "", err: expect.stringContaining(said) });
    }
  });
});

test.each(["create", "list", "revoke"])(
  "geo token %s --help has examples, and what it takes of AWS",
  async (command) => {
    const { geo } = await commanding();
    const { code, out } = await geo(command, "--help");
    expect(code).toBe(EXIT.ok);
    expect(out).toContain(`$ geo token ${command}`);
    expect(out).toContain("dynamodb:PutItem");
  },
);
