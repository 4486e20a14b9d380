import { describe, expect, test } from "vitest";
import {
  FAILURE_TEXTS,
  failureText,
  recordFailure,
  recordTimeout,
  type FailureKind,
} from "../../../shared/geo/failure-policy.ts";
import { BLOCKED_RETRY_MS } from "../../../shared/geo/limits.ts";

const NOW = 1_000_000;
const half = () => 0.5;

test("throttling waits seconds and is not counted", () => {
  const recorded = recordFailure("throttled", "SlowDown", 3, NOW, half);
  expect(recorded.retryCount).toBe(3);
  expect(recorded.retryAt).toBe(NOW + 20_000);
  expect(recorded.blockedReason).toBeUndefined();
});

test.each<FailureKind>(["archived", "customer_key", "too_large"])(
  "%s waits long and says that a human is needed",
  (kind) => {
    expect(recordFailure(kind, "", 0, NOW, half)).toMatchObject({
      retryAt: NOW + BLOCKED_RETRY_MS,
      retryCount: 1,
      blockedReason: kind,
    });
  },
);

test.each<FailureKind>(["forbidden", "kms"])(
  "%s is retried on Geo's curve and named, since access may come back",
  (kind) => {
    const recorded = recordFailure(kind, "AccessDenied", 0, NOW, () => 0);
    expect(recorded).toMatchObject({ retryAt: NOW + 16_000, retryCount: 1, blockedReason: kind });
    expect(recorded.text).toContain("AccessDenied");
  },
);

test.each<FailureKind>(["unavailable", "rejected", "unknown_outcome", "unsettled"])(
  "%s is retried on Geo's curve for ever",
  (kind) => {
    expect(recordFailure(kind, "", 99, NOW, () => 0)).toMatchObject({
      retryAt: NOW + 3_616_000,
      retryCount: 100,
      blockedReason: undefined,
    });
  },
);

test.each<FailureKind>(["unavailable", "missing_on_primary"])(
  "%s waits by its own failures, this one included",
  (kind) => {
    // The fourth: 4^4 + 15 seconds.
    expect(recordFailure(kind, "", 3, NOW, () => 0)).toMatchObject({ retryAt: NOW + 271_000, retryCount: 4 });
  },
);

test("an object that is missing on the primary is tried for ever, ever more rarely, up to every four hours", () => {
  expect(recordFailure("missing_on_primary", "", 0, NOW, () => 0)).toEqual({
    text: "The file is missing on the Geo primary site",
    retryAt: NOW + 16_000,
    retryCount: 1,
    blockedReason: undefined,
  });
  expect(recordFailure("missing_on_primary", "", 99, NOW, () => 0).retryAt).toBe(NOW + 14_416_000);
});

test.each([
  ["the soonest", 0, 15],
  ["half of the way", 0.5, 22.5],
  ["nearly the latest", 0.9, 28.5],
])("a removal that the guard holds back is asked for again after a while: %s", (_, chance, minutes) => {
  expect(recordFailure("removal_guard", "", 2, NOW, () => chance)).toEqual({
    text: "Removal held back by the guard",
    retryAt: NOW + minutes * 60_000,
    retryCount: 3,
    blockedReason: "removal_guard",
  });
});

test("F20: a holder that never came back is named with the time that it had, and nothing is held against the object", () => {
  expect(recordTimeout(28_800, NOW, () => 0)).toEqual({
    text: "Sync timed out after 28800",
    retryAt: NOW + 16_000,
    retryCount: 1,
    blockedReason: undefined,
  });
});

describe("what only a person can change", () => {
  test.each<[FailureKind, RegExp]>([
    ["forbidden", /Allow it in the bucket's policy/],
    ["kms", /Enable the KMS key/],
    ["archived", /Restore it on the primary/],
    ["customer_key", /Upload it to the primary again without SSE-C/],
    ["too_large", /smaller objects/],
  ])("says what to do about %s, however long S3's own words are (F13)", (kind, advice) => {
    for (const detail of ["", "AccessDenied", "y".repeat(10_000)]) {
      const { text } = recordFailure(kind, detail, 0, NOW, half);
      expect(text).toMatch(advice);
      expect(text.length).toBeLessThanOrEqual(255);
      expect(text.startsWith(FAILURE_TEXTS[kind])).toBe(true);
    }
  });
});

test("F12: a failure text never has more than 255 characters, and short ones are left alone", () => {
  expect(failureText("short")).toBe("short");
  expect(failureText("x".repeat(255))).toBe("x".repeat(255));
  expect(failureText("x".repeat(256))).toHaveLength(255);
  expect(recordFailure("unavailable", "y".repeat(10_000), 0, NOW, half).text).toHaveLength(255);
});

test("a cut text never ends in half a character", () => {
  const cut = failureText("x".repeat(253) + "😀😀");
  expect(cut.length).toBeLessThanOrEqual(255);
  expect(cut.isWellFormed()).toBe(true);
});
