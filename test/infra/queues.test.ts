import { describe, expect, it } from "vitest";
import * as z from "zod";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { leaseMs } from "../../shared/geo/limits.ts";
import { asText, changed, ofType, synthesize, type Found, type Template } from "./support/templates.ts";

const VISIBILITY_PER_TIMEOUT = 6;
const CONSUMER_TIMEOUT_MS = 5 * 60_000;
/** `scheduleSweepMinutes` at its most. */
const LONGEST_SWEEP_SECONDS = 60 * 60;
const FIFTEEN_MINUTES_SECONDS = 15 * 60;
const SIX_HOURS_SECONDS = 6 * 60 * 60;
const FOUR_DAYS_SECONDS = 4 * 24 * 60 * 60;
const FOURTEEN_DAYS_SECONDS = 14 * 24 * 60 * 60;

const stacks = synthesize(config);

const Scaled = z.object({ ScalingConfig: z.object({ MaximumConcurrency: z.number() }) });
const Environment = z.object({ Variables: z.record(z.string(), z.unknown()) });

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

/** The queue that a mapping reads: of its own stack, or of another one, whose ARN is then written out. */
const queueOf = (template: Template, arn: string): Found => {
  const own = ofType(template, "AWS::SQS::Queue").find(({ id }) => arnOf(id) === arn);
  const anywhere = stacks.flatMap((stack) => ofType(stack.template, "AWS::SQS::Queue"));
  const found = own ?? anywhere.find(({ Properties }) => Properties.QueueName === arn.split(":").at(-1));
  if (found === undefined) throw new Error(`there is no queue ${arn}`);
  return found;
};

/**
 * Queues whose messages come back before the function that reads them can be done with six batches, and with waiting for
 * one to be full.
 */
