import { describe, expect, it } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { RETRY_CAP_SECONDS, retryDelayMs } from "../../shared/geo/retry.ts";
import { ofType, synthesize } from "./support/templates.ts";

const stacks = synthesize(config);

describe("bytes of the primary that have rotted", () => {
  const alarms = stacks.flatMap(({ name, template }) =>
    ofType(template, "AWS::CloudWatch::Alarm")
      .filter(({ Properties }) => Properties.MetricName === METRICS.primaryDiffers)
      .map(({ Properties }) => ({ name, Properties })),
  );

  it("raise an alarm at the primary, on the metric that is counted for the site as a whole", () => {
    expect(alarms.map(({ name }) => name)).toEqual(["s3-geo-virginia"]);
    expect(alarms[0]?.Properties).toMatchObject({
      AlarmName: "s3-geo-virginia-checksum-bytes-differ",
      Dimensions: [{ Name: "site_name", Value: "virginia" }],
      Threshold: 1,
    });
  });

  it("keep it up from one try to the next", () => {
    const longest = retryDelayMs(1_000, () => 0.999, RETRY_CAP_SECONDS) / 1_000;
    expect(Number(alarms[0]?.Properties.Period)).toBeGreaterThan(longest + config.scheduleSweepMinutes * 60);
  });
});
