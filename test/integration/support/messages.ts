import {
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from "@aws-sdk/client-sqs";
import type { ParkedMessage } from "../../../shared/services/park.ts";
import type { CloudSite } from "../../support/cloud.ts";
import { eventually } from "../../support/eventually.ts";

const urlOf = async ({ clients: { sqs } }: CloudSite, queue: string): Promise<string> => {
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
  if (QueueUrl === undefined) throw new Error(`there is no queue ${queue}`);
  return QueueUrl;
};

/** Puts a message into a queue, as whoever forges one would. `site` is in the queue's region. */
export const sendTo = async (site: CloudSite, queue: string, body: string): Promise<void> => {
  await site.clients.sqs.send(new SendMessageCommand({ QueueUrl: await urlOf(site, queue), MessageBody: body }));
};

/** Attributes of a queue. */
export const attributesOf = async (site: CloudSite, queue: string): Promise<Readonly<Record<string, string>>> => {
  const { Attributes = {} } = await site.clients.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: await urlOf(site, queue), AttributeNames: ["All"] }),
  );
  return Attributes;
};

/** Changes attributes of a queue. */
export const setAttributes = async (
  site: CloudSite,
  queue: string,
  attributes: Readonly<Record<string, string>>,
): Promise<void> => {
  await site.clients.sqs.send(
    new SetQueueAttributesCommand({ QueueUrl: await urlOf(site, queue), Attributes: { ...attributes } }),
  );
};

/**
 * Waits until the messages whose bodies hold `marker` lie in a dead-letter queue, and takes them out of it. What belongs
 * to other tests is left where it is.
 */
export const parkedWith = async (site: CloudSite, queue: string, marker: string): Promise<readonly ParkedMessage[]> => {
  const QueueUrl = await urlOf(site, queue);
  const found: ParkedMessage[] = [];
  await eventually(
    `a message with ${marker} lies in ${queue}`,
    async () => {
      const { Messages = [] } = await site.clients.sqs.send(
        // Visible to the others again at once.
        new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, VisibilityTimeout: 1 }),
      );
      for (const { Body = "", ReceiptHandle } of Messages) {
        if (!Body.includes(marker)) continue;
        found.push(JSON.parse(Body) as ParkedMessage);
        await site.clients.sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
      }
      return found;
    },
    (messages) => messages.length > 0 && messages.length >= (messages[0]?.parts ?? 1),
  );
  return found.sort((left, right) => left.part - right.part);
};
