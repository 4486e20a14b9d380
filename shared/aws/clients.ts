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

/**
 * Sockets for parts: of the 48 keys that a function has under way, one copies 16 parts at a time and the others 4 each
 * (`COPY_LIMITS`), should all of them be large; and few enough for the 1,024 files that a function may have open.
 */
const PART_SOCKETS = 256;

/** For reading: tries again by itself. */
export const s3Reader = (region?: string, timeouts = ASKING): S3Client =>
  new S3Client({ ...configured(region, timeouts), ...S3_CHECKSUMS });

/** For copies and removals: every request is sent once, since a second one could land after its successor (R14). */
export const s3Writer = (region?: string, timeouts = WRITING): S3Client =>
  new S3Client({ ...configured(region, timeouts), ...S3_CHECKSUMS, maxAttempts: 1 });

/**
 * For the parts of large copies: a part that is copied twice is the same part, so it is sent again when no answer comes.
 * Its sockets are its own and many, since a part waits for S3 most of its time, and keys beside it must not wait for it.
 */
export const s3PartCopier = (region?: string, timeouts = WRITING): S3Client => {
  const { requestHandler: waits, ...rest } = configured(region, timeouts);
  const sockets = { maxSockets: PART_SOCKETS };
  return new S3Client({
    ...rest,
    ...S3_CHECKSUMS,
    requestHandler: { ...waits, httpsAgent: sockets, httpAgent: sockets },
  });
};

export const dynamoClient = (region?: string, timeouts = ASKING): DynamoDBDocumentClient =>
  DynamoDBDocumentClient.from(new DynamoDBClient(configured(region, timeouts)));

export const sqsClient = (region?: string, timeouts = ASKING): SQSClient => new SQSClient(configured(region, timeouts));

export const snsClient = (region?: string, timeouts = ASKING): SNSClient => new SNSClient(configured(region, timeouts));

export const sfnClient = (region?: string, timeouts = ASKING): SFNClient => new SFNClient(configured(region, timeouts));
