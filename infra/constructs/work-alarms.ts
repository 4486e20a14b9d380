import { Duration } from "aws-cdk-lib";
import type { IQueue } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

import { geoAlarm } from "./alarm.ts";
import type { AlarmSection } from "./alarm-names.ts";
import type { EnvironmentSchema, GeoFunction } from "./geo-function.ts";

/** How long it takes until somebody is told that a function fails or is held back: periods of this length, one after the other. */
const PERIOD = Duration.minutes(5);
/**
 * Three of them. A function that was ended once (out of memory, out of time, a deployment) has failed in one of them, and
 * what it was at comes back by itself; what fails in three in a row fails each time.
 */
const PERIODS = 3;

/**
 * The least that a message has to have waited before somebody is told. Below this, a cold start, a burst or a deployment
 * would do it.
 */
const WAITED_LEAST = Duration.minutes(15);

/**
 * From which age of its oldest message on a queue calls a person. Two visibility timeouts: a message whose worker died comes
 * back after one, and one that is older than two has failed twice, or nobody reads.
 *
 * @param visibility how long a message stays hidden from others
 */
export const waitedTooLong = (visibility: Duration): Duration =>
  Duration.seconds(Math.max(WAITED_LEAST.toSeconds(), 2 * visibility.toSeconds()));

/**
 * How failures are watched that are tried again by themselves, at least once in an hour and some minutes
 * (shared/geo/retry.ts): what fails in each of two periods of two hours did not heal by being tried again.
 */
export const STILL_FAILING = { period: Duration.hours(2), periods: 2 } as const;

interface AlarmTarget {
  readonly runbook: AlarmSection;
  readonly alarmTopicArn: string | undefined;
}

/** The alarm `<queue>-waiting`: nobody works on the oldest message of a queue. */
export const waitingAlarm = (
  scope: Construct,
  { queueName, queue, after, ...target }: AlarmTarget & { queueName: string; queue: IQueue; after: Duration },
): void =>
  void geoAlarm(scope, "Waiting", {
    ...target,
    alarmName: `${queueName}-waiting`,
    meaning: `The oldest message of ${queueName} has waited for ${after.toHumanString()}: nobody gets done with it.`,
    metric: queue.metricApproximateAgeOfOldestMessage({ period: PERIOD, statistic: "Maximum" }),
    threshold: after.toSeconds(),
  });

/** The alarm `<function>-errors`: its invocations end in the middle, again and again. */
export const errorsAlarm = (
  scope: Construct,
  { name, reader, ...target }: AlarmTarget & { name: string; reader: GeoFunction<EnvironmentSchema> },
): void =>
  void geoAlarm(scope, "Errors", {
    ...target,
    alarmName: `${name}-errors`,
    meaning: `Invocations of ${name} end in the middle, in each of the last fifteen minutes' thirds.`,
    metric: reader.function.metricErrors({ period: PERIOD, statistic: "Sum" }),
    periods: PERIODS,
  });

/** Alarms of a function that carries work: `<function>-errors`, and `<function>-throttled`: Lambda does not start it. */
export const functionAlarms = (scope: Construct, props: Parameters<typeof errorsAlarm>[1]): void => {
  errorsAlarm(scope, props);
  const { name, reader, ...target } = props;
  geoAlarm(scope, "Throttled", {
    ...target,
    alarmName: `${name}-throttled`,
    meaning: `Lambda refuses to start ${name}, in each of the last fifteen minutes' thirds: the account's concurrency is used up.`,
    metric: reader.function.metricThrottles({ period: PERIOD, statistic: "Sum" }),
    periods: PERIODS,
  });
};
