import { DescribeTimeToLiveCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { GetQueueAttributesCommand, GetQueueUrlCommand, SetQueueAttributesCommand } from "@aws-sdk/client-sqs";
import * as z from "zod/mini";
import type { AssembledStack, Template } from "./assembly.ts";
import { clientsFor, type Clients } from "./clients.ts";
import type { Cloud } from "./cloud.ts";

/**
 * MiniStack's CloudFormation accepts some properties and drops them. What the templates asked for is put back by the
 * services' own APIs. Nothing here is a list of our resources: the synthesized templates say what has to be.
 */
export const FIX_UPS = ["queue-redrive-policy", "table-time-to-live"] as const;
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

interface WantedTtl {
  readonly fixUp: "table-time-to-live";
  readonly table: string;
  readonly attribute: string;
}

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

/** What the fix-ups have to see to in one template. */
export const wantedFixUps = (template: Template): readonly (WantedRedrive | WantedTtl)[] =>
  Object.entries(template.Resources).flatMap(([logicalId, { Type, Properties }]): (WantedRedrive | WantedTtl)[] => {
    if (Type === "AWS::SQS::Queue" && Properties["RedrivePolicy"] !== undefined) {
      const policy = RedrivePolicy.safeParse(Properties["RedrivePolicy"]);
      if (!policy.success) {
        throw new UnreadableTemplateError(
          `${logicalId} has a redrive policy of an unknown form: ${JSON.stringify(Properties["RedrivePolicy"])}`,
        );
      }
      return [
        {
          fixUp: "queue-redrive-policy",
          queue: physicalName(template, logicalId, "QueueName"),
          deadLetterQueue: physicalName(template, policy.data.deadLetterTargetArn["Fn::GetAtt"][0], "QueueName"),
          maxReceiveCount: policy.data.maxReceiveCount,
        },
      ];
    }
    const isTable = Type === "AWS::DynamoDB::Table" || Type === "AWS::DynamoDB::GlobalTable";
    const ttl = isTable ? TimeToLive.safeParse(Properties["TimeToLiveSpecification"]) : undefined;
    if (ttl?.success !== true || !ttl.data.Enabled) return [];
    return [
      {
        fixUp: "table-time-to-live",
        table: physicalName(template, logicalId, "TableName"),
        attribute: ttl.data.AttributeName,
      },
    ];
  });

const queueAttribute = async (
  sqs: Clients["sqs"],
  queue: string,
  attribute: "RedrivePolicy" | "QueueArn",
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

/** Puts back what the deployment dropped, and reports what had been dropped. Not for AWS itself. */
export const applyFixUps = async (cloud: Cloud, stacks: readonly AssembledStack[]): Promise<readonly FixUpReport[]> => {
  const reports: FixUpReport[] = [];
  for (const { region, template } of stacks) {
    const clients = clientsFor(cloud, region);
    for (const wanted of wantedFixUps(template)) {
      const isQueue = wanted.fixUp === "queue-redrive-policy";
      const needed = isQueue ? await redrive(clients, wanted) : await timeToLive(clients, wanted);
      reports.push({ fixUp: wanted.fixUp, resource: isQueue ? wanted.queue : wanted.table, region, needed });
    }
  }
  return reports;
};
