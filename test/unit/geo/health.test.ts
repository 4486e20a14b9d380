import { expect, test } from "vitest";
import { assessHealth } from "../../../shared/geo/health.ts";

test("a site is healthy while nothing is wrong, and else says what is, in Geo's fields and words (F59)", () => {
  expect(assessHealth(undefined)).toEqual({ healthy: true, health: "Healthy", health_status: "Healthy" });
  expect(assessHealth("the counters can not be read")).toEqual({
    healthy: false,
    health: "the counters can not be read",
    health_status: "Unhealthy",
  });
});
