import { describe, expect, test } from "vitest";
import config from "../../infra/geo.config.ts";
import example from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { formatToken, hashToken, isTokenShaped } from "../../shared/geo/tokens.ts";
import { stackNames } from "../../shared/geo/physical-names.ts";
import { parseToken } from "../../shared/tables/site/token-item.ts";
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
    const wanted = [...own(primary), ...secondaries.flatMap((site) => [...own(site), stackNames(config, site).feed])];
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

  test("makes tokens of the form, and items of the fields, that the authorizer takes", () => {
    // base64 of 32 bytes with two characters replaced and the padding gone is base64url.
    expect(readme).toContain("openssl rand -base64 32 | tr '+/' '-_' | tr -d '=\\n'");
    const token = formatToken(new Uint8Array(32));
    expect(isTokenShaped(token)).toBe(true);
    const fields = [...(/--item "(\{[\s\S]*?\})"\n/.exec(readme)?.[1] ?? "").matchAll(/\\"(\w{2,})\\":\{/g)].map(
      ([, name]) => name,
    );
    expect(fields).toEqual(["pk", "sk", "name", "scope", "created_at", "expires_at"]);
    const item = { pk: "token", sk: hashToken(token), name: "me", scope: "read_geo", created_at: 1, expires_at: 2 };
    expect(parseToken(item)).toMatchObject({ name: "me", scope: "read_geo" });
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
