import { describe, expect, it } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { ofType, synthesize } from "./support/templates.ts";

const alarms = synthesize(config)
  .flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"))
  .map(({ Properties }) => Properties)
  .filter(({ AlarmName }) => String(AlarmName).includes("-counter-audit-"));

const namesAt = (site: string): readonly string[] =>
  alarms
    .map(({ AlarmName }) => String(AlarmName))
    .filter((name) => name.startsWith(`s3-geo-${site}-`))
    .sort();

describe("recounts of a site's rows call a person", () => {
  it("when they differ, when they fail, and when they can not be started, at every site", () => {
    for (const site of ["virginia", "ireland", "tokyo", "sydney"]) {
      expect(namesAt(site)).toEqual([
        `s3-geo-${site}-counter-audit-counts-differ`,
        `s3-geo-${site}-counter-audit-dead-letters-not-empty`,
        `s3-geo-${site}-counter-audit-not-recounting`,
      ]);
    }
  });

  it("before an hour of runs has failed that each ran out of time, which fail once: their recount is held meanwhile", () => {
    const failing = alarms.filter(({ AlarmName }) => String(AlarmName).endsWith("-not-recounting"));
    expect(failing).toHaveLength(4);
    const startsOfAnHour = 60 / 15;
    for (const alarm of failing) {
      expect(alarm).toMatchObject({ Namespace: "AWS/Lambda", MetricName: "Errors", Statistic: "Sum", Period: 3_600 });
      expect(alarm["AlarmDescription"]).toMatch(/docs\/runbook\.md#counter-audit-not-recounting$/);
      expect(Number(alarm["Threshold"])).toBeGreaterThan(1);
      expect(Number(alarm["Threshold"])).toBeLessThan(startsOfAnHour);
    }
  });
});
