import { Alarm, ComparisonOperator, TreatMissingData, type Metric } from "aws-cdk-lib/aws-cloudwatch";
import { SnsAction } from "aws-cdk-lib/aws-cloudwatch-actions";
import { Topic } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

import type { FunctionFolder } from "./function-folder.ts";

export interface GeoAlarmProps {
  readonly alarmName: string;
  /** What it means, in a sentence. */
  readonly meaning: string;
  /** The section of docs/runbook.md that says what to do. */
  readonly runbook: FunctionFolder;
  readonly metric: Metric;
  /** From which value on it goes off. Default 1: at the first occurrence. */
  readonly threshold?: number;
  /** A topic that hears of it. Default: it is only shown. */
  readonly alarmTopicArn?: string | undefined;
}

/** An alarm that goes off at the first occurrence, or the nth, and says in its description where to read on. */
export const geoAlarm = (scope: Construct, id: string, props: GeoAlarmProps): Alarm => {
  const alarm = new Alarm(scope, id, {
    alarmName: props.alarmName,
    alarmDescription: `${props.meaning} What to do: docs/runbook.md#${props.runbook}`,
    metric: props.metric,
    threshold: props.threshold ?? 1,
    evaluationPeriods: 1,
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
  });
  if (props.alarmTopicArn !== undefined) {
    alarm.addAlarmAction(new SnsAction(Topic.fromTopicArn(scope, `${id}Topic`, props.alarmTopicArn)));
  }
  return alarm;
};
