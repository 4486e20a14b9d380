import type { Duration } from "aws-cdk-lib";
import { Metric } from "aws-cdk-lib/aws-cloudwatch";

import { METRIC_DIMENSIONS, METRICS_NAMESPACE, type MetricName } from "../../shared/geo/metrics.ts";

/**
 * A metric that is recorded for a site as a whole. One that is counted by type has another set of dimensions in
 * CloudWatch, and an alarm on this would never hear of it.
 */
export const siteMetric = (
  siteName: string,
  metricName: MetricName,
  period: Duration,
  statistic: "Sum" | "Maximum" = "Sum",
): Metric =>
  new Metric({
    namespace: METRICS_NAMESPACE,
    metricName,
    dimensionsMap: { [METRIC_DIMENSIONS.site]: siteName },
    statistic,
    period,
  });
