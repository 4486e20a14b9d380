import { Alarm, ComparisonOperator, TreatMissingData, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

import { headingOf, type AlarmSection } from "./alarm-names.ts";

export interface GeoAlarmProps {
  /** `<installation>-<site>-<an entry of ALARMS>`. */
  readonly alarmName: string;
  /** What it means, in a sentence. */
  readonly meaning: string;
  /** The section of docs/runbook.md that has its heading. */
  readonly runbook: AlarmSection;
  readonly metric: Metric;
  /** From which value on it goes off. Default 1: at the first occurrence. */
  readonly threshold?: number;
  /** In how many periods, one after the other, the threshold has to be reached. Default 1. */
  readonly periods?: number;
  /** Goes off when the metric is below the threshold or silent: for what is to happen all the time. Default false. */
  readonly whenSilent?: boolean;
  /** A topic that hears of it. Default: it is only shown. */
  readonly alarmTopicArn?: string | undefined;
}

/** An alarm that goes off at the first occurrence, or the nth, and says in its description where to read on. */
export const geoAlarm = (scope: Construct, id: string, props: GeoAlarmProps): Alarm => {
  const whenSilent = props.whenSilent ?? false;
  const alarm = new Alarm(scope, id, {
    alarmName: props.alarmName,
    alarmDescription: `${props.meaning} What to do: docs/runbook.md#${headingOf(props.runbook, props.alarmName)}`,
    metric: props.metric,
    threshold: props.threshold ?? 1,
    evaluationPeriods: props.periods ?? 1,
    comparisonOperator: whenSilent
      ? ComparisonOperator.LESS_THAN_THRESHOLD
      : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: whenSilent ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
  });
  if (props.alarmTopicArn !== undefined) {
    alarm.addAlarmAction(new SnsAction(Topic.fromTopicArn(scope, `${id}Topic`, props.alarmTopicArn)));
  }
  return alarm;
};
