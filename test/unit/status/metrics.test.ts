import { expect, test } from "vitest";
import { METRICS } from "../../../shared/geo/metrics.ts";

test("no two metrics share a name, and each is one that CloudWatch and people can read", () => {
  const names = Object.values(METRICS);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Z][A-Za-z]+$/);
});
