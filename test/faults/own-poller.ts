import { DeleteMessageCommand, GetQueueUrlCommand, type Message, ReceiveMessageCommand } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import { askCloud } from "../support/ask-cloud.ts";
import { cloud, type CloudSite } from "../support/cloud.ts";
import type { DeployedFunction } from "../support/wire/tapped-functions.ts";

const Mappings = z.object({ EventSourceMappings: z.array(z.object({ UUID: z.string(), EventSourceArn: z.string() })) });
const Answer = z.object({ batchItemFailures: z.array(z.object({ itemIdentifier: z.string() })) });

const MAPPINGS = "/2015-03-31/event-source-mappings/";

/** As Lambda hands over at most. */
const BATCH_SIZE = 10;

/** What Lambda hands to a function of a message. */
const recordOf = (arn: string, region: string, { MessageId, ReceiptHandle, Body, Attributes = {} }: Message) => ({
  messageId: MessageId,
  receiptHandle: ReceiptHandle,
  body: Body,
  attributes: Attributes,
  messageAttributes: {},
  eventSource: "aws:sqs",
  eventSourceARN: arn,
  awsRegion: region,
});

/** Reads one queue for a function, beside whatever else it is read for. */
export interface OwnPoller {
  /** Ends it after the batch that is under way, and has the cloud read the queue again. */
  stop(): Promise<void>;
}

/**
 * Takes a queue from the one thread with which the local cloud reads all of them, and reads it as Lambda does: by a poller
 * of its own, so that nobody waits for its batches. A batch whose function fails comes back when its visibility ends.
 */
export const pollByOurselves = async (site: CloudSite, queue: string, one: DeployedFunction): Promise<OwnPoller> => {
  const { EventSourceMappings } = Mappings.parse(
    await askCloud(cloud, one.region, "lambda", `${MAPPINGS}?FunctionName=${one.name}`),
  );
  const mapping = EventSourceMappings.find(({ EventSourceArn }) => EventSourceArn.endsWith(`:${queue}`));
  if (mapping === undefined) throw new Error(`${one.name} does not read ${queue}`);
  const enable = (Enabled: boolean): Promise<unknown> =>
    askCloud(cloud, one.region, "lambda", `${MAPPINGS}${mapping.UUID}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ Enabled }),
    });
  const { sqs } = site.clients;
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));

  const handOver = async (messages: readonly Message[]): Promise<void> => {
    const Records = messages.map((message) => recordOf(mapping.EventSourceArn, one.region, message));
    const answer = await askCloud(cloud, one.region, "lambda", `/2015-03-31/functions/${one.name}/invocations`, {
      method: "POST",
      body: JSON.stringify({ Records }),
    });
    // A function that failed as a whole answers with an error instead of this.
    const parsed = Answer.safeParse(answer);
    if (!parsed.success) return;
    const failed = new Set(parsed.data.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier));
    const done = messages.filter(({ MessageId = "" }) => !failed.has(MessageId));
    await Promise.all(done.map(({ ReceiptHandle }) => sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))));
  };

  await enable(false);
  const ending = new AbortController();
  const poll = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl,
          MaxNumberOfMessages: BATCH_SIZE,
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ["All"],
        }),
      );
      // Killed in the middle, it is answered with an error: the messages come back.
      if (Messages.length > 0) await handOver(Messages).catch(() => {});
    }
  };
  const ended = poll();
  return {
    stop: async () => {
      ending.abort();
      await ended;
      await enable(true);
    },
  };
};
