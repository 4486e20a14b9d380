import { Duration } from "aws-cdk-lib";
import { AnyPrincipal, Effect, PolicyStatement, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import { Key } from "aws-cdk-lib/aws-kms";
import { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";

import { bucketArn, type Place } from "./arns.ts";

export interface EventTopicsProps extends Place {
  readonly bucketEventsTopic: string;
  readonly geoEventsTopic: string;
  /** The only bucket that may publish. */
  readonly bucketName: string;
}

/**
 * The primary's two topics: what S3 reports, and what the primary itself announces. They belong to what is retained:
 * with a topic its subscriptions go, and those belong to feeds that would not notice.
 */
export class EventTopics extends Construct {
  readonly bucketEvents: Topic;

  constructor(scope: Construct, id: string, props: EventTopicsProps) {
    super(scope, id);
    const onlyOurBucket = {
      StringEquals: { "aws:SourceAccount": props.account },
      ArnLike: { "aws:SourceArn": bucketArn(props, props.bucketName) },
    };

    // A key of our own, since the policy of AWS's key for SNS can not be told to let S3 in.
    const key = new Key(this, "Key", {
      description: `Events of ${props.bucketName}`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(7),
    });
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "S3Publishes",
        effect: Effect.ALLOW,
        principals: [new ServicePrincipal("s3.amazonaws.com")],
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        resources: ["*"],
        conditions: onlyOurBucket,
      }),
    );
    // As AWS's own key for SNS says it: whoever may publish may have SNS encrypt. So no role needs to know this key.
    key.addToResourcePolicy(
      new PolicyStatement({
        sid: "PublishersThroughSns",
        effect: Effect.ALLOW,
        principals: [new AnyPrincipal()],
        actions: ["kms:GenerateDataKey", "kms:Decrypt"],
        resources: ["*"],
        conditions: {
          StringEquals: {
            "kms:CallerAccount": props.account,
            "kms:ViaService": `sns.${props.region}.amazonaws.com`,
          },
        },
      }),
    );

    this.bucketEvents = new Topic(this, "BucketEvents", {
      topicName: props.bucketEventsTopic,
      masterKey: key,
      enforceSSL: true,
    });
    this.bucketEvents.addToResourcePolicy(
      new PolicyStatement({
        sid: "S3Publishes",
        principals: [new ServicePrincipal("s3.amazonaws.com")],
        actions: ["sns:Publish"],
        resources: [this.bucketEvents.topicArn],
        conditions: onlyOurBucket,
      }),
    );
    new Topic(this, "GeoEvents", { topicName: props.geoEventsTopic, masterKey: key, enforceSSL: true });
  }
}
