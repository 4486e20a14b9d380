import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";
import type { IConstruct } from "constructs";

import { acknowledge } from "./acknowledge.ts";
import { bucketArn } from "./arns.ts";

/** What rights on a bucket are made from. */
export interface BucketAccessProps {
  readonly bucketName: string;
  readonly region: string;
  /** The bucket's own KMS key. Default: S3's. */
  readonly kmsKeyArn?: string | undefined;
}

/**
 * Rights on a bucket, by intent. There is no way to get `s3:DeleteObjectVersion` from here: replication adds delete
 * markers and never destroys a version.
 */
export class BucketAccess {
  readonly bucketName: string;
  readonly #arn: string;
  readonly #kmsKeyArn: string | undefined;

  constructor({ bucketName, region, kmsKeyArn }: BucketAccessProps) {
    this.bucketName = bucketName;
    this.#arn = bucketArn({ region }, bucketName);
    this.#kmsKeyArn = kmsKeyArn;
  }

  /** Read objects with their tags and annotations, at any version: CopyObject takes both along and needs rights for each. */
  grantReplicationRead(grantee: IGrantable & IConstruct): void {
    this.grantReadBytes(grantee);
    this.#objects(grantee, ["s3:GetObjectTagging", "s3:GetObjectVersionTagging", "s3:GetObjectAnnotation"]);
    this.#aboutVersioning(grantee);
  }

  /**
   * Read objects, at any version. Listing is included because without it S3 answers 403 for a key that is not there, and
   * a 403 is never taken for absence (R28).
   */
  grantReadBytes(grantee: IGrantable & IConstruct): void {
    this.#objects(grantee, ["s3:GetObject", "s3:GetObjectVersion"]);
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucket"], resourceArns: [this.#arn] });
    this.#key(grantee, ["kms:Decrypt"]);
  }

  /** List keys; nothing of an object itself. */
  grantList(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucket"], resourceArns: [this.#arn] });
  }

  /** Ask what a key shows now (HEAD), which S3 answers only to who may read it; listing is included as for reading. */
  grantLook(grantee: IGrantable & IConstruct): void {
    this.#objects(grantee, ["s3:GetObject"]);
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucket"], resourceArns: [this.#arn] });
    this.#key(grantee, ["kms:Decrypt"]); // S3 decrypts to tell a stored checksum
  }

  /** Write replicas and hide them behind delete markers. */
  grantReplicationWrite(grantee: IGrantable & IConstruct): void {
    this.#objects(grantee, ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAnnotation", "s3:DeleteObject"]);
    this.#objects(grantee, ["s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]); // large objects go in parts
    this.#aboutVersioning(grantee);
    this.#key(grantee, ["kms:GenerateDataKey", "kms:Decrypt"]);
  }

  /**
   * Hide objects behind delete markers, and bring back what is hidden by copying it onto its own key. Bringing back by
   * taking markers away would need the right to destroy versions, since to S3 a marker is one.
   */
  grantHideAndBringBack(grantee: IGrantable & IConstruct): void {
    this.grantReplicationRead(grantee);
    this.#objects(grantee, ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAnnotation", "s3:DeleteObject"]);
    // Large objects come back in parts.
    this.#objects(grantee, ["s3:ListMultipartUploadParts", "s3:AbortMultipartUpload"]);
    this.#key(grantee, ["kms:GenerateDataKey"]);
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucketVersions"], resourceArns: [this.#arn] });
  }

  /** Write texts and read them again; neither list nor remove them. */
  grantKeepTexts(grantee: IGrantable & IConstruct): void {
    this.#objects(grantee, ["s3:GetObject", "s3:PutObject"]);
  }

  /** Find uploads that nobody goes on with, and abort them. */
  grantSweepUploads(grantee: IGrantable & IConstruct): void {
    Grant.addToPrincipal({ grantee, actions: ["s3:ListBucketMultipartUploads"], resourceArns: [this.#arn] });
    this.#objects(grantee, ["s3:AbortMultipartUpload"]);
  }

  /** Before anything is replicated, both buckets are asked whether they keep versions. */
  #aboutVersioning(grantee: IGrantable): void {
    Grant.addToPrincipal({ grantee, actions: ["s3:GetBucketVersioning"], resourceArns: [this.#arn] });
  }

  #objects(grantee: IGrantable & IConstruct, actions: string[]): void {
    const objects = `${this.#arn}/*`;
    Grant.addToPrincipal({ grantee, actions, resourceArns: [objects] });
    acknowledge(grantee, {
      [`IAM5[Resource::${objects}]`]: "Every object of this one bucket may have to be replicated.",
    });
  }

  #key(grantee: IGrantable, actions: string[]): void {
    if (this.#kmsKeyArn !== undefined) Grant.addToPrincipal({ grantee, actions, resourceArns: [this.#kmsKeyArn] });
  }
}
