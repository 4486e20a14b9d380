import { Duration, RemovalPolicy } from "aws-cdk-lib";
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from "aws-cdk-lib/aws-s3";
import { Construct } from "constructs";

import { acknowledge } from "./acknowledge.ts";

/** Days that a manifest is kept beyond the versions that it names: an undo that began late is to find it. */
const KEPT_LONGER_DAYS = 30;

export interface ManifestBucketProps {
  readonly bucketName: string;
  /** Days that a hidden version is kept, and so for how long a destroy can be undone. */
  readonly noncurrentVersionDays: number;
}

/**
 * Where batch destroys freeze what they are going to hide. A bucket of its own: the replicated one is what is destroyed, and
 * whoever may write there could change what was confirmed. Never replicated; gone when nothing can be undone any more.
 */
export class ManifestBucket extends Construct {
  constructor(scope: Construct, id: string, { bucketName, noncurrentVersionDays }: ManifestBucketProps) {
    super(scope, id);
    const bucket = new Bucket(this, "Bucket", {
      bucketName,
      versioned: true,
      encryption: BucketEncryption.S3_MANAGED,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      lifecycleRules: [
        {
          id: "forget",
          abortIncompleteMultipartUploadAfter: Duration.days(7),
          expiration: Duration.days(noncurrentVersionDays + KEPT_LONGER_DAYS),
          noncurrentVersionExpiration: Duration.days(KEPT_LONGER_DAYS),
        },
      ],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(bucket, {
      S1: "Access logs of object storage cost as much as the storage's requests and need a bucket of their own; turn on CloudTrail data events where an audit asks for them.",
    });
  }
}