const tooShortlyHidden = (template: Template): readonly string[] =>
  ofType(template, "AWS::Lambda::EventSourceMapping").flatMap(({ Properties }) => {
    if (Properties.StartingPosition !== undefined) return []; // a stream
    const queue = queueOf(template, asText(Properties.EventSourceArn));
    const reader = ofType(template, "AWS::Lambda::Function").find(
      ({ id }) => `{${id}}` === asText(Properties.FunctionName),
    );
    const hidden = Number(queue.Properties.VisibilityTimeout);
    const timeout = Number(reader?.Properties.Timeout);
    const window = Number(Properties.MaximumBatchingWindowInSeconds ?? 0);
    return hidden >= VISIBILITY_PER_TIMEOUT * timeout + window
      ? []
      : [`${String(queue.Properties.QueueName)}: ${hidden} for ${timeout} and ${window}`];
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
    // 4 sites × (sweep, counters, counter audit, site status), 1 × (checksum, verification backfill), 3 × (ingest, geo-events, backfill, verification, drift,
    // consistency, large copies)
    expect(found).toBe(4 * 4 + 2 + 3 * 7);
  });

  it("hides a message for at least six times its reader's timeout", () => {
    expect(everywhere(tooShortlyHidden)).toEqual([]);
    const found = afterChange(tooShortlyHidden, (copy) => {
      for (const { Properties } of Object.values(copy.Resources)) {
        if (Properties.Timeout !== undefined) Properties.Timeout = Number(Properties.Timeout) + 1;
      }
    });
    expect(found).toBe(1 + 3 * 5);
  });

  it("is encrypted and keeps messages as long as SQS can", () => {
    const queues = stacks.flatMap(({ template }) => ofType(template, "AWS::SQS::Queue"));
    expect(queues).toHaveLength(2 * (1 + 3 * 5) + 4 * 4 + 1 + 2 * 3);
    for (const { Properties } of queues) {
      expect(Properties).toMatchObject({ SqsManagedSseEnabled: true, MessageRetentionPeriod: FOURTEEN_DAYS_SECONDS });
      expect(Properties).not.toHaveProperty("MaximumMessageSize"); // a smaller one loses S3's larger events silently
    }
  });

  it("that waits for another region waits four days before it gives up, one that waits for rows hours; others put aside after thirty receives", () => {
    const queues = stacks.flatMap(({ template }) => ofType(template, "AWS::SQS::Queue"));
    const receives = queues.flatMap(({ Properties }) => {
      const policy = z.object({ maxReceiveCount: z.number() }).safeParse(Properties.RedrivePolicy);
      const name = String(Properties.QueueName);
      return policy.success
        ? [{ name, count: policy.data.maxReceiveCount, seconds: Number(Properties.VisibilityTimeout) }]
        : [];
    });
    const ingest = receives.filter(({ name }) => name.endsWith("-ingest"));
    const drift = receives.filter(({ name }) => name.endsWith("-replica-drift"));
    const others = receives.filter((one) => !ingest.includes(one) && !drift.includes(one));
    expect(ingest).toHaveLength(3);
    expect(Math.min(...ingest.map(({ count, seconds }) => count * seconds))).toBeGreaterThan(FOUR_DAYS_SECONDS);
    expect(drift).toHaveLength(3);
    // The longest lease, the longest wait for the sweep that takes the row from a dead holder, and another lease.
    const heldSeconds = 2 * (leaseMs(CONSUMER_TIMEOUT_MS) / 1_000) + LONGEST_SWEEP_SECONDS;
    expect(heldSeconds).toBeGreaterThan(15 * 60);
    expect(Math.min(...drift.map(({ count, seconds }) => count * seconds))).toBeGreaterThan(4 * heldSeconds);
    expect([...new Set(others.map(({ count }) => count))]).toEqual([30]);
    // Put aside, and not forgotten by SQS before.
    expect(Math.max(...others.map(({ count, seconds }) => count * seconds))).toBeLessThan(FOURTEEN_DAYS_SECONDS / 2);
  });

  it("calls a person when its oldest message has failed twice, and not for a burst (F63)", () => {
    const queues = stacks.flatMap(({ template }) =>
      ofType(template, "AWS::SQS::Queue")
        .filter(({ Properties }) => Properties.RedrivePolicy !== undefined)
        .map(({ id, Properties }) => {
          const alarm = ofType(template, "AWS::CloudWatch::Alarm").find(
            ({ Properties: { MetricName, Dimensions } }) =>
              MetricName === "ApproximateAgeOfOldestMessage" &&
              asText((Dimensions as { Value: unknown }[])[0]?.Value) === `{${id}.QueueName}`,
          );
          const visibility = Number(Properties.VisibilityTimeout);
          return { name: String(Properties.QueueName), after: Number(alarm?.Properties.Threshold), visibility };
        }),
    );
    expect(queues).toHaveLength(1 + 3 * 5);
    for (const { name, after, visibility } of queues) {
      expect(after, `the age that ${name} calls at`).toBeGreaterThanOrEqual(
        Math.max(FIFTEEN_MINUTES_SECONDS, 2 * visibility),
      );
      expect(after, `the age that ${name} calls at`).toBeLessThanOrEqual(SIX_HOURS_SECONDS);
    }
  });

  it("that reports drift gives rows a minute to be settled, and is read in large batches by few functions", () => {
    const queues = stacks.flatMap(({ template }) => ofType(template, "AWS::SQS::Queue"));
    const delays = queues.map(({ Properties }) => [Properties.QueueName, Properties.DelaySeconds] as const);
    expect(delays.filter(([, seconds]) => seconds !== undefined)).toEqual([
      ["s3-geo-ireland-replica-drift", 60],
      ["s3-geo-sydney-replica-drift", 60],
      ["s3-geo-tokyo-replica-drift", 60],
    ]);
    const mappings = stacks.flatMap(({ template }) =>
      ofType(template, "AWS::Lambda::EventSourceMapping").filter(({ Properties }) =>
        asText(Properties.EventSourceArn).endsWith("-replica-drift"),
      ),
    );
    expect(mappings).toHaveLength(3);
    for (const { Properties } of mappings) {
      expect(Properties).toMatchObject({
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 20,
        ScalingConfig: { MaximumConcurrency: 10 },
      });
    }
  });
});

/** Each function of a folder: how many of it its queues may have at once, and how many it is told that there may be. */
const workersOf = (folder: string) =>
  stacks.flatMap(({ template }) =>
    ofType(template, "AWS::Lambda::Function")
      .filter(({ Properties }) => String(Properties.FunctionName).endsWith(`-${folder}`))
      .map(({ id, Properties }) => ({
        queues: ofType(template, "AWS::Lambda::EventSourceMapping")
          .filter((mapping) => asText(mapping.Properties.FunctionName) === `{${id}}`)
          .map((mapping) => Scaled.parse(mapping.Properties).ScalingConfig.MaximumConcurrency),
        told: Environment.parse(Properties.Environment).Variables["WORKERS_MAX"],
      })),
  );

describe("a function whose keys a capacity of its site bounds", () => {
  it("knows how many of it may run at once, over all its queues", () => {
    expect(workersOf("event-consumer")).toEqual(Array.from({ length: 3 }, () => ({ queues: [50, 10], told: "60" })));
    expect(workersOf("verification")).toEqual(Array.from({ length: 3 }, () => ({ queues: [60], told: "60" })));
    expect(workersOf("checksum")).toEqual([{ queues: [60], told: "60" }]);
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
    expect(ofQueues).toHaveLength(1 + 3 * 5);
    for (const { Properties } of ofQueues) {
      expect(Properties).toMatchObject({ FunctionResponseTypes: ["ReportBatchItemFailures"] });
      expect([10, 100]).toContain(Properties.BatchSize);
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
