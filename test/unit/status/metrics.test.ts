import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  COUNT_METRICS,
  DURATION_METRICS,
  GAUGE_METRICS,
  METRIC_DIMENSIONS,
  METRICS,
  METRICS_NAMESPACE,
} from "../../../shared/geo/metrics.ts";

test("no two metrics share a name, and each is one that CloudWatch and people can read", () => {
  const names = Object.values(METRICS);
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(name).toMatch(/^[A-Z][A-Za-z]+$/);
});

test("CloudWatch shows a metric by the name that code uses, and by site and replicable: dashboards rely on it", () => {
  for (const [name, shown] of Object.entries(METRICS)) expect(shown).toBe(name.charAt(0).toUpperCase() + name.slice(1));
  expect(METRICS).toEqual({ ...COUNT_METRICS, ...DURATION_METRICS, ...GAUGE_METRICS });
  expect(METRICS_NAMESPACE).toBe("S3Geo");
  expect(METRIC_DIMENSIONS).toEqual({ site: "site_name", replicable: "replicable_name" });
});

describe("every metric", () => {
  const code = globSync("{shared,functions}/**/*.ts")
    .filter((path) => path !== "shared/geo/metrics.ts")
    .map((path) => readFileSync(path, "utf8"))
    .join("\n");
  /** Names by which code speaks of metrics that it records: `count(COUNT_METRICS.x` or the choice between two. */
  const isRecorded = (name: string): boolean => new RegExp(`\\b(COUNT_|DURATION_)?METRICS\\.${name}\\b`).test(code);

  test.each(Object.keys({ ...COUNT_METRICS, ...DURATION_METRICS }))(
    "%s is recorded by something that ships",
    (name) => {
      expect(isRecorded(name)).toBe(true);
    },
  );

  test("would be missed if it were not", () => {
    expect(isRecorded("syncSucceededTwice")).toBe(false);
  });
});
