import { describe, expect, it } from "vitest";
import * as z from "zod";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { asText, changed, ofType, synthesize, type Template } from "./support/templates.ts";

const VISIBILITY_PER_TIMEOUT = 6;
const FOUR_DAYS_SECONDS = 4 * 24 * 60 * 60;
const FOURTEEN_DAYS_SECONDS = 14 * 24 * 60 * 60;

const stacks = synthesize(config);

/** ARNs, as text, of the queues that others put aside what they could not handle into. */
const deadLetterTargets = (template: Template): ReadonlySet<string> => {
  const targets = [
    ...ofType(template, "AWS::SQS::Queue").map(({ Properties }) => Properties.RedrivePolicy),
    ...ofType(template, "AWS::SNS::Subscription").map(({ Properties }) => Properties.RedrivePolicy),
  ].flatMap((policy) =>
    policy === undefined ? [] : [(policy as { deadLetterTargetArn: unknown }).deadLetterTargetArn],
  );
  const onFailure = ofType(template, "AWS::Lambda::EventSourceMapping").map(
    ({ Properties }) =>
      (Properties.DestinationConfig as { OnFailure?: { Destination: unknown } } | undefined)?.OnFailure?.Destination,
  );
  const schedules = ofType(template, "AWS::Scheduler::Schedule").map(
    ({ Properties }) => (Properties.Target as { DeadLetterConfig?: { Arn: unknown } }).DeadLetterConfig?.Arn,
  );
  return new Set([...targets, ...onFailure, ...schedules].filter((arn) => arn !== undefined).map(asText));
};

const arnOf = (id: string): string => `{${id}.Arn}`;

/** Queues that neither have dead letters nor are dead letters. */
const withoutDeadLetters = (template: Template): readonly string[] => {
  const targets = deadLetterTargets(template);
  return ofType(template, "AWS::SQS::Queue")
    .filter(({ id, Properties }) => Properties.RedrivePolicy === undefined && !targets.has(arnOf(id)))
    .map(({ Properties }) => String(Properties.QueueName));
};

/** Dead-letter queues that no alarm watches, or whose alarm does not say where to read on. */
const withoutAlarm = (template: Template): readonly string[] => {
  const watched = ofType(template, "AWS::CloudWatch::Alarm")
    .filter(
      ({ Properties }) =>
        Properties.MetricName === "ApproximateNumberOfMessagesVisible" &&
        Properties.Threshold === 1 &&
        /docs\/runbook\.md#[a-z-]+$/.test(String(Properties.AlarmDescription)),
    )
    .map(({ Properties }) => asText((Properties.Dimensions as { Value: unknown }[])[0]?.Value));
  const targets = deadLetterTargets(template);
  return ofType(template, "AWS::SQS::Queue")
    .filter(({ id }) => targets.has(arnOf(id)) && !watched.includes(`{${id}.QueueName}`))
    .map(({ Properties }) => String(Properties.QueueName));
};

/** Queues whose messages come back before the function that reads them can be done with six batches. */
const tooShortlyHidden = (template: Template): readonly string[] =>
  ofType(template, "AWS::Lambda::EventSourceMapping").flatMap(({ Properties }) => {
    const queue = ofType(template, "AWS::SQS::Queue").find(({ id }) => arnOf(id) === asText(Properties.EventSourceArn));
    const reader = ofType(template, "AWS::Lambda::Function").find(
      ({ id }) => `{${id}}` === asText(Properties.FunctionName),
    );
    if (queue === undefined) return []; // a stream
    const hidden = Number(queue.Properties.VisibilityTimeout);
    const timeout = Number(reader?.Properties.Timeout);
    return hidden >= VISIBILITY_PER_TIMEOUT * timeout
      ? []
      : [`${String(queue.Properties.QueueName)}: ${hidden} for ${timeout}`];
  });

const filters = (template: Template): readonly string[] =>
  [...ofType(template, "AWS::Lambda::EventSourceMapping"), ...ofType(template, "AWS::SNS::Subscription")]
    .filter(({ Properties }) => "FilterCriteria" in Properties || "FilterPolicy" in Properties)
    .map(({ id }) => id);

const everywhere = (rule: (template: Template) => readonly string[]): readonly string[] =>
  stacks.flatMap(({ template }) => rule(template));

/** What a rule finds when every stack is changed in the same way. */
const afterChange = (rule: (template: Template) => readonly string[], change: (copy: Template) => void): number =>
  stacks.flatMap(({ template }) => rule(changed(template, change))).length;

