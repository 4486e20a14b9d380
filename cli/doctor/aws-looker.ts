/** Looks around in AWS for `geo doctor`: with `token-keeper.ts` the one file of the command line that reaches it. */
import { DescribeTableCommand, DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  type Event,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  ListMultipartUploadsCommand,
  type NotificationConfigurationFilter,
  S3Client,
} from "@aws-sdk/client-s3";
import { DescribeStateMachineCommand, SFNClient } from "@aws-sdk/client-sfn";
import { GetTopicAttributesCommand, SNSClient } from "@aws-sdk/client-sns";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SQSClient } from "@aws-sdk/client-sqs";
import type { AwsLook, Looked, Place, SeenBucket, SeenRule, SeenUploads } from "./aws-look.ts";

/** How AWS is reached; absent parts are those that the SDK finds by itself. */
export interface AwsAccess {
  /** Of a local cloud. */
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Pages of uploads that are looked at, of a thousand each. */
const UPLOAD_PAGES_MAX = 10;

/** How long one call may take: somebody waits. Milliseconds. */
const CALL_MS = 5_000;

/** What AWS calls it when there is no such thing. */
const ABSENT: ReadonlySet<string> = new Set([
  "NoSuchBucket",
  "NotFound",
  "NotFoundException",
  "ResourceNotFoundException",
  "QueueDoesNotExist",
  "AWS.SimpleQueueService.NonExistentQueue",
  "StateMachineDoesNotExist",
]);

/** And when the caller is nobody, or may not look. */
const REFUSED: ReadonlySet<string> = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "AuthorizationError",
  "AuthorizationErrorException",
  "CredentialsProviderError",
  "ExpiredToken",
  "ExpiredTokenException",
  "InvalidAccessKeyId",
  "InvalidClientTokenId",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "SignatureDoesNotMatch",
  "UnrecognizedClientException",
]);

const looked = async <T>(look: () => Promise<T>): Promise<Looked<T>> => {
  try {
    return { outcome: "seen", seen: await look() };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: "", message: String(error) };
    if (ABSENT.has(name)) return { outcome: "absent" };
    return REFUSED.has(name)
      ? { outcome: "refused", reason: name }
      : { outcome: "failed", reason: `${name}: ${message}`.slice(0, 200) };
  }
};

/** The name at the end of an ARN. */
const nameOf = (arn: string | undefined): string => (arn ?? "").slice((arn ?? "").lastIndexOf(":") + 1);

/** What every client is made with. */
interface ClientOptions {
  readonly region: string;
  readonly maxAttempts: number;
  readonly endpoint?: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** Clients of each region that is asked about, made once. */
class Clients {
  readonly #access: AwsAccess;
  readonly #made = new Map<string, unknown>();

  constructor(access: AwsAccess) {
    this.#access = access;
  }

  s3 = (region: string): S3Client =>
    this.#of("s3", region, (options) => new S3Client({ ...options, forcePathStyle: true }));
  dynamo = (region: string): DynamoDBClient => this.#of("dynamo", region, (options) => new DynamoDBClient(options));
  sqs = (region: string): SQSClient => this.#of("sqs", region, (options) => new SQSClient(options));
  sns = (region: string): SNSClient => this.#of("sns", region, (options) => new SNSClient(options));
  sfn = (region: string): SFNClient => this.#of("sfn", region, (options) => new SFNClient(options));

  #of<Client>(service: string, region: string, make: (options: ClientOptions) => Client): Client {
    const key = `${service} ${region}`;
    const { endpoint, credentials } = this.#access;
    if (!this.#made.has(key)) {
      const options = {
        region,
        maxAttempts: 2,
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(credentials === undefined ? {} : { credentials }),
      };
      this.#made.set(key, make(options));
    }
    return this.#made.get(key) as Client; // what was made for this very service
  }
}

const inTime = (): { readonly abortSignal: AbortSignal } => ({ abortSignal: AbortSignal.timeout(CALL_MS) });

interface ToldRule {
  readonly Events?: readonly Event[] | undefined;
  readonly Filter?: NotificationConfigurationFilter | undefined;
}

