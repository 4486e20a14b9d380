import type { APIGatewayProxyEvent } from "aws-lambda";
import { SeededChance } from "../../shared/memory/chance.ts";
import { ManualClock } from "../../shared/memory/clock.ts";
import { MemoryQueue } from "../../shared/memory/queue.ts";
import { MemoryTelemetry } from "../../shared/memory/telemetry.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import { flushing } from "../../shared/lambda/flushing.ts";
import { httpHandler } from "../../shared/lambda/http-handler.ts";
import { AwsMetric, type Drill, type DrilledAlarm, eachMinute, type MakeDrill, quietAgain } from "./drill.ts";

/**
 * Drills of alarms on AWS's own metrics: the datapoints are what the service would publish of a queue, a function, a machine
 * or an API of the memory world to which the thing really happens.
 */

const queueWorld = ({ dimensions }: DrilledAlarm) => {
  const clock = new ManualClock();
  const chance = new SeededChance(1);
  const deadLetters = new MemoryQueue({ name: "dead-letters", clock, chance });
  const live = new MemoryQueue({
    name: "live",
    clock,
    chance,
    deadLetters: { queue: deadLetters, maxReceiveCount: 3 },
  });
  const seen = new Map<string, number>();
  /** As SQS measures a queue once a minute: the age of what has been there for longest. */
  const oldest = (): number => {
    const bodies = new Set(live.bodies);
    for (const body of bodies) if (!seen.has(body)) seen.set(body, clock.now());
    return Math.max(0, ...[...bodies].map((body) => clock.now() - (seen.get(body) ?? 0))) / 1_000;
  };
  const metric = (name: string) => new AwsMetric(clock, { namespace: "AWS/SQS", metric: name, dimensions });
  return { clock, deadLetters, live, oldest, metric };
};

/** A message that nobody can work on is received until it is put aside; then somebody deletes the letter. */
export const deadLetterDrill: MakeDrill = (alarm) => {
  const { clock, live, deadLetters, metric } = queueWorld(alarm);
  const visible = metric("ApproximateNumberOfMessagesVisible");
  const measure = (): void => visible.put(deadLetters.visible);
  return {
    clock,
    points: () => visible.points,
    before: () => eachMinute(clock, 2, measure),
    fire: async () => {
      await live.send([{ body: "what breaks its worker" }]);
      await eachMinute(clock, 5, async () => {
        await live.receive(); // and the worker dies, each time
        measure();
      });
    },
    heal: async () => {
      const letters = await deadLetters.receive();
      await deadLetters.acknowledge(letters.map(({ id }) => id));
      await eachMinute(clock, 2, measure);
    },
  };
};

/** A message that nobody takes up gets old; then a worker comes back. */
export const waitingDrill: MakeDrill = (alarm) => {
  const { clock, live, oldest, metric } = queueWorld(alarm);
  const age = metric("ApproximateAgeOfOldestMessage");
  const minutesToWait = Math.ceil(alarm.threshold / 60);
  const work = async (): Promise<void> => {
    const messages = await live.receive();
    await live.acknowledge(messages.map(({ id }) => id));
    age.put(oldest());
  };
  return {
    clock,
    points: () => age.points,
    // A message now and then, taken up at once: that is no reason to call anybody.
    before: () =>
      eachMinute(clock, 10, async () => {
        await live.send([{ body: `at ${clock.now()}` }]);
        await work();
      }),
    fire: async () => {
      await live.send([{ body: "what nobody reads" }]);
      await eachMinute(clock, minutesToWait + 10, () => age.put(oldest()));
    },
    heal: () => eachMinute(clock, 10, work),
  };
};

/** As Lambda counts invocations that end in the middle. */
const invocations = (clock: ManualClock, dimensions: DrilledAlarm["dimensions"]) => {
  const errors = new AwsMetric(clock, { namespace: "AWS/Lambda", metric: "Errors", dimensions });
  const invoke = async (work: () => Promise<void>): Promise<void> => {
    const handler = flushing({ flush: () => {} }, work);
    await handler(undefined).then(
      () => errors.put(0),
      () => errors.put(1),
    );
  };
  return { errors, invoke };
};

const works = async (): Promise<void> => {};
const breaks = (): Promise<void> => Promise.reject(new Error("the environment is wrong"));

