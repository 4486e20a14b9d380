import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GeoError } from "../../../shared/geo/errors.ts";
import {
  decodeKey,
  decodeNotificationKey,
  encodeKey,
  ENCODED_KEY_LENGTH_MAX,
  findKeyProblem,
  quoted,
} from "../../../shared/geo/key-codec.ts";
import { anyKey, HOSTILE_KEYS } from "./keys.ts";

/** As S3 writes a key into a notification. */
const formEncode = (key: string): string => encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");

/** The spelling of the key that `text` is read as, or undefined when it is refused. */
const respelled = (text: string): string | undefined => {
  try {
    return encodeKey(decodeKey(text));
  } catch (error) {
    if (error instanceof GeoError) return undefined;
    throw error;
  }
};

const thrownBy = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("expected an error, and there was none");
};

describe("the form of a key in messages", () => {
  test.each(HOSTILE_KEYS)("brings %j back unchanged", (key) => {
    expect(decodeKey(encodeKey(key))).toBe(key);
  });

  test("is lossless and printable ASCII without blanks for every key that S3 takes", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        const encoded = encodeKey(key);
        expect(encoded).toMatch(/^[!-~]+$/);
        expect(encoded).not.toMatch(/["\\&<>]/);
        expect(encoded.length).toBeLessThanOrEqual(ENCODED_KEY_LENGTH_MAX);
        expect(decodeKey(encoded)).toBe(key);
      }),
    );
  });

  test("has one spelling per key, so that a text is refused unless it is exactly what a key encodes to", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom("a", "%", "2", "0", "c", "3", "B", "F", "/", " ", "é") }),
        (text) => {
          expect([text, undefined]).toContain(respelled(text));
        },
      ),
    );
    for (const other of ["a b", "%c3%bc", "%61", "é", "a%2Fb"]) expect(() => decodeKey(other)).toThrow(GeoError);
  });

  test.each([
    ["a lone high surrogate", "a\ud83d", /lone surrogate/],
    ["a lone low surrogate", "\ude00a", /lone surrogate/],
    ["nothing at all", "", /empty/],
    ["1,025 bytes", "a".repeat(1_025), /1025 bytes/],
    ["1,025 bytes in 342 characters", `${"€".repeat(341)}é`, /1025 bytes/],
  ])("does not exist for %s, and the error says why", (_, key, reason) => {
    expect(() => encodeKey(key)).toThrow(reason);
    expect(() => encodeKey(key)).toThrow(GeoError);
    expect(findKeyProblem(key)).toMatch(reason);
  });

  test("exists for a key of exactly 1,024 bytes of any script", () => {
    for (const key of ["a".repeat(1_024), "😀".repeat(256), `${"€".repeat(341)}a`]) {
      expect(Buffer.byteLength(key)).toBe(1_024);
      expect(decodeKey(encodeKey(key))).toBe(key);
    }
  });

  test.each(["%", "%4", "%GG", "%FF", "%C3", "%ED%A0%80", "%00%"])("%j is malformed and refused", (text) => {
    expect(() => decodeKey(text)).toThrow(GeoError);
  });

  test.each([
    ["is not UTF-8", "%FF", '"%FF" has a percent-escape that is not UTF-8'],
    ["is another spelling", "%61 b", '"%61 b" is not how a key is encoded, expected "a%20b"'],
    ["is of no key", "", '"" is not an object key: it is empty, expected 1 to 1,024 bytes'],
    ["is of too long a key", "a".repeat(1_025), /is not an object key: it is 1025 bytes long, expected at most 1024$/],
  ])("a text that %s is refused with what was expected, under the code of a bad key", (_, text, message) => {
    const error = thrownBy(() => decodeKey(text));
    expect(error).toMatchObject({ code: "GEO_INVALID_KEY" });
    expect((error as Error).message).toMatch(message);
  });

  test("an error about an escape carries what the platform said of it", () => {
    expect(thrownBy(() => decodeKey("%FF"))).toHaveProperty("cause", expect.any(URIError));
  });
});

describe("the key in an S3 notification", () => {
  test("is form-encoded: a plus is a blank, escapes are UTF-8", () => {
    expect(decodeNotificationKey("red+flower%2B1/%C3%BC%25.jpg")).toBe("red flower+1/ü%.jpg");
  });

  test("comes out unchanged for every key that S3 takes", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(decodeNotificationKey(formEncode(key))).toBe(key);
      }),
    );
  });

  test.each(["%", "a%zz", "%FF%FE", "%C3+", "", "\ud800"])("is refused when it is malformed: %j", (text) => {
    expect(() => decodeNotificationKey(text)).toThrow(GeoError);
  });

  test("may be raw, when the caller knows that its sender does not encode", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(decodeNotificationKey(key, "raw")).toBe(key);
      }),
    );
    expect(() => decodeNotificationKey("\ud800", "raw")).toThrow(/lone surrogate/);
  });

  test("survives being raw without anybody knowing, unless it has a plus or a percent sign", () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        fc.pre(!/[+%]/.test(key));
        expect(decodeNotificationKey(key)).toBe(key);
      }),
    );
  });
});

test("a quoted text is short, one line and printable, whatever it holds", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
      expect(quoted(text)).toMatch(/^"[\u0020-\u007e…]*"$/);
      expect(quoted(text).length).toBeLessThan(81 * 6 + 3);
    }),
  );
  expect(quoted("a\nERROR \u202Eb")).toBe('"a\\nERROR \\u202eb"');
  expect(quoted("é\u007f")).toBe('"\\u00e9\\u007f"');
});

test("a quoted text is whole up to 80 characters, and says when there was more", () => {
  expect(quoted("x".repeat(80))).toBe(`"${"x".repeat(80)}"`);
  expect(quoted("x".repeat(81))).toBe(`"${"x".repeat(80)}…"`);
});
