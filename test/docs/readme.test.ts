import { describe, expect, test } from "vitest";
import config from "../../infra/geo.config.ts";
import example from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { runCli } from "../../cli/run-cli.ts";
import { installationNames, secondaryNames, stackNames } from "../../shared/geo/physical-names.ts";
import { MemoryTable } from "../../shared/memory/table.ts";
import { authenticate } from "../../shared/services/authenticate.ts";
import { filesOf, pages, textOf } from "./support/repository.ts";

const readme = textOf("README.md");

describe("README", () => {
  test("shows the declaration that is in the tree", () => {
    const [declaration = "nothing"] =
      /export const coolWidget[\s\S]*?\n\}\);/.exec(textOf("shared/replicables/cool-widget.ts")) ?? [];
    expect(readme).toContain(declaration);
  });

  test("deploys the stacks of the configuration that comes with it, all of them", () => {
    const { primary, secondaries } = config;
    const own = (site: typeof primary) => [stackNames(config, site).storage, stackNames(config, site).site];
    const wanted = [
      ...own(primary),
      ...secondaries.flatMap((site) => [...own(site), stackNames(config, site).feed]),
      installationNames(config).overview,
    ];
    const deployed = [...readme.matchAll(/npx cdk deploy ([^#\n]+)/g)].flatMap(([, names = ""]) =>
      names.trim().split(/\s+/),
    );
    expect(deployed).toEqual(wanted);
  });

  test("bootstraps every region of that configuration", () => {
    const [, targets = ""] = /npx cdk bootstrap (.+)/.exec(readme) ?? [];
    const regions = [config.primary, ...config.secondaries].map(({ region }) => `aws://111122223333/${region}`);
    expect(targets.split(" ")).toEqual(regions);
  });

  test("makes tokens that open the API, of the site's table under its name", async () => {
    const [, command = ""] = /TOKEN=\$\(geo ([^)]+)\)/.exec(readme) ?? [];
    const opened: string[] = [];
    const site = new MemoryTable({ name: "site" });
    let said = "";
    const code = await runCli(command.split(" "), {
      root: "/nowhere",
      replicables: [],
      out: (text) => void (said += text),
      err: () => {},
      siteTable: ({ table, region }) => {
        opened.push(`${table} in ${region}`);
        return site;
      },
    });
    expect(code).toBe(0);
    const [ireland] = config.secondaries;
    if (ireland === undefined) throw new Error("the configuration has no secondary");
    expect(opened).toEqual([`${secondaryNames(config, ireland).siteTable} in ${ireland.region}`]);
    const call = { method: "GET", path: "/api/v4/geo_sites/status", headers: { "PRIVATE-TOKEN": said.trim() } };
    const admission = await authenticate({ site, clock: { now: () => Date.now() } }, call);
    expect(admission).toMatchObject({ admission: "allowed", token: { scope: "read_geo" } });
  });
});

test("the example configuration has one primary and three secondaries", () => {
  expect(example.secondaries).toHaveLength(3);
});

describe("no file", () => {
  const files = filesOf().filter((path) => !/\.(png|gz|zip|ico)$/.test(path));

  test("names a folder of the machine that it was written on", () => {
    const folder = ["", "work", ""].join("/");
    expect(files.filter((path) => textOf(path).includes(folder))).toEqual([]);
  });

  test("names the address of a package registry: each user has their own", () => {
    const hosts = [
      ["registry", "npmjs", "org"],
      ["pypi", "org"],
      ["files", "pythonhosted", "org"],
      ["registry", "yarnpkg", "com"],
    ];
    const written = hosts.map((parts) => parts.join("."));
    expect(files.filter((path) => written.some((host) => textOf(path).includes(host)))).toEqual([]);
  });

  test("is empty of pages: there is a README, and docs/ has its pages", () => {
    expect(pages()).toEqual(
      expect.arrayContaining(["README.md", "docs/architecture.md", "docs/protocol.md", "docs/runbook.md"]),
    );
  });
});
