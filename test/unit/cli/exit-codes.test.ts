import { describe, expect, test } from "vitest";
import { registryRow, twoSites } from "./two-sites.ts";

type Sites = Awaited<ReturnType<typeof twoSites>>;

/** Every exit code, by each way that leads to it; what is said names what to do next. */
const WAYS: readonly (readonly [
  code: number,
  why: string,
  arrange: (sites: Sites) => unknown,
  args: readonly string[],
  said: RegExp,
])[] = [
  [0, "what was asked for is told", () => {}, ["status"], /^$/],
  [0, "help was asked for", () => {}, ["status", "--help"], /^$/],
  [1, "no site can be reached", ({ down }) => down.add("primary").add("secondary"), ["status"], /ECONNREFUSED/],
  [
    1,
    "the time was up",
    async ({ secondary }) => secondary.rows([registryRow("pending", "pending", 1)]),
    ["wait", "synced", "--timeout", "2s"],
    /Go on waiting: geo wait synced/,
  ],
  [1, "there is no such thing", () => {}, ["bulk", "show", "0123456789abcdef"], /404/],
  [2, "there is no such command", () => {}, ["fly"], /unknown command 'fly'[\s\S]*geo --help/],
  [2, "there is no such option", () => {}, ["status", "--fast"], /unknown option '--fast'[\s\S]*geo --help/],
  [2, "an argument is missing", () => {}, ["flag", "set"], /missing required argument 'name'[\s\S]*geo --help/],
  [2, "there is no such site", () => {}, ["status", "--site", "oslo"], /expected one of virginia, frankfurt/],
  [2, "there is no such type", () => {}, ["resync", "--type", "lfs"], /expected one of .*lfs_object/],
  [
    2,
    "a key is none of that type",
    () => {},
    ["resync", "--type", "lfs_object", "--key", "a"],
    /expected keys of lfs_object/,
  ],
  [2, "nobody is there to answer", () => {}, ["site", "pause"], /say --yes/],
  [
    3,
    "something is not as it should be",
    ({ down }) => down.add("secondary"),
    ["status", "--check"],
    /geo doctor --site frankfurt/,
  ],
  [3, "something stands in the way", () => {}, ["preflight"], /1 thing stands in the way/],
  [
    4,
    "a token is none",
    ({ sitesFile }) => sitesFile({ primary: "geo_x", secondary: "geo_x" }),
    ["status"],
    /see: geo token list/,
  ],
  [
    4,
    "a token has expired",
    ({ clock }) => clock.advance(366 * 86_400_000),
    ["status"],
    /unknown, expired, revoked, or its scope does not allow this \(see: geo token list\)/,
  ],
  [
    4,
    "a token may only read",
    async ({ sitesFile, primary }) => sitesFile({ primary: await primary.token({ scope: "read_geo" }) }),
    ["flag", "set", "geo_cool_widget_replication", "on"],
    /scope does not allow this/,
  ],
];

describe("geo ends with exit code", () => {
  test.each(WAYS)("%i when %s", async (wanted, _, arrange, args, said) => {
    const sites = await twoSites();
    await arrange(sites);
    const { code, out, err } = await sites.geo(...args);
    expect(code).toBe(wanted);
    expect(err).toMatch(said);
    // An answer is for scripts: what went wrong is said beside it.
    expect(out !== "").toBe(wanted === 0 || wanted === 3);
  });
});
