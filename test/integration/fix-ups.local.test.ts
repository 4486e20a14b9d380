import { describe, expect, test } from "vitest";
import { cloud, fixUps, missing, names, primary, secondary } from "../support/cloud.ts";
import { attributesOf } from "./support/messages.ts";

describe("the size of messages that queues take", () => {
  test("still starts at less than a megabyte on this cloud, so the fix-up has to stay", (context) => {
    if (missing("queue-message-size-default") === undefined) context.skip(`${cloud.name} starts at a megabyte`);
    const reports = fixUps.filter(({ fixUp }) => fixUp === "queue-message-size");
    expect(reports.length).toBeGreaterThan(0);
    expect(reports.filter(({ needed }) => !needed)).toEqual([]);
  });

  test("is a megabyte", async (context) => {
    if (cloud.name === "ministack" && !cloud.version.endsWith("+s3-geo"))
      context.skip("it is not ours, and allows less");
    expect(await attributesOf(primary, names.feed.ingestQueue)).toMatchObject({ MaximumMessageSize: "1048576" });
  });
});

describe("the redrive policy of queues", () => {
  test("is still dropped by this cloud's CloudFormation, so the fix-up has to stay", (context) => {
    if (missing("queue-redrive-policy-from-cloudformation") === undefined) context.skip(`${cloud.name} keeps it`);
    const reports = fixUps.filter(({ fixUp }) => fixUp === "queue-redrive-policy");
    expect(reports.length).toBeGreaterThan(0);
    expect(reports.filter(({ needed }) => !needed)).toEqual([]);
  });

  test.each([
    { site: primary, queue: names.feed.ingestQueue, deadLetters: names.feed.ingestDeadLetterQueue },
    { site: primary, queue: names.primary.checksumQueue, deadLetters: names.primary.checksumDeadLetterQueue },
    { site: secondary, queue: names.secondary.eventsQueue, deadLetters: names.secondary.eventsDeadLetterQueue },
    {
      site: secondary,
      queue: names.secondary.verificationQueue,
      deadLetters: names.secondary.verificationDeadLetterQueue,
    },
  ])("sends what fails too often from $queue to $deadLetters", async ({ site, queue, deadLetters }) => {
    const { RedrivePolicy = "{}" } = await attributesOf(site, queue);
    const policy = JSON.parse(RedrivePolicy) as {
      readonly deadLetterTargetArn?: string;
      readonly maxReceiveCount?: number;
    };
    expect(policy.deadLetterTargetArn).toMatch(new RegExp(`:${deadLetters}$`));
    expect(Number(policy.maxReceiveCount)).toBeGreaterThan(1);
  });
});
