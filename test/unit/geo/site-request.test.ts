import { describe, expect, test } from "vitest";
import { type EditedSite, isNotable, parseNewSite, parseSiteEdit } from "../../../shared/geo/site-request.ts";

const PRIMARY = { name: "virginia" };
const OTHERS = [PRIMARY, { name: "Tokyo" }];
const GOOD = { name: "oslo", url: "https://geo.oslo.example" };

const errorsOf = (parsed: object): unknown => ("errors" in parsed ? parsed.errors : parsed);

describe("a site that is to be noted (F64)", () => {
  test("takes a name and a URL, and counts", () => {
    expect(parseNewSite(GOOD, OTHERS)).toEqual({
      site: { name: "oslo", url: "https://geo.oslo.example", internalUrl: undefined, enabled: true },
    });
  });

  test("takes everything that Geo's form has", () => {
    const sent = {
      name: "  oslo ",
      url: " http://geo.oslo.example/geo// ",
      internal_url: "https://10.0.0.1",
      enabled: false,
      primary: false,
    };
    expect(parseNewSite(sent, OTHERS)).toEqual({
      site: { name: "oslo", url: "http://geo.oslo.example/geo", internalUrl: "https://10.0.0.1", enabled: false },
    });
  });

  test("takes an empty internal URL for none", () => {
    expect(parseNewSite({ ...GOOD, internal_url: null }, OTHERS)).toMatchObject({ site: { internalUrl: undefined } });
    expect(parseNewSite({ ...GOOD, internal_url: " " }, OTHERS)).toMatchObject({ site: { internalUrl: undefined } });
  });

  test("may have a name of 255 characters", () => {
    expect(parseNewSite({ ...GOOD, name: "n".repeat(255) }, OTHERS)).toHaveProperty("site");
  });

  test.each([[null], [[]], ["oslo"], [7]])("is refused when it is %j and no object", (sent) => {
    expect(parseNewSite(sent, OTHERS)).toEqual({
      problem: `body: expected an object such as {"name": "tokyo", "url": "https://…"}, got ${JSON.stringify(sent)}`,
    });
  });

  test.each<readonly [string, object, object]>([
    ["no name and no URL", {}, { name: ["can't be blank"], url: ["can't be blank"] }],
    ["blanks", { name: " ", url: "" }, { name: ["can't be blank"], url: ["can't be blank"] }],
    ["a name that is null", { ...GOOD, name: null }, { name: ["can't be blank"] }],
    ["a name that is a number", { ...GOOD, name: 7 }, { name: ["is invalid: expected text, got 7"] }],
    ["a name that is long", { ...GOOD, name: "n".repeat(256) }, { name: ["is too long (maximum is 255 characters)"] }],
    [
      "a name over two lines",
      { ...GOOD, name: "os\nlo" },
      { name: ["is invalid: it has characters that nobody sees"] },
    ],
    ["a name that is taken", { ...GOOD, name: "tokyo" }, { name: ["has already been taken"] }],
    ["a name that is the primary's in capitals", { ...GOOD, name: "VIRGINIA" }, { name: ["has already been taken"] }],
    ["a URL that is none", { ...GOOD, url: "oslo" }, { url: ['is blocked: URI is invalid, got "oslo"'] }],
    [
      "a URL of another scheme",
      { ...GOOD, url: "ftp://oslo.example" },
      { url: ['is blocked: Only allowed schemes are http, https, got "ftp://oslo.example"'] },
    ],
    [
      "a URL that is code",
      { ...GOOD, url: "javascript:alert(1)" },
      { url: ['is blocked: Only allowed schemes are http, https, got "javascript:alert(1)"'] },
    ],
    [
      "a URL with a password",
      { ...GOOD, url: "https://me:secret@oslo.example" },
      { url: ["is invalid: it names a user or a password"] },
    ],
    [
      "a URL with a user",
      { ...GOOD, url: "https://me@oslo.example" },
      { url: ["is invalid: it names a user or a password"] },
    ],
    [
      "a URL that is long",
      { ...GOOD, url: `https://oslo.example/${"x".repeat(2_048)}` },
      { url: ["is too long (maximum is 2048 characters)"] },
    ],
    ["a URL that is a list", { ...GOOD, url: [] }, { url: ["is invalid: expected an http or https URL, got []"] }],
    [
      "an internal URL that is none",
      { ...GOOD, internal_url: `x${"y".repeat(200)}` },
      { internal_url: [`is blocked: URI is invalid, got "x${"y".repeat(98)}…`] },
    ],
    [
      "enabled that is text",
      { ...GOOD, enabled: "yes" },
      { enabled: ['is invalid: expected true or false, got "yes"'] },
    ],
    ["primary that is a number", { ...GOOD, primary: 1 }, { primary: ["is invalid: expected true or false, got 1"] }],
    ["another primary", { ...GOOD, primary: true }, { primary: ["node already exists"] }],
    [
      "a setting of the site itself",
      { ...GOOD, files_max_capacity: 5 },
      {
        files_max_capacity: [
          "is a setting of the site itself: change it through the site's own API, once it is deployed",
        ],
      },
    ],
    [
      "a field that there is not",
      { ...GOOD, colour: "blue" },
      { colour: ["is unknown: expected some of name, url, internal_url, primary, enabled"] },
    ],
  ])("is refused with %s, by field and in Geo's words", (_, sent, errors) => {
    expect(errorsOf(parseNewSite(sent, OTHERS))).toEqual(errors);
  });

  test("is refused with at most ten fields that there are not", () => {
    const many = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`field${index}`, 1]));
    expect(Object.keys(errorsOf(parseNewSite({ ...GOOD, ...many }, OTHERS)) as object)).toHaveLength(10);
  });
});