/** Invocations end in the middle for `minutes` minutes; one alone before that called nobody. */
const failingFor =
  (minutes: number): MakeDrill =>
  (alarm) => {
    const clock = new ManualClock();
    const { errors, invoke } = invocations(clock, alarm.dimensions);
    return {
      clock,
      points: () => errors.points,
      before: async () => {
        await invoke(breaks);
        await eachMinute(clock, 20, () => invoke(works));
      },
      fire: () => eachMinute(clock, minutes, () => invoke(breaks)),
      heal: () => eachMinute(clock, minutes + Math.ceil(alarm.period / 60), () => invoke(works)),
    };
  };

/** For three periods of five minutes and the rest of one. */
export const errorsDrill = failingFor(20);
/** Three within five minutes. */
export const scheduledErrorsDrill = failingFor(10);
/** Three within an hour. */
export const rareErrorsDrill = failingFor(120);

/** The account's concurrency is used up for a while: Lambda refuses starts. */
export const throttledDrill: MakeDrill = (alarm) => {
  const clock = new ManualClock();
  const throttles = new AwsMetric(clock, {
    namespace: "AWS/Lambda",
    metric: "Throttles",
    dimensions: alarm.dimensions,
  });
  let free = 1_000;
  const start = (): void => throttles.put(free > 0 ? 0 : 1);
  const during = async (concurrencyLeft: number, minutes: number): Promise<void> => {
    free = concurrencyLeft;
    await eachMinute(clock, minutes, start);
  };
  return {
    clock,
    points: () => throttles.points,
    before: async () => {
      await during(0, 1);
      await during(1_000, 20);
    },
    fire: () => during(0, 20),
    heal: () => during(1_000, 20),
  };
};

/** As Step Functions counts executions that did not end well. */
const workflowDrill =
  (status: "failed" | "timed_out", metric: string): MakeDrill =>
  (alarm) => {
    const clock = new ManualClock();
    const ends = new AwsMetric(clock, { namespace: "AWS/States", metric, dimensions: alarm.dimensions });
    const workflow = new MemoryWorkflow({ name: "a-machine", clock });
    const run = async (name: string, ending: Parameters<typeof workflow.end>[1]): Promise<void> => {
      await workflow.start(name, {});
      workflow.end(name, ending);
      for (const execution of workflow.executions) {
        if (execution.name === name) ends.put(execution.status === status ? 1 : 0);
      }
      clock.advance(6 * 60_000);
    };
    return {
      clock,
      points: () => ends.points,
      before: () => run("good", { status: "succeeded", output: {} }),
      fire: () => run("bad", { status, failure: "a step failed each time" }),
      heal: () => run("good-again", { status: "succeeded", output: {} }),
    };
  };

export const workflowFailedDrill = workflowDrill("failed", "ExecutionsFailed");
export const workflowTimedOutDrill = workflowDrill("timed_out", "ExecutionsTimedOut");

/** The API's function, in the skin that it is deployed in, has an app that breaks; API Gateway counts what it answers. */
export const serverErrorsDrill: MakeDrill = (alarm): Drill => {
  const clock = new ManualClock();
  const errors = new AwsMetric(clock, {
    namespace: "AWS/ApiGateway",
    metric: "5XXError",
    dimensions: alarm.dimensions,
  });
  let isBroken = false;
  const answer = httpHandler(
    { fetch: () => (isBroken ? Promise.reject(new Error("a bug")) : new Response("{}")) },
    { clock, telemetry: new MemoryTelemetry() },
  );
  const call = async (): Promise<void> => {
    // Of API Gateway's event only what the skin reads.
    const event = {
      path: "/metrics",
      httpMethod: "GET",
      headers: {},
      body: null,
      requestContext: { path: "/metrics" },
    };
    const { statusCode } = await answer(event as unknown as APIGatewayProxyEvent);
    errors.put(statusCode >= 500 ? 1 : 0);
  };
  const during = async (broken: boolean, minutes: number): Promise<void> => {
    isBroken = broken;
    await eachMinute(clock, minutes, call);
  };
  return {
    clock,
    points: () => errors.points,
    before: async () => {
      await during(true, 2);
      await during(false, 30);
    },
    fire: () => during(true, 30),
    heal: async () => {
      await during(false, 15);
      quietAgain(clock, alarm);
    },
  };
};
