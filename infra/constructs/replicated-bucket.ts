import { Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  ObjectOwnership,
  type CfnBucket,
  type EventType,
} from "aws-cdk-lib/aws-s3";
import { SnsDestination } from "aws-cdk-lib/aws-s3-notifications";
import type { Topic } from "aws-cdk-lib/aws-sns";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.ts";

/**
 * What can make a replica differ from its source. Lifecycle deletions have events of their own and raise no
 * `ObjectRemoved`; a restored archive can be copied at last. Every rule is without a filter: which keys matter is decided
 * by the replicables, in code that can count what it passes over.
 */
export const CHANGES_OF_A_BUCKET = [
  "s3:ObjectCreated:*",
  "s3:ObjectRemoved:*",
  "s3:LifecycleExpiration:*",
  "s3:ObjectTagging:*",
  "s3:ObjectAnnotation:*",
  "s3:ObjectRetention:Put",
  "s3:ObjectRestore:Completed",
] as const;

/** Uploads that nobody completed are thrown away after this long. */
const INCOMPLETE_UPLOAD_KEPT = Duration.days(7);

export interface ReplicatedBucketProps {
  readonly bucketName: string;
  /** Days that replaced and deleted versions are kept. */
  readonly noncurrentVersionDays: number;
  /** Where to report changes; for a primary's bucket. Default: nowhere. */
  readonly changes?: Topic | undefined;
}

const reportTo = (topic: Topic) => CHANGES_OF_A_BUCKET.map((event) => ({ event, topic: topic.topicArn }));

/** S3 asks the topic whether it may publish at the moment the rule is set, so the topic's policy has to be there. */
const policyFirst = (bucket: Construct, topic: Topic): void => {
  for (const policy of topic.node.children.filter(({ node }) => node.id === "Policy"))
    bucket.node.addDependency(policy);
};

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
    if (props.changes !== undefined) {
      // On the bucket itself rather than through CDK's custom resource: nothing of ours runs during a deployment.
      const resource = bucket.node.defaultChild as CfnBucket;
      resource.notificationConfiguration = { topicConfigurations: reportTo(props.changes) };
      policyFirst(bucket, props.changes);
    }
  }
}

export interface ReportExistingBucketProps {
  readonly bucketName: string;
  readonly changes: Topic;
}

/**
 * Has somebody's existing bucket report its changes. Its notification rules belong to others too, so CDK's custom
 * resource is used here: it adds ours to those it finds and takes only ours away again.
 */
export const reportExistingBucket = (scope: Construct, id: string, props: ReportExistingBucketProps): void => {
  const bucket = Bucket.fromBucketName(scope, id, props.bucketName);
  for (const event of CHANGES_OF_A_BUCKET) {
    // CDK's enumeration lags behind S3; the value is handed to S3 as it is.
    bucket.addEventNotification(event as EventType, new SnsDestination(props.changes));
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
