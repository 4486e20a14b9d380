import { Grant, type IGrantable } from "aws-cdk-lib/aws-iam";

import { queueArn, type Place } from "./arns.ts";

/** Rights on a queue, by intent. Made from the queue's name, so that it can be given across stacks and regions. */
export class QueueAccess {
  readonly queueName: string;
  readonly #arn: string;

  constructor(place: Place, queueName: string) {
    this.queueName = queueName;
    this.#arn = queueArn(place, queueName);
  }

  /** Ask how much waits in it. */
  grantMeasure(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ["sqs:GetQueueAttributes", "sqs:GetQueueUrl"],
      resourceArns: [this.#arn],
    });
  }

  /** Look at what lies in it, and take it away: dead letters that are sent back. */
  grantEmpty(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ReceiveMessage"],
      resourceArns: [this.#arn],
    });
  }

  /** Send messages, and find the queue's address by its name. */
  grantSend(grantee: IGrantable): Grant {
    return Grant.addToPrincipal({
      grantee,
      actions: ["sqs:SendMessage", "sqs:GetQueueUrl"],
      resourceArns: [this.#arn],
    });
  }
}