/** An empty beginning or end is one that every key has. */
const seeRule = (arnOfTarget: string | undefined, { Events = [], Filter }: ToldRule): SeenRule => ({
  to: nameOf(arnOfTarget),
  events: Events,
  isFiltered: (Filter?.Key?.FilterRules ?? []).some(({ Value = "" }) => Value !== ""),
});

const seeBucket = async (s3: S3Client, Bucket: string): Promise<SeenBucket> => {
  const [versioning, notified] = await Promise.all([
    s3.send(new GetBucketVersioningCommand({ Bucket }), inTime()),
    s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }), inTime()),
  ]);
  return {
    versioning: versioning.Status ?? "Off",
    topics: (notified.TopicConfigurations ?? []).map((rule) => seeRule(rule.TopicArn, rule)),
    queues: (notified.QueueConfigurations ?? []).map((rule) => seeRule(rule.QueueArn, rule)),
  };
};

const seeUploads = async (s3: S3Client, Bucket: string, before: number): Promise<SeenUploads> => {
  let old = 0;
  let oldestAt: number | undefined;
  let after: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } = {};
  for (let pages = 0; pages < UPLOAD_PAGES_MAX; pages += 1) {
    const page = await s3.send(new ListMultipartUploadsCommand({ Bucket, ...after }), inTime());
    for (const { Initiated } of page.Uploads ?? []) {
      const begunAt = Initiated?.getTime() ?? 0;
      if (begunAt < before) old += 1;
      if (oldestAt === undefined || begunAt < oldestAt) oldestAt = begunAt;
    }
    const { NextKeyMarker, NextUploadIdMarker } = page;
    if (page.IsTruncated !== true || NextKeyMarker === undefined) return { old, oldestAt, more: false };
    after = {
      KeyMarker: NextKeyMarker,
      ...(NextUploadIdMarker === undefined ? {} : { UploadIdMarker: NextUploadIdMarker }),
    };
  }
  return { old, oldestAt, more: true };
};

const seeMessages = async (sqs: SQSClient, QueueName: string): Promise<number> => {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName }), inTime());
  const asked = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ["ApproximateNumberOfMessages"] });
  const { Attributes } = await sqs.send(asked, inTime());
  const told = Attributes?.["ApproximateNumberOfMessages"];
  if (told === undefined) throw new Error(`${QueueName} does not say how many messages it holds`);
  return Number(told);
};

const arn = (service: string, { region, name }: Place, account: string): string => {
  const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
  return `arn:${partition}:${service}:${region}:${account}:${name}`;
};

/** Looks around in AWS, or in a local cloud that stands for it. */
export const awsLooker = (access: AwsAccess): AwsLook => {
  const clients = new Clients(access);
  return {
    bucket: ({ region, name }) => looked(() => seeBucket(clients.s3(region), name)),
    uploads: ({ region, name }, before) => looked(() => seeUploads(clients.s3(region), name, before)),
    table: ({ region, name: TableName }) =>
      looked(async () => {
        const { Table } = await clients.dynamo(region).send(new DescribeTableCommand({ TableName }), inTime());
        return { account: (Table?.TableArn ?? "").split(":")[4] ?? "" };
      }),
    queue: ({ region, name: QueueName }) =>
      looked(async () => {
        await clients.sqs(region).send(new GetQueueUrlCommand({ QueueName }), inTime());
        return null;
      }),
    messages: ({ region, name }) => looked(() => seeMessages(clients.sqs(region), name)),
    topic: (place, account) =>
      looked(async () => {
        const TopicArn = arn("sns", place, account);
        await clients.sns(place.region).send(new GetTopicAttributesCommand({ TopicArn }), inTime());
        return null;
      }),
    stateMachine: ({ region, name }, account) =>
      looked(async () => {
        const stateMachineArn = arn("states", { region, name: `stateMachine:${name}` }, account);
        await clients.sfn(region).send(new DescribeStateMachineCommand({ stateMachineArn }), inTime());
        return null;
      }),
  };
};
