import { CreateTopicCommand, DeleteTopicCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, describe } from "vitest";
import { snsClient, sqsClient } from "../../shared/aws/clients.ts";
import { SnsTopic } from "../../shared/aws/sns-topic.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { messageQueueContract } from "./message-queue.contract.ts";
import { cloudLacks, contractCloud, hasCloud, PRIMARY_REGION, uniqueName } from "./support/contract-cloud.ts";

const lacks = await cloudLacks();

describe.skipIf(!hasCloud)("On the cloud at AWS_ENDPOINT_URL (skipped while that is not set)", () => {
  const sqs = sqsClient(PRIMARY_REGION);
  const sns = snsClient(PRIMARY_REGION);
  const cleanUp: (() => Promise<unknown>)[] = [];
  afterAll(async () => {
    for (const step of cleanUp) await step();
  });

  const makeQueue = async (name: string, policy?: string): Promise<string> => {
    const { QueueUrl = "" } = await sqs.send(
      new CreateQueueCommand({
        QueueName: name,
        Attributes: policy === undefined ? {} : { Policy: policy },
      }),
    );
    cleanUp.push(() => sqs.send(new DeleteQueueCommand({ QueueUrl })));
    return QueueUrl;
  };

  const taking = (QueueUrl: string) => async (): Promise<readonly string[]> => {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    for (const { ReceiptHandle } of Messages) await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    return Messages.map(({ Body = "" }) => Body);
  };

  messageQueueContract("A queue of SQS", lacks, async () => {
    const name = uniqueName("queue");
    return { queue: new SqsQueue(sqs, name), delays: true, take: taking(await makeQueue(name)) };
  });

  messageQueueContract("A topic of SNS", lacks, async () => {
    const name = uniqueName("topic");
    const { account } = await contractCloud();
    const { TopicArn = "" } = await sns.send(new CreateTopicCommand({ Name: name }));
    cleanUp.push(() => sns.send(new DeleteTopicCommand({ TopicArn })));
    const queueArn = `arn:aws:sqs:${PRIMARY_REGION}:${account}:${name}`;
    const statement = {
      Effect: "Allow",
      Principal: { Service: "sns.amazonaws.com" },
      Action: "sqs:SendMessage",
      Resource: queueArn,
      Condition: { ArnEquals: { "aws:SourceArn": TopicArn } },
    };
    const url = await makeQueue(name, JSON.stringify({ Version: "2012-10-17", Statement: [statement] }));
    await sns.send(
      new SubscribeCommand({
        TopicArn,
        Protocol: "sqs",
        Endpoint: queueArn,
        Attributes: { RawMessageDelivery: "true" },
      }),
    );
    return { queue: new SnsTopic(sns, TopicArn), delays: false, take: taking(url) };
  });
});