describe("every queue", () => {
  it("has dead letters, or holds them", () => {
    expect(everywhere(withoutDeadLetters)).toEqual([]);
    const found = afterChange(withoutDeadLetters, (copy) => {
      for (const { id } of ofType(copy, "AWS::SQS::Queue")) delete copy.Resources[id]?.Properties.RedrivePolicy;
    });
    expect(found).toBeGreaterThan(0);
  });

  it("of dead letters calls a person, and says where to read on", () => {
    expect(everywhere(withoutAlarm)).toEqual([]);
    const found = afterChange(withoutAlarm, (copy) => {
      for (const { id } of ofType(copy, "AWS::CloudWatch::Alarm")) delete copy.Resources[id];
    });
    // 4 sites × (sweep, counters), 1 checksum, 3 × (ingest, geo-events, verification)
    expect(found).toBe(4 * 2 + 1 + 3 * 3);
  });

  it("hides a message for at least six times its reader's timeout", () => {
    expect(everywhere(tooShortlyHidden)).toEqual([]);
    const found = afterChange(tooShortlyHidden, (copy) => {
      for (const { Properties } of Object.values(copy.Resources)) {
        if (Properties.Timeout !== undefined) Properties.Timeout = Number(Properties.Timeout) + 1;
      }
    });
    expect(found).toBe(1 + 3 * 3);
  });

  it("is encrypted and keeps messages as long as SQS can", () => {
    const queues = stacks.flatMap(({ template }) => ofType(template, "AWS::SQS::Queue"));
    expect(queues).toHaveLength(2 * (1 + 3 * 3) + 4 * 2);
    for (const { Properties } of queues) {
      expect(Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: FOURTEEN_DAYS_SECONDS });
      expect(Properties).not.toHaveProperty("MaximumMessageSize"); // a smaller one loses S3's larger events silently
    }
  });

  it("that waits for another region waits four days before it gives up; others put aside after ten receives", () => {
    const queues = stacks.flatMap(({ template }) => ofType(template, "AWS::SQS::Queue"));
    const receives = queues.flatMap(({ Properties }) => {
      const policy = z.object({ maxReceiveCount: z.number() }).safeParse(Properties.RedrivePolicy);
      const name = String(Properties.QueueName);
      return policy.success
        ? [{ name, count: policy.data.maxReceiveCount, seconds: Number(Properties.VisibilityTimeout) }]
        : [];
    });
    const [ingest, others] = [true, false].map((wanted) =>
      receives.filter(({ name }) => name.endsWith("-ingest") === wanted),
    );
    expect(ingest).toHaveLength(3);
    expect(Math.min(...(ingest ?? []).map(({ count, seconds }) => count * seconds))).toBeGreaterThan(FOUR_DAYS_SECONDS);
    expect([...new Set((others ?? []).map(({ count }) => count))]).toEqual([10]);
  });
});

describe("between a queue and its function", () => {
  it("nothing filters: what does not match a filter is deleted", () => {
    expect(everywhere(filters)).toEqual([]);
    const found = afterChange(filters, (copy) => {
      for (const { id } of ofType(copy, "AWS::SNS::Subscription")) {
        const resource = copy.Resources[id];
        if (resource !== undefined) resource.Properties.FilterPolicy = { kind: ["created"] };
      }
    });
    expect(found).toBe(1 + 3 * 2);
  });

  it("one bad message does not bring back its neighbours", () => {
    const mappings = stacks.flatMap(({ template }) => ofType(template, "AWS::Lambda::EventSourceMapping"));
    const ofQueues = mappings.filter(({ Properties }) => Properties.StartingPosition === undefined);
    expect(ofQueues).toHaveLength(1 + 3 * 3);
    for (const { Properties } of ofQueues) {
      expect(Properties).toMatchObject({ BatchSize: 10, FunctionResponseTypes: ["ReportBatchItemFailures"] });
    }
  });
});

describe("a subscription", () => {
  it("delivers what was published as it is, and puts aside what it can not deliver", () => {
    const subscriptions = stacks.flatMap(({ name, template }) =>
      ofType(template, "AWS::SNS::Subscription").map((subscription) => ({ name, ...subscription })),
    );
    expect(
      subscriptions.map(({ name, Properties }) => `${name} ← ${asText(Properties.TopicArn).split(":").at(-1)}`).sort(),
    ).toEqual([
      "s3-geo-ireland-feed ← s3-geo-virginia-bucket-events",
      "s3-geo-ireland-feed ← s3-geo-virginia-geo-events",
      "s3-geo-sydney-feed ← s3-geo-virginia-bucket-events",
      "s3-geo-sydney-feed ← s3-geo-virginia-geo-events",
      "s3-geo-tokyo-feed ← s3-geo-virginia-bucket-events",
      "s3-geo-tokyo-feed ← s3-geo-virginia-geo-events",
      "s3-geo-virginia ← s3-geo-virginia-bucket-events",
    ]);
    for (const { Properties } of subscriptions) {
      expect(Properties).toMatchObject({ Protocol: "sqs", RawMessageDelivery: true });
      expect(Properties.RedrivePolicy).toHaveProperty("deadLetterTargetArn");
    }
  });
});

describe("a table's stream", () => {
  it("is counted in order from its beginning, and tells its shard", () => {
    const mappings = stacks
      .flatMap(({ template }) => ofType(template, "AWS::Lambda::EventSourceMapping"))
      .filter(({ Properties }) => Properties.StartingPosition !== undefined);
    expect(mappings).toHaveLength(4);
    for (const { Properties } of mappings) {
      expect(Properties).toMatchObject({
        StartingPosition: "TRIM_HORIZON",
        ParallelizationFactor: 1,
        TumblingWindowInSeconds: 30,
        BisectBatchOnFunctionError: true,
      });
      expect(Properties, "a change that is given up is missing from the counts").not.toHaveProperty(
        "MaximumRetryAttempts",
      );
      expect(asText(Properties.EventSourceArn)).toMatch(/^\{import .*StreamArn/);
    }
  });
});
