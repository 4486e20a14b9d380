import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  BucketNotificationDestinationType,
  ObjectOwnership,
  type CfnBucket,
  type EventType,
  type IBucketNotificationDestination,
} from "aws-cdk-lib/aws-s3";
import type { Topic } from "aws-cdk-lib/aws-sns";
import type { Queue } from "aws-cdk-lib/aws-sqs";
import { Construct } from "constructs";

import type { CHANGES_OF_A_BUCKET, CHANGES_OF_A_REPLICA } from "../../shared/geo/reported-changes.ts";
import { acknowledge } from "./acknowledge.ts";

/** Which changes a bucket reports, and where to. The topic or queue must admit S3 on behalf of that bucket. */
export type BucketReport =
  | { readonly events: typeof CHANGES_OF_A_BUCKET; readonly topic: Topic }
  | { readonly events: typeof CHANGES_OF_A_REPLICA; readonly queue: Queue };

/** Uploads that nobody completed are thrown away after this long. */
const INCOMPLETE_UPLOAD_KEPT = Duration.days(7);

export interface ReplicatedBucketProps {
  readonly bucketName: string;
  /** Days that replaced and deleted versions are kept. */
  readonly noncurrentVersionDays: number;
  /** What to report of changes. Default: nothing. */
  readonly report?: BucketReport | undefined;
}

const notificationRules = (report: BucketReport): CfnBucket.NotificationConfigurationProperty =>
  "topic" in report
    ? { topicConfigurations: report.events.map((event) => ({ event, topic: report.topic.topicArn })) }
    : { queueConfigurations: report.events.map((event) => ({ event, queue: report.queue.queueArn })) };

/** S3 asks the destination whether it may send at the moment the rule is set, so the destination's policy has to be there. */
const destinationPolicies = (report: BucketReport) =>
  ("topic" in report ? report.topic : report.queue).node.children.filter(({ node }) => node.id === "Policy");

/** CDK's own destinations write policies of their own; these ones have one that names account and bucket. */
const destinationOf = (report: BucketReport): IBucketNotificationDestination => ({
  bind: () => ({
    ...("topic" in report
      ? { arn: report.topic.topicArn, type: BucketNotificationDestinationType.TOPIC }
      : { arn: report.queue.queueArn, type: BucketNotificationDestinationType.QUEUE }),
    dependencies: destinationPolicies(report),
  }),
});

/** A bucket of ours at either end of replication: versioned, encrypted, private, reached over TLS only, kept. */
export class ReplicatedBucket extends Construct {
  constructor(scope: Construct, id: string, props: ReplicatedBucketProps) {
    super(scope, id);
    const bucket = new Bucket(this, "Bucket", {
      bucketName: props.bucketName,
      versioned: true,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        {
          id: "tidy",
          abortIncompleteMultipartUploadAfter: INCOMPLETE_UPLOAD_KEPT,
          noncurrentVersionExpiration: Duration.days(props.noncurrentVersionDays),
          expiredObjectDeleteMarker: true,
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(bucket, {
      S1: "Access logs of object storage cost as much as the storage's requests and need a bucket of their own; turn on CloudTrail data events where an audit asks for them.",
    });
    if (props.report !== undefined) {
      // On the bucket itself rather than through CDK's custom resource: nothing of ours runs during a deployment.
      const resource = bucket.node.defaultChild as CfnBucket;
      resource.notificationConfiguration = notificationRules(props.report);
      bucket.node.addDependency(...destinationPolicies(props.report));
    }
  }
}

export interface ReportExistingBucketProps {
  readonly bucketName: string;
  readonly report: BucketReport;
}

/**
 * Has somebody's existing bucket report its changes. Its notification rules belong to others too, so CDK's custom
 * resource is used here: it adds ours to those it finds and takes only ours away again.
 */
export const reportExistingBucket = (scope: Construct, id: string, props: ReportExistingBucketProps): void => {
  const bucket = Bucket.fromBucketName(scope, id, props.bucketName);
  for (const event of props.report.events) {
    // CDK's enumeration lags behind S3; the value is handed to S3 as it is.
    bucket.addEventNotification(event as EventType, destinationOf(props.report));
  }
  const handlers = Stack.of(scope).node.children.filter(({ node }) => node.id.startsWith("BucketNotificationsHandler"));
  for (const handler of handlers) {
    acknowledge(handler, {
      "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole]":
        "CDK's own function, run during deployments only.",
      "IAM5[Resource::*]": "CDK's own function, one for every bucket of a stack; run during deployments only.",
      L1: "CDK's own function; CDK keeps its runtime up to date.",
    });
  }
};
