import { DescribeTimeToLiveCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import {
  GetQueueAttributesCommand,
  GetQueueUrlCommand,
  SetQueueAttributesCommand,
  SQSServiceException,
} from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import type { AssembledStack, Template } from "./assembly.ts";
import { clientsFor, type Clients } from "./clients.ts";
import type { Cloud } from "./cloud.ts";

/**
 * MiniStack's CloudFormation accepts some properties and drops them. What the templates asked for is put back by the
 * services' own APIs. Nothing here is a list of our resources: the synthesized templates say what has to be.
 */
export const FIX_UPS = ["queue-message-size", "queue-redrive-policy", "table-time-to-live"] as const;
export type FixUpName = (typeof FIX_UPS)[number];

/** What one fix-up found on one resource. */
export interface FixUpReport {
  readonly fixUp: FixUpName;
  /** The resource's physical name. */
  readonly resource: string;
  readonly region: string;
  /** False when the cloud had done as the template says: once that holds for all, the fix-up can go. */
  readonly needed: boolean;
}

/** A template asks for something that a fix-up can not read. */
export class UnreadableTemplateError extends Error {
  override readonly name = "UnreadableTemplateError";
}

interface WantedRedrive {
  readonly fixUp: "queue-redrive-policy";
  readonly queue: string;
  readonly deadLetterQueue: string;
  readonly maxReceiveCount: number;
}

interface WantedSize {
  readonly fixUp: "queue-message-size";
  readonly queue: string;
  /** Bytes. */
  readonly maximumMessageSize: number;
}

/** What a queue takes unless its template says otherwise (SQS API reference, SetQueueAttributes): 1 MiB. */
const MESSAGE_BYTES_DEFAULT = 1_048_576;

interface WantedTtl {
  readonly fixUp: "table-time-to-live";
  readonly table: string;
  readonly attribute: string;
}

type Wanted = WantedRedrive | WantedSize | WantedTtl;

const RedrivePolicy = z.object({
  deadLetterTargetArn: z.object({ "Fn::GetAtt": z.tuple([z.string(), z.literal("Arn")]) }),
  maxReceiveCount: z.coerce.number(),
});

const TimeToLive = z.object({ AttributeName: z.string(), Enabled: z.boolean() });

const physicalName = (template: Template, logicalId: string, property: string): string => {
  const name = template.Resources[logicalId]?.Properties[property];
  if (typeof name === "string") return name;
  throw new UnreadableTemplateError(`${logicalId} should have a fixed ${property}; it has ${JSON.stringify(name)}`);
};

const wantedOfQueue = (template: Template, logicalId: string): readonly Wanted[] => {
  const { RedrivePolicy: stated, MaximumMessageSize: size } = template.Resources[logicalId]?.Properties ?? {};
  const queue = physicalName(template, logicalId, "QueueName");
  const maximumMessageSize = size === undefined ? MESSAGE_BYTES_DEFAULT : Number(size);
  const wantedSize: Wanted = { fixUp: "queue-message-size", queue, maximumMessageSize };
  if (stated === undefined) return [wantedSize];
  const policy = RedrivePolicy.safeParse(stated);
  if (!policy.success) {
    throw new UnreadableTemplateError(
      `${logicalId} has a redrive policy of an unknown form: ${JSON.stringify(stated)}`,
    );
  }
  const deadLetterQueue = physicalName(template, policy.data.deadLetterTargetArn["Fn::GetAtt"][0], "QueueName");
  const { maxReceiveCount } = policy.data;
  return [wantedSize, { fixUp: "queue-redrive-policy", queue, deadLetterQueue, maxReceiveCount }];
};

const wantedOfTable = (template: Template, logicalId: string): readonly Wanted[] => {
  const ttl = TimeToLive.safeParse(template.Resources[logicalId]?.Properties["TimeToLiveSpecification"]);
  if (!ttl.success || !ttl.data.Enabled) return [];
  const table = physicalName(template, logicalId, "TableName");
  return [{ fixUp: "table-time-to-live", table, attribute: ttl.data.AttributeName }];
};

/** What the fix-ups have to see to in one template. */
export const wantedFixUps = (template: Template): readonly Wanted[] =>
  Object.entries(template.Resources).flatMap(([logicalId, { Type }]) => {
    switch (Type) {
      case "AWS::SQS::Queue":
        return wantedOfQueue(template, logicalId);
      case "AWS::DynamoDB::Table":
      case "AWS::DynamoDB::GlobalTable":
        return wantedOfTable(template, logicalId);
      default:
        return [];
    }
  });

const queueAttribute = async (
  sqs: Clients["sqs"],
  queue: string,
  attribute: "MaximumMessageSize" | "QueueArn" | "RedrivePolicy",
): Promise<{ readonly url: string; readonly value: string | undefined }> => {
  const { QueueUrl: url = "" } = await sqs.send(new GetQueueUrlCommand({ QueueName: queue }));
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [attribute] }));
  return { url, value: Attributes?.[attribute] };
};

