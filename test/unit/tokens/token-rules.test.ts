import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  formatToken,
  hashToken,
  isTokenId,
  isTokenShaped,
  lapseOf,
  mayCall,
  recordOf,
  TOKEN_NAME_LENGTH_MAX,
  tokenId,
  tokenOfHeaders,
  type TokenRecord,
} from "../../../shared/geo/tokens.ts";

const TOKEN = `geo_${"s".repeat(43)}`;
const RECORD: TokenRecord = { hash: "0".repeat(64), name: "me", scope: "read_geo", createdAt: 0, expiresAt: 1_000 };

const formatTooMuch = () => formatToken(new Uint8Array(33));
const named = (name: string) => () => recordOf(TOKEN, { name, scope: "admin_geo" }, 0);
const asked = (days: number) => () => recordOf(TOKEN, { name: "me", scope: "read_geo", days }, 0);

describe("a token", () => {
  test("is its random bytes in URL-safe base64 behind a prefix, and has the shape that is looked for", () => {
    const token = formatToken(new Uint8Array(32).fill(0xff));
    expect(token).toBe(`geo_${"_".repeat(42)}8`);
    expect(isTokenShaped(token)).toBe(true);
  });

  test("of too many random bytes is as wrong as one of too few", () => {
    expect(formatTooMuch).toThrow("a token is made of 32 random bytes, not 33");
    expect(formatTooMuch).toThrow(expect.objectContaining({ code: "GEO_INVALID_TOKEN_REQUEST" }));
  });

  test.each([`x${TOKEN}`, `GEO_${"s".repeat(43)}`, `geo_${"s".repeat(42)}+`])("does not look like %j", (text) => {
    expect(isTokenShaped(text)).toBe(false);
  });

  test("is looked up by its SHA-256", () => {
    expect(hashToken(TOKEN)).toBe(createHash("sha256").update(TOKEN).digest("hex"));
    expect(hashToken("é")).toBe(createHash("sha256").update(Buffer.from("é", "utf8")).digest("hex"));
  });

  test("may be named with 1 to 255 characters", () => {
    expect(named("x")()).toMatchObject({ name: "x", scope: "admin_geo" });
    expect(named("x".repeat(TOKEN_NAME_LENGTH_MAX))().name).toHaveLength(255);
    expect(named("x".repeat(256))).toThrow("name: expected 1 to 255 characters, got 256");
    expect(named("")).toThrow("name: expected 1 to 255 characters, got 0");
  });

  test.each(["me\n", "\u001b[2Jme", "\u202eme", "\u0000"])(
    "may not be named with %j, which steers a terminal",
    (name) => {
      expect(named(name)).toThrow("name: expected characters that can be seen, got a control character");
    },
  );

  test("is known to people by the first 12 digits of its hash", () => {
    expect(tokenId(hashToken(TOKEN))).toBe(hashToken(TOKEN).slice(0, 12));
    expect(isTokenId(tokenId(hashToken(TOKEN)))).toBe(true);
    for (const text of ["", "0123456789a", "0123456789abc", "0123456789AB", "0123456789a\n"]) {
      expect(isTokenId(text)).toBe(false);
    }
  });

  test("that is wrongly asked for in one way is refused for that alone", () => {
    expect(asked(366)).toThrow(/^this token can not be made: days: expected a whole number from 1 to 365, got 366$/);
    expect(asked(366)).toThrow(expect.objectContaining({ code: "GEO_INVALID_TOKEN_REQUEST" }));
    expect(asked(1)().expiresAt).toBe(86_400_000);
    expect(asked(365)().expiresAt).toBe(365 * 86_400_000);
  });
});

describe("a token that is stored", () => {
  test("is good until the moment it expires", () => {
    expect(lapseOf(RECORD, 999)).toBeUndefined();
    expect(lapseOf(RECORD, 1_000)).toBe("expired");
  });

  test("is revoked from the first moment on, and says so even when it has expired as well", () => {
    expect(lapseOf({ ...RECORD, revokedAt: 500 }, 0)).toBe("revoked");
    expect(lapseOf({ ...RECORD, revokedAt: 500 }, 2_000)).toBe("revoked");
  });
});

describe("a scope", () => {
  test.each(["GET", "HEAD", "get"])("to read is enough for %s", (method) => {
    expect(mayCall("read_geo", method, "/api/v4/geo_sites")).toBe(true);
    expect(mayCall("admin_geo", method, "/api/v4/geo_sites")).toBe(true);
  });

  test.each(["POST", "PUT", "PATCH", "DELETE", "OPTIONS", ""])("to administer is needed for %j", (method) => {
    expect(mayCall("read_geo", method, "/api/v4/geo_sites")).toBe(false);
    expect(mayCall("admin_geo", method, "/api/v4/geo_sites")).toBe(true);
  });

  test("to read is enough to POST a GraphQL query, and for no other method or path of that kind", () => {
    expect(mayCall("read_geo", "POST", "/api/graphql")).toBe(true);
    expect(mayCall("read_geo", "post", "/api/graphql")).toBe(true);
    expect(mayCall("read_geo", "PUT", "/api/graphql")).toBe(false);
    expect(mayCall("read_geo", "POST", "/api/graphql/")).toBe(false);
    expect(mayCall("read_geo", "POST", "/x/api/graphql")).toBe(false);
  });
});

describe("the token of a call", () => {
  test.each([
    ["GitLab's own header", { "PRIVATE-TOKEN": TOKEN }, TOKEN],
    ["its header in any case, with blanks around it", { "Private-Token": ` ${TOKEN} ` }, TOKEN],
    ["a bearer", { Authorization: `Bearer ${TOKEN}` }, TOKEN],
    ["a bearer in any case, with blanks", { authorization: `  bearer   ${TOKEN}  ` }, TOKEN],
    ["both, of which GitLab's own counts", { authorization: "Bearer other", "private-token": TOKEN }, TOKEN],
    ["an empty one beside a bearer", { "private-token": " ", authorization: `Bearer ${TOKEN}` }, TOKEN],
    ["an absent one beside a good one", { "private-token": undefined, "PRIVATE-TOKEN": TOKEN }, TOKEN],
    // Refused later as a bad token is, and not taken for a call without one.
    ["another kind of authorization", { authorization: "Basic YTpi" }, "Basic YTpi"],
    ["a bearer of two words", { authorization: "Bearer a b" }, "Bearer a b"],
    ["something before the bearer", { authorization: `x Bearer ${TOKEN}` }, `x Bearer ${TOKEN}`],
    ["a bearer without a blank", { authorization: `Bearer${TOKEN}` }, `Bearer${TOKEN}`],
  ])("is found in %s", (_, headers, token) => {
    expect(tokenOfHeaders(headers)).toBe(token);
  });

  test.each([[{}], [{ "private-token": "" }], [{ authorization: "  " }], [{ "x-private-token": TOKEN }]])(
    "is not there in %j",
    (headers) => {
      expect(tokenOfHeaders(headers)).toBeUndefined();
    },
  );
});
