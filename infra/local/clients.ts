import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";
import { SQSClient } from "@aws-sdk/client-sqs";
import { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import type { Cloud } from "./cloud.ts";

/** The SDK's settings for one region of a cloud. */
export const clientConfig = (cloud: Cloud, region: string) => ({
  region,
  ...(cloud.endpoint === undefined ? {} : { endpoint: cloud.endpoint }),
  ...(cloud.credentials === undefined ? {} : { credentials: cloud.credentials }),
});

/** SDK clients for one region of a cloud. */
export interface Clients {
  readonly s3: S3Client;
  readonly dynamo: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly sns: SNSClient;
}

/** Makes the clients of one region. */
export const clientsFor = (cloud: Cloud, region: string): Clients => {
  const config = clientConfig(cloud, region);
  return {
    s3: new S3Client({ ...config, forcePathStyle: cloud.endpoint !== undefined }),
    dynamo: DynamoDBDocumentClient.from(new DynamoDBClient(config)),
    sqs: new SQSClient(config),
    sns: new SNSClient(config),
  };
};

/** What a child process needs in its environment so that its AWS calls go to this cloud and nowhere else. */
export const cloudEnvironment = (cloud: Cloud, region: string): Readonly<Record<string, string | undefined>> => ({
  AWS_REGION: region,
  AWS_DEFAULT_REGION: region,
  CDK_DEFAULT_ACCOUNT: cloud.account,
  CDK_DEFAULT_REGION: region,
  ...(cloud.endpoint === undefined ? {} : { AWS_ENDPOINT_URL: cloud.endpoint }),
  ...(cloud.credentials === undefined
    ? {}
    : {
        AWS_ACCESS_KEY_ID: cloud.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: cloud.credentials.secretAccessKey,
        // A profile or a session of the caller's would win over these.
        AWS_PROFILE: undefined,
        AWS_SESSION_TOKEN: undefined,
      }),
});
