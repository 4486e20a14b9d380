import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { GeoError } from "../../../shared/geo/errors.ts";
import { formatToken, hashToken, isTokenShaped, type TokenRequest } from "../../../shared/geo/tokens.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { issueToken } from "../../../shared/services/issue-token.ts";
import { getToken } from "../../../shared/tables/site/get-token.ts";
import { revokeToken } from "../../../shared/tables/site/revoke-token.ts";
import { touchToken } from "../../../shared/tables/site/touch-token.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

const issuing = (random: (size: number) => Uint8Array = randomBytes) => {
  const site = new MemoryTable({ name: "site" });
  const clock = new ManualClock();
  const issue = (request: Partial<TokenRequest> = {}) =>
    issueToken({ site, clock, randomBytes: random }, { name: "dashboards", scope: "read_geo", ...request });
  return { site, clock, issue };
};

describe("a new token", () => {
  test("has 256 random bits and the form by which scanners recognize it", async () => {
    const { issue } = issuing();
    const { token } = await issue();
    expect(token).toMatch(/^geo_[\w-]{43}$/);
    expect(Buffer.from(token.slice(4), "base64url")).toHaveLength(32);
    expect((await issue()).token).not.toBe(token);
  });

  test("is stored as its hash only", async () => {
    const { site, issue } = issuing();
    const { token } = await issue();
    const stored = JSON.stringify(site.items());
    expect(stored).toContain(hashToken(token));
    expect(stored).not.toContain(token);
    expect(stored).not.toContain(token.slice(4));
  });

  test("is valid for 90 days unless asked otherwise", async () => {
    const { site, clock, issue } = issuing();
    const { token } = await issue();
    expect(await getToken(site, hashToken(token))).toEqual({
      hash: hashToken(token),
      name: "dashboards",
      scope: "read_geo",
      createdAt: clock.now(),
      expiresAt: clock.now() + 90 * DAY_MS,
    });
    expect((await issue({ days: 365 })).record.expiresAt).toBe(clock.now() + 365 * DAY_MS);
  });

  test("from random bytes that came before is refused, and the first one stays as it is", async () => {
    const { site, issue } = issuing((size) => new Uint8Array(size));
    const { token } = await issue({ name: "first" });
    await expect(issue({ name: "second" })).rejects.toThrow("this token exists already");
    expect(await getToken(site, hashToken(token))).toMatchObject({ name: "first" });
  });

  test("from too few random bytes is refused", () => {
    expect(() => formatToken(new Uint8Array(16))).toThrow("a token is made of 32 random bytes, not 16");
  });

  test("that is wrongly asked for is refused with every problem, and nothing is stored", async () => {
    const { site, issue } = issuing();
    const wrong = { name: " ", scope: "sudo" as "read_geo", days: 366 };
    await expect(issue(wrong)).rejects.toThrow(
      'this token can not be made: name: expected 1 to 255 characters, got 1; scope: expected read_geo or admin_geo, got "sudo"; ' +
        "days: expected a whole number from 1 to 365, got 366",
    );
    await expect(issue(wrong)).rejects.toBeInstanceOf(GeoError);
    expect(site.items()).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("can not be valid for %d days", async (days) => {
    await expect(issuing().issue({ days })).rejects.toThrow("days: expected a whole number from 1 to 365");
  });
});

test("revoking keeps the token's item and the time of the first revocation", async () => {
  const { site, clock, issue } = issuing();
  const { record } = await issue();
  const first = clock.now();
  expect(await revokeToken(site, record.hash, first)).toBe(true);
  clock.advance(1_000);
  expect(await revokeToken(site, record.hash, clock.now())).toBe(true);
  expect(await getToken(site, record.hash)).toMatchObject({ name: "dashboards", revokedAt: first });
});

test("revoking or using a token that is not there leaves nothing behind", async () => {
  const { site } = issuing();
  expect(await revokeToken(site, "0".repeat(64), 1)).toBe(false);
  await touchToken(site, "0".repeat(64), 1);
  expect(site.items()).toEqual([]);
});

test.each([
  "",
  "geo_",
  `geo_${"a".repeat(42)}`,
  `geo_${"a".repeat(44)}`,
  `geo_${"a".repeat(42)}=`,
  `geo_${"a".repeat(43)}\n`,
])("%j can be no token", (text) => {
  expect(isTokenShaped(text)).toBe(false);
});
