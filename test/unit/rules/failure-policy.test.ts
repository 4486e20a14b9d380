import { expect, test } from "vitest";
import { failureText, recordFailure, type FailureKind } from "../../../shared/geo/failure-policy.ts";
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
