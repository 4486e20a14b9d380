/**
 * What AWS charges for, at the list prices of us-east-1 without free tiers, in dollars per unit. From the price pages of
 * S3 (aws.amazon.com/s3/pricing), SQS, SNS, DynamoDB on demand, Lambda on arm64 and CloudWatch Logs, as of November 2026.
 * Transfer between regions is not in here: it is the same for whoever copies.
 */
const PRICES = {
  /** PUT, COPY, POST and LIST, $0.005 per 1,000. */
  s3_write_request: 5e-6,
  /** GET, HEAD and all others but DELETE, $0.0004 per 1,000. */
  s3_read_request: 0.4e-6,
  /** DELETE costs nothing. */
  s3_free_request: 0,
  /** Any call, a batch being one, per 64 KB begun; $0.40 per million. */
  sqs_request: 0.4e-6,
  /** Per 64 KB begun of what is published, $0.50 per million; deliveries to queues are free. */
  sns_request: 0.5e-6,
  /** A write of up to 1 KB to a table or an index, $0.625 per million. */
  dynamodb_write_unit: 0.625e-6,
  /** A consistent read of up to 4 KB, $0.125 per million. */
  dynamodb_read_unit: 0.125e-6,
  /** $0.20 per million. */
  lambda_invocation: 0.2e-6,
  /** On arm64. */
  lambda_gb_second: 0.0000133334,
  /** Ingestion. */
  log_gigabyte: 0.5,
} as const;
export type Priced = keyof typeof PRICES;

/** So many units of something that is charged for. */
export interface Charge {
  readonly item: Priced;
  readonly units: number;
}

/** The sum of some charges, dollars. */
export const dollars = (charges: readonly Charge[]): number =>
  charges.reduce((sum, { item, units }) => sum + units * PRICES[item], 0);
