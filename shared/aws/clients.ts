import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SFNClient } from "@aws-sdk/client-sfn";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import { ASKING, requestHandler, type Timeouts, WRITING } from "./timeouts.ts";

/**
 * SDK clients, one per region and purpose. Make them once, where a function starts. Endpoint and credentials come from
 * the environment (`AWS_ENDPOINT_URL` for a local cloud), and so does the region when none is given: a function's own.
 * How long each waits for an answer stands in `timeouts.ts`.
 */
const configured = (region: string | undefined, timeouts: Timeouts) => ({
  requestHandler: requestHandler(timeouts),
  ...(region === undefined ? {} : { region }),
});

// Checksums are ours to read and compare; the SDK computes its own only where an operation demands one.
const S3_CHECKSUMS = {
  requestChecksumCalculation: "WHEN_REQUIRED",
  responseChecksumValidation: "WHEN_REQUIRED",
} as const;

/** For reading: tries again by itself. */
export const s3Reader = (region?: string, timeouts = ASKING): S3Client =>
  new S3Client({ ...configured(region, timeouts), ...S3_CHECKSUMS });

/** For copies and removals: every request is sent once, since a second one could land after its successor (R14). */
export const s3Writer = (region?: string, timeouts = WRITING): S3Client =>
  new S3Client({ ...configured(region, timeouts), ...S3_CHECKSUMS, maxAttempts: 1 });

export const dynamoClient = (region?: string, timeouts = ASKING): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient(configured(region, timeouts)));

export const sqsClient = (region?: string, timeouts = ASKING): SQSClient => new SQSClient(configured(region, timeouts));

export const snsClient = (region?: string, timeouts = ASKING): SNSClient => new SNSClient(configured(region, timeouts));

export const sfnClient = (region?: string, timeouts = ASKING): SFNClient => new SFNClient(configured(region, timeouts));
