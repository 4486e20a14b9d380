import { describe, expect, test } from "vitest";
import { assessHealth, STATUS_STALE_MS } from "../../../shared/geo/health.ts";

const NOW = Date.UTC(2026, 0, 2, 3, 0, 0);
const MINUTE = 60_000;

describe("a site's health (F59)", () => {
  test.each(["own", "reported"] as const)(
    "is good when nothing is wrong and its %s status is young enough",
    (source) => {
      expect(assessHealth([], source, NOW - STATUS_STALE_MS + 1, NOW)).toEqual({
        healthy: true,
        health: "Healthy",
        health_status: "Healthy",
      });
    },
  );

  test("is that of a paused site whose word for it is Disabled, unless something else is wrong (F98)", () => {
    expect(assessHealth([], "own", NOW, NOW, false)).toEqual({
      healthy: true,
      health: "Healthy",
      health_status: "Disabled",
    });
    expect(assessHealth(["The pump is dry."], "own", NOW, NOW, false)).toMatchObject({ health_status: "Unhealthy" });
  });

  test("is good of a site that has just been deployed, and has never looked at itself", () => {
    expect(assessHealth([], "own", undefined, NOW).healthy).toBe(true);
  });

  test("is not made bad by a clock that is a little ahead of ours", () => {
    expect(assessHealth([], "reported", NOW + 59 * MINUTE, NOW).healthy).toBe(true);
  });

  test.each(["own", "reported"] as const)("is bad of a %s status of an hour ahead, and names the time", (source) => {
    expect(assessHealth([], source, NOW + 60 * MINUTE, NOW)).toEqual({
      healthy: false,
      health: "The status of the site has a time that is still to come, 2026-01-02T04:00:00.000Z.",
      health_status: "Unhealthy",
    });
  });

  test("says everything that is wrong", () => {
    expect(assessHealth(["The pump is dry.", "The well as well."], "own", NOW, NOW)).toEqual({
      healthy: false,
      health: "The pump is dry. The well as well.",
      health_status: "Unhealthy",
    });
  });

  test("is bad of a status of exactly sixty minutes, and says when the site last reported", () => {
    const gatheredAt = NOW - 60 * MINUTE;
    expect(assessHealth([], "reported", gatheredAt, NOW)).toEqual({
      healthy: false,
      health: "The site has not reported its status for 60 minutes; it last did at 2026-01-02T02:00:00.000Z.",
      health_status: "Unhealthy",
    });
  });

  test("is bad of a site whose own look at itself stands still, beside what else is wrong", () => {
    expect(assessHealth(["The pump is dry."], "own", NOW - 75.5 * MINUTE, NOW).health).toBe(
      "The pump is dry. The site has not gathered its status for 75 minutes; it last did at 2026-01-02T01:44:30.000Z.",
    );
  });
});
