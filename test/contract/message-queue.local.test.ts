import { CreateTopicCommand, DeleteTopicCommand, SubscribeCommand } from "@aws-sdk/client-sns";
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  DeleteQueueCommand,
  type Message,
  ReceiveMessageCommand,
} from "@aws-sdk/client-sqs";
import { afterAll, describe, expect, it } from "vitest";
import { snsClient, sqsClient } from "../../shared/aws/clients.ts";
import { SnsTopic } from "../../shared/aws/sns-topic.ts";
import { SqsQueue } from "../../shared/aws/sqs-queue.ts";
import { SqsSource } from "../../shared/aws/sqs-source.ts";
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

  it("A queue that feeds a function hands out at once what is given back to it, and nothing else", async () => {
    const name = uniqueName("source");
    const QueueUrl = await makeQueue(name);
    await new SqsQueue(sqs, name).send([{ body: "kept" }, { body: "given back" }]);
    const receive = async (): Promise<readonly Message[]> => {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 600, WaitTimeSeconds: 1 }),
      );
      return Messages;
    };
    const hidden: Message[] = [];
    await expect.poll(async () => hidden.push(...(await receive()))).toBe(2);
    const receipts = hidden.flatMap(({ Body, ReceiptHandle = "" }) => (Body === "given back" ? [ReceiptHandle] : []));
    await new SqsSource(sqs).giveBack(name, receipts);
    const again: (string | undefined)[] = [];
    await expect.poll(async () => again.push(...(await receive()).map(({ Body }) => Body))).toBe(1);
    expect(again).toEqual(["given back"]);
    expect(await receive()).toEqual([]);
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