const redrive = async ({ sqs }: Clients, wanted: WantedRedrive): Promise<boolean> => {
  const { url, value } = await queueAttribute(sqs, wanted.queue, "RedrivePolicy");
  if (value !== undefined && value !== "") return false;
  const { value: deadLetterTargetArn } = await queueAttribute(sqs, wanted.deadLetterQueue, "QueueArn");
  const { maxReceiveCount } = wanted;
  await sqs.send(
    new SetQueueAttributesCommand({
      QueueUrl: url,
      Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) },
    }),
  );
  return true;
};

const messageSize = async ({ sqs }: Clients, { queue, maximumMessageSize }: WantedSize): Promise<boolean> => {
  const { url, value } = await queueAttribute(sqs, queue, "MaximumMessageSize");
  if (Number(value) >= maximumMessageSize) return false;
  try {
    await sqs.send(
      new SetQueueAttributesCommand({ QueueUrl: url, Attributes: { MaximumMessageSize: String(maximumMessageSize) } }),
    );
  } catch (error) {
    // A MiniStack that our launcher did not start allows no more than 256 KiB, which all but a test can live with.
    if (!(error instanceof SQSServiceException) || error.$metadata.httpStatusCode !== 400) throw error;
  }
  return true;
};

const timeToLive = async ({ dynamo }: Clients, wanted: WantedTtl): Promise<boolean> => {
  const { TimeToLiveDescription: now } = await dynamo.send(new DescribeTimeToLiveCommand({ TableName: wanted.table }));
  if (now?.TimeToLiveStatus === "ENABLED" || now?.TimeToLiveStatus === "ENABLING") return false;
  await dynamo.send(
    new UpdateTimeToLiveCommand({
      TableName: wanted.table,
      TimeToLiveSpecification: { AttributeName: wanted.attribute, Enabled: true },
    }),
  );
  return true;
};

const fixUp = (clients: Clients, wanted: Wanted): Promise<boolean> => {
  switch (wanted.fixUp) {
    case "queue-message-size":
      return messageSize(clients, wanted);
    case "queue-redrive-policy":
      return redrive(clients, wanted);
    case "table-time-to-live":
      return timeToLive(clients, wanted);
  }
};

/** Puts back what the deployment dropped, and reports what had been dropped. Not for AWS itself. */
export const applyFixUps = async (cloud: Cloud, stacks: readonly AssembledStack[]): Promise<readonly FixUpReport[]> => {
  const reports: FixUpReport[] = [];
  for (const { region, template } of stacks) {
    const clients = clientsFor(cloud, region);
    for (const wanted of wantedFixUps(template)) {
      const resource = wanted.fixUp === "table-time-to-live" ? wanted.table : wanted.queue;
      reports.push({ fixUp: wanted.fixUp, resource, region, needed: await fixUp(clients, wanted) });
    }
  }
  return reports;
};