const NOTED: EditedSite = { name: "oslo", isPrimary: false, isDeployed: false, settingsAre: "ask oslo" };
const DEPLOYED: EditedSite = { ...NOTED, isDeployed: true };
const EDITED_PRIMARY: EditedSite = { ...DEPLOYED, name: "virginia", isPrimary: true };

describe("a change of what is noted of a site (F64)", () => {
  test("takes a new name before the site is deployed, URLs and whether it counts", () => {
    const sent = { name: "bergen", url: "https://b.example", internal_url: "https://i.example", enabled: false };
    expect(parseSiteEdit(sent, NOTED, OTHERS)).toEqual({
      edit: { name: "bergen", url: "https://b.example", internalUrl: "https://i.example", enabled: false },
    });
  });

  test("takes the same name again, and an internal URL back", () => {
    expect(parseSiteEdit({ name: "oslo", internal_url: null, primary: false }, DEPLOYED, OTHERS)).toEqual({
      edit: { internalUrl: "" },
    });
  });

  test("of the primary takes that it is one and counts", () => {
    expect(parseSiteEdit({ primary: true, enabled: true }, EDITED_PRIMARY, [])).toEqual({ edit: { enabled: true } });
  });

  test.each([[{}], [null], [[1]], ["x"]])("is refused when it is %j", (sent) => {
    expect(parseSiteEdit(sent, NOTED, OTHERS)).toEqual({
      problem: `body: expected an object with some of name, url, internal_url, primary, enabled, got ${JSON.stringify(sent)}`,
    });
  });

  test.each<readonly [string, object, EditedSite, object]>([
    [
      "another name of a site that runs",
      { name: "bergen" },
      DEPLOYED,
      { name: [expect.stringContaining("deployed as")] },
    ],
    ["a name that is taken", { name: "TOKYO" }, NOTED, { name: ["has already been taken"] }],
    ["no URL", { url: null }, NOTED, { url: ["can't be blank"] }],
    ["a URL that is none", { url: "x" }, NOTED, { url: ['is blocked: URI is invalid, got "x"'] }],
    ["an internal URL that is none", { internal_url: "x" }, NOTED, { internal_url: [expect.stringContaining("URI")] }],
    [
      "a primary that does not count",
      { enabled: false },
      EDITED_PRIMARY,
      { enabled: ["Geo primary node cannot be disabled"] },
    ],
    [
      "a pause of a site that runs, which is its own to say (F98)",
      { enabled: false },
      DEPLOYED,
      { enabled: [`is a setting of the site itself: ${DEPLOYED.settingsAre}`] },
    ],
    ["enabled that is text", { enabled: "no" }, NOTED, { enabled: ['is invalid: expected true or false, got "no"'] }],
    ["a secondary that is to be primary", { primary: true }, DEPLOYED, { primary: ["node already exists"] }],
    [
      "a primary that is to be none",
      { primary: false },
      EDITED_PRIMARY,
      { primary: ["is what the site was deployed as"] },
    ],
    [
      "primary that is text",
      { primary: "no" },
      EDITED_PRIMARY,
      { primary: ['is invalid: expected true or false, got "no"'] },
    ],
    [
      "settings of another site",
      { minimum_reverification_interval: 7 },
      DEPLOYED,
      { minimum_reverification_interval: ["is a setting of the site itself: ask oslo"] },
    ],
  ])("is refused with %s", (_, sent, edited, errors) => {
    expect(errorsOf(parseSiteEdit(sent, edited, OTHERS))).toEqual(errors);
  });
});

test("what is noted at the primary is told from settings of the site itself", () => {
  expect(["name", "enabled"].every(isNotable)).toBe(true);
  expect(isNotable("files_max_capacity")).toBe(false);
});
