import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { hashToken, type TokenRequest } from "../../../shared/geo/tokens.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryTable } from "../../../shared/memory/table.ts";
import { authenticate } from "../../../shared/services/authenticate.ts";
import { issueToken } from "../../../shared/services/issue-token.ts";
import { listKnownTokens, revokeKnownToken } from "../../../shared/services/known-tokens.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;

const keeping = () => {
  const site = new MemoryTable({ name: "site" });
  const clock = new ManualClock();
  const issue = async (request: Partial<TokenRequest> = {}) => {
    const { token } = await issueToken({ site, clock, randomBytes }, { name: "me", scope: "read_geo", ...request });
    return { token, hash: hashToken(token), id: hashToken(token).slice(0, 12) };
  };
  const admission = async (token: string) =>
    authenticate({ site, clock }, { method: "GET", path: "/metrics", headers: { authorization: `Bearer ${token}` } });
  return { site, clock, issue, admission };
};

describe("the list of tokens", () => {
  test("tells of each what it may do, how long, when it was used, and neither its secret nor its whole hash", async () => {
    const { site, clock, issue, admission } = keeping();
    const old = await issue({ name: "old", days: 1 });
    const createdAt = clock.now();
    await admission(old.token);
    clock.advance(1_000);
    const young = await issue({ name: "young", scope: "admin_geo" });
    clock.advance(DAY_MS);

    const listed = await listKnownTokens({ site, clock });
    expect(listed).toEqual([
      expect.objectContaining({ id: young.id, name: "young", scope: "admin_geo", state: "active", last_used_at: null }),
      {
        id: old.id,
        name: "old",
        scope: "read_geo",
        state: "expired",
        created_at: new Date(createdAt).toISOString(),
        expires_at: new Date(createdAt + DAY_MS).toISOString(),
        last_used_at: new Date(createdAt).toISOString(),
        revoked_at: null,
      },
    ]);
    for (const { token, hash } of [old, young]) {
      expect(JSON.stringify(listed)).not.toContain(token);
      expect(JSON.stringify(listed)).not.toContain(hash);
      expect(JSON.stringify(listed)).not.toContain(hash.slice(12));
    }
  });

  test("is whole however many there are", async () => {
    const { site, clock, issue } = keeping();
    for (let made = 0; made < 250; made += 1) await issue();
    expect(await listKnownTokens({ site, clock })).toHaveLength(250);
  });
});

describe("ending a token", () => {
  test("holds from the very next call on, and keeps the first time", async () => {
    const { site, clock, issue, admission } = keeping();
    const { token, id } = await issue();
    const other = await issue();
    expect(await admission(token)).toMatchObject({ admission: "allowed" });

    const revokedAt = new Date(clock.now()).toISOString();
    expect(await revokeKnownToken({ site, clock }, id)).toMatchObject({
      revoked: { id, state: "revoked", revoked_at: revokedAt },
    });
    expect(await admission(token)).toEqual({ admission: "denied", reason: "revoked", tokenName: "me" });
    expect(await admission(other.token)).toMatchObject({ admission: "allowed" });

    clock.advance(60_000);
    expect(await revokeKnownToken({ site, clock }, id)).toMatchObject({ revoked: { revoked_at: revokedAt } });
    expect(await listKnownTokens({ site, clock })).toContainEqual(
      expect.objectContaining({ id, state: "revoked", revoked_at: revokedAt }),
    );
  });

  test("says what was expected when it is none, or one of nobody", async () => {
    const { site, clock, issue } = keeping();
    const { token } = await issue();
    const kept = JSON.stringify(site.items());
    for (const id of [token, "", "0123456789ab", "%", "0123456789AB"]) {
      expect(await revokeKnownToken({ site, clock }, id)).toHaveProperty("problem");
    }
    expect(JSON.stringify(site.items())).toBe(kept);
  });

  test("ends none of two that can not be told apart", async () => {
    const { site, clock } = keeping();
    for (const end of ["0", "1"]) {
      const times = { created_at: 0, expires_at: clock.now() + DAY_MS };
      await site.put({ pk: "token", sk: `${"a".repeat(63)}${end}`, name: "twin", scope: "read_geo", ...times });
    }
    expect(await revokeKnownToken({ site, clock }, "a".repeat(12))).toEqual({
      problem: expect.stringContaining("two tokens have the id"),
    });
    expect((await listKnownTokens({ site, clock })).map(({ state }) => state)).toEqual(["active", "active"]);
  });
});
