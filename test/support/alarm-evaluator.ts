import * as z from "zod";

/**
 * CloudWatch's rule for a metric alarm, as AWS documents it ("Using Amazon CloudWatch alarms", evaluation and missing data),
 * over datapoints that a test has: periods aligned to the clock, one statistic per period, `DatapointsToAlarm` out of
 * `EvaluationPeriods`, and what the absence of data stands for. What AWS does beside that is left out: that it looks at a few
 * periods more when some are missing, and that an alarm without any data begins as INSUFFICIENT_DATA.
 */

const Dimensions = z.array(z.object({ Name: z.string(), Value: z.unknown() })).default([]);

/** The properties of an `AWS::CloudWatch::Alarm` that decide when it goes off. */
export const AlarmDefinition = z.object({
  AlarmName: z.string(),
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions,
  Statistic: z.enum(["Sum", "Maximum"]),
  /** Seconds. */
  Period: z.number(),
  Threshold: z.number(),
  EvaluationPeriods: z.number(),
  DatapointsToAlarm: z.number().optional(),
  ComparisonOperator: z.enum(["GreaterThanOrEqualToThreshold", "LessThanThreshold"]),
  TreatMissingData: z.enum(["notBreaching", "breaching"]),
});
export type AlarmDefinition = z.infer<typeof AlarmDefinition>;

/** One value of one metric, as CloudWatch would have it. */
export interface Datapoint {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type AlarmState = "OK" | "ALARM";

const statisticOf = (alarm: AlarmDefinition, values: readonly number[]): number =>
  alarm.Statistic === "Sum" ? values.reduce((sum, value) => sum + value, 0) : Math.max(...values);

const isBreached = (alarm: AlarmDefinition, values: readonly number[]): boolean => {
  if (values.length === 0) return alarm.TreatMissingData === "breaching";
  const value = statisticOf(alarm, values);
  return alarm.ComparisonOperator === "LessThanThreshold" ? value < alarm.Threshold : value >= alarm.Threshold;
};

/** Whether a datapoint is of the alarm's metric: the very same set of dimensions, and not a part of it. */
const isOf = (alarm: AlarmDefinition, dimensions: Readonly<Record<string, string>>, point: Datapoint): boolean =>
  point.namespace === alarm.Namespace &&
  point.metric === alarm.MetricName &&
  Object.keys(point.dimensions).length === Object.keys(dimensions).length &&
  Object.entries(dimensions).every(([name, value]) => point.dimensions[name] === value);

/**
 * The state of an alarm at a time, by the periods that are over by then.
 *
 * @param dimensions the alarm's dimensions with the references of its template resolved
 * @param now milliseconds since the epoch
 */
export const evaluateAlarm = (
  alarm: AlarmDefinition,
  dimensions: Readonly<Record<string, string>>,
  points: readonly Datapoint[],
  now: number,
): AlarmState => {
  const periodMs = alarm.Period * 1_000;
  const end = Math.floor(now / periodMs) * periodMs;
  const own = points.filter((point) => isOf(alarm, dimensions, point));
  const breached = Array.from({ length: alarm.EvaluationPeriods }, (_, back) => {
    const from = end - (back + 1) * periodMs;
    return isBreached(
      alarm,
      own.filter(({ at }) => at >= from && at < from + periodMs).map(({ value }) => value),
    );
  }).filter(Boolean).length;
  return breached >= (alarm.DatapointsToAlarm ?? alarm.EvaluationPeriods) ? "ALARM" : "OK";
};
