import { describe, expect, it } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { SWEEP_ROWS_MAX } from "../../shared/geo/limits.ts";
import { duePartition, rowKey } from "../../shared/geo/registry-row.ts";
import { DRAIN_ROUNDS_MAX, STORM_ROWS } from "../../shared/geo/sweep-steps.ts";
import { sweepStep } from "../../shared/services/sweep-step.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";
import {
  failEachState,
  machineNamed,
  runWorkflow,
  type WorkflowRun,
  type WorkflowStory,
} from "../support/workflow-runs.ts";
import type { OutgoingMessage, SendOutcome } from "../../shared/ports/message-queue.ts";
import type { QueryPage, QueryRequest } from "../../shared/ports/table.ts";
import { ofType, synthesize } from "./support/templates.ts";

const stacks = synthesize(config);
const { definition } = machineNamed(stacks, "s3-geo-ireland-retry-sweep");
const alarms = stacks.flatMap(({ template }) => ofType(template, "AWS::CloudWatch::Alarm"));

const CHAIN = "cool_widget-20261121T1602";
const INPUT = { replicable_name: "cool_widget", chain: CHAIN, part: 1 };

/** A world in which so many rows of a type are due. */
const due = async (rows: number): Promise<TwoSites> => {
  const world = twoSites();
  const since = world.clock.now() - 60 * 60_000;
  for (let index = 0; index < rows; index += 1) {
    const ref = world.refOf(`cool_widgets/${String(index)}/file`);
    await world.registry.update({
      key: rowKey(ref),
      update: "SET #state = :failed, due_pk = :partition, due_at = :due",
      names: { "#state": "state" },
      values: { ":failed": 3, ":partition": duePartition(ref), ":due": since + index },
    });
  }
  return world;
};

/** Every task of the machine calls the one function. */
const tasksOf = (step: (event: unknown) => unknown) =>
  Object.fromEntries(["CountDue", "Drain", "DrainPartition", "LeaveTheRest"].map((name) => [name, step]));

const run = (world: TwoSites, input: unknown = INPUT): Promise<WorkflowRun> =>
  runWorkflow(definition, input, { tasks: tasksOf((event) => sweepStep(world.sweeps.secondary, event)) });

const sentKeys = (world: TwoSites): ReadonlySet<string> =>
  new Set(
    world.queues.events.live.bodies.flatMap((body) => (JSON.parse(body) as { readonly keys: readonly string[] }).keys),
  );

describe("the sweep's workflow, as it is deployed (F13)", () => {
  it("ends at once when nothing is due", async () => {
    const { end, visited, transitions } = await run(await due(0));
    expect(end).toMatchObject({ outcome: "succeeded" });
    expect(visited).toEqual(["CountDue", "HowMuch", "Done"]);
    expect(transitions).toBe(4);
  });

  it("drains a few in one round", async () => {
    const world = await due(1_000);
    const { visited, transitions } = await run(world);
    expect(visited).toEqual(["CountDue", "HowMuch", "Drain", "IsThereMore", "Done"]);
    expect(sentKeys(world).size).toBe(1_000);
    // Were each of these objects an execution of its own, it would take some 17 for five attempts.
    expect(transitions / 1_000).toBeLessThan(0.06);
  });

  it("goes on, round after round, until nothing more is due, and changes no row", async () => {
    const world = await due(2 * SWEEP_ROWS_MAX + 100);
    const rows = JSON.stringify(world.registry.items());
    const { end, visited } = await run(world);
    expect(end).toMatchObject({ outcome: "succeeded" });
    expect(visited.filter((state) => state === "Drain").length).toBeGreaterThanOrEqual(3);
    expect(visited.at(-1)).toBe("Done");
    expect(sentKeys(world).size).toBe(2 * SWEEP_ROWS_MAX + 100);
    expect(JSON.stringify(world.registry.items())).toBe(rows);
  });

  it("drains a storm's partitions side by side, and leaves nothing", async () => {
    const world = await due(STORM_ROWS + 4_000);
    const { end, visited, transitions } = await run(world);
    expect(end).toMatchObject({ outcome: "succeeded" });
    expect(visited).toContain("DrainPartitions");
    expect(sentKeys(world).size).toBe(STORM_ROWS + 4_000);
    expect(world.sweeps.secondary.workflow.executions).toEqual([]);
    expect(transitions / STORM_ROWS).toBeLessThan(0.06);
  });

  it("is the same whoever hands it the same input again: what is due is sent twice, and nothing else happens", async () => {
    const world = await due(100);
    const rows = JSON.stringify(world.registry.items());
    await run(world);
    await run(world);
    expect(sentKeys(world).size).toBe(100);
    expect(JSON.stringify(world.registry.items())).toBe(rows);
  });
});

/** A function that always says that there is more, without a table behind it. */
const endless =
  (amount: "some" | "storm") =>
  (event: unknown): unknown => {
    const { action, round = 0 } = event as { readonly action: string; readonly round?: number };
    const step = {
      action: "drain",
      replicable_name: "cool_widget",
      until: 5,
      cursor: { "cool_widget#1": 1 },
      more: true,
      swept: 0,
    };
    if (action === "drain") return { ...step, round: round + 1 };
    if (action === "count") {
      const partitions =
        amount === "storm"
          ? [
              { ...step, round: 0 },
              { ...step, round: 0 },
            ]
          : [];
      return {
        amount,
        chain: CHAIN,
        part: 1,
        replicable_name: "cool_widget",
        until: 5,
        drain: { ...step, round: 0 },
        partitions,
      };
    }
    return { successor: `${CHAIN}-2` };
  };

describe("an execution that does not come to the end", () => {
  it.each(["some", "storm"] as const)(
    "leaves the rest to a successor after a bounded number of rounds, when there is %s",
    async (amount) => {
      const { end, visited } = await runWorkflow(definition, INPUT, { tasks: tasksOf(endless(amount)) });
      expect(end.outcome).toBe("succeeded");
      const rounds = visited.filter((state) => state === "Drain" || state === "DrainPartition").length;
      expect(rounds).toBe(DRAIN_ROUNDS_MAX * (amount === "storm" ? 2 : 1));
      expect(visited.slice(-2)).toEqual(["LeaveTheRest", "Done"]);
    },
  );

  it("starts one successor, however often its last state is made, and that one goes on where it came to", async () => {
    const world = await due(10);
    const cursor = { "cool_widget#1": 17 };
    const step = {
      action: "drain",
      replicable_name: "cool_widget",
      until: 50,
      cursor,
      round: 25,
      more: true,
      swept: 9,
    };
    const left = {
      amount: "some",
      ...INPUT,
      until: 50,
      drain: step,
      partitions: [{ ...step, cursor: { "cool_widget#2": 3 } }],
    };
    const asked = { action: "leave_the_rest", left };
    expect(await sweepStep(world.sweeps.secondary, asked)).toEqual({ successor: `${CHAIN}-2` });
    expect(await sweepStep(world.sweeps.secondary, asked)).toEqual({ successor: `${CHAIN}-2` });
    expect(world.sweeps.secondary.workflow.executions.map(({ name, input }) => ({ name, input }))).toEqual([
      {
        name: `${CHAIN}-2`,
        input: { ...INPUT, part: 2, until: 50, cursor: { "cool_widget#1": 17, "cool_widget#2": 3 } },
      },
    ]);
  });
});

/** A table in which so many rows of each partition of a type have been due, one a millisecond, and a queue that counts. */
const manyDue = (world: TwoSites, rowsInPartition: number) => {
  let sent = 0;
  const query = ({ index, values, limit }: QueryRequest): Promise<QueryPage> => {
    if (index === undefined)
      return world.siteTable.query({ condition: "pk = :pk", values: { ":pk": "retry_sweep" }, limit });
    const from = Number(values[":from"]);
    const items = Array.from({ length: Math.max(0, Math.min(limit, rowsInPartition - from)) }, (_, row) => ({
      sk: `cool_widgets/${String(from + row)}/file`,
      due_at: from + row,
    }));
    const last = items.at(-1);
    return Promise.resolve(last !== undefined && last.due_at < rowsInPartition - 1 ? { items, next: last } : { items });
  };
  const { queue: live } = world.sweeps.secondary;
  const send = (messages: readonly OutgoingMessage[]): Promise<SendOutcome> => {
    sent += messages.reduce((sum, { body }) => sum + (JSON.parse(body) as { keys: readonly unknown[] }).keys.length, 0);
    return Promise.resolve({ outcome: "sent" });
  };
  const sweeping = { ...world.sweeps.secondary, table: { query }, queue: { ...live, send } };
  return { sweeping, sent: () => sent };
};

describe("a million objects that fail at once (F13)", () => {
  it("cost some hundred transitions each time that they are due, where an execution of its own would cost each of them three", async () => {
    const world = twoSites();
    const { sweeping, sent } = manyDue(world, 62_500);
    const step = (event: unknown): unknown => sweepStep(sweeping, event);
    const { end, transitions, retries } = await runWorkflow(definition, INPUT, { tasks: tasksOf(step) });
    expect(end).toMatchObject({ outcome: "succeeded", output: { rest: {} } });
    expect(sent()).toBeGreaterThanOrEqual(1_000_000);
    const dollars = (transitions * 25) / 1_000_000;
    console.log(JSON.stringify({ due: 1_000_000, sent: sent(), transitions, retries, dollars }));
    expect(transitions / 1_000_000).toBeLessThan(0.001);
  }, 60_000);
});

describe("an input that can not be used", () => {
  it.each([
    ["text"],
    [{}],
    [{ ...INPUT, replicable_name: "no_such_type" }],
    [{ ...INPUT, part: "first" }],
    [{ ...INPUT, cursor: { "upload#1": 0 } }],
    [{ ...INPUT, cursor: "everything" }],
  ])("fails at once, without another try, and says what was expected: %j", async (input) => {
    const world = await due(10);
    const { end, visited, retries } = await run(world, input);
    expect(end).toMatchObject({ outcome: "failed", error: "InputRefused" });
    expect(visited).toEqual(["CountDue", "HowMuch", "Refused"]);
    expect(retries).toBe(0);
    const [line] = world.telemetry.linesOf(
      "an execution of the retry sweep was started with an input that can not be used",
    );
    expect(String(line?.fields["reason"])).toMatch(/expected|Invalid/);
    expect(world.queues.events.live.size).toBe(0);
  });
});

interface Told {
  readonly events: unknown[];
}

const story = (name: string, step: (event: unknown) => unknown): WorkflowStory<Told> => ({
  name,
  begin: () => {
    const world: Told = { events: [] };
    const told = (event: unknown): unknown => {
      world.events.push(event);
      return step(event);
    };
    return { input: INPUT, tasks: tasksOf(told), world };
  },
});

describe("a state that fails", () => {
  it("fails the execution, whichever it is, after tries that come later each time; nobody is told that all went well", async () => {
    const broken = await failEachState(definition, [
      story("drains round by round", endless("some")),
      story("drains a storm", endless("storm")),
      story("is over at once", () => ({ amount: "nothing" })),
      story("is refused", () => ({ amount: "refused" })),
      story("can not reach its function", () => {
        throw new Error("not now");
      }),
    ]);
    const ends = Object.fromEntries(
      broken.map(({ state, run: { end, retries } }) => [
        state,
        [end.outcome, end.outcome === "failed" ? end.error : "", retries],
      ]),
    );
    expect(ends).toEqual({
      CountDue: ["failed", "SweepFailed", 4],
      HowMuch: ["failed", "InjectedFailure", 0],
      Drain: ["failed", "SweepFailed", 4],
      IsThereMore: ["failed", "InjectedFailure", 0],
      DrainPartitions: ["failed", "InjectedFailure", 0],
      DrainPartition: ["failed", "SweepFailed", expect.any(Number)],
      IsMoreInPartition: ["failed", "SweepFailed", 0],
      PartitionDone: ["failed", "SweepFailed", 0],
      LeaveTheRest: ["failed", "SweepFailed", 4],
      Done: ["failed", "InjectedFailure", 0],
      Refused: ["failed", "InjectedFailure", 0],
      Failed: ["failed", "InjectedFailure", 4],
    });
  });

  it("and works again, at its fourth try, does no harm", async () => {
    for (const state of ["CountDue", "Drain", "DrainPartition", "LeaveTheRest"]) {
      const amount = state === "DrainPartition" ? "storm" : "some";
      const { end } = await runWorkflow(definition, INPUT, {
        tasks: tasksOf(endless(amount)),
        failing: { state, times: 4 },
      });
      expect(end).toMatchObject({ outcome: "succeeded" });
    }
  });
});

describe("what a person is called for", () => {
  it("is an execution that fails, starts that fail, and at a secondary retries that are held back", () => {
    const names = alarms
      .map(({ Properties }) => String(Properties.AlarmName))
      .filter((name) => name.includes("-retry-sweep-"));
    const of = (site: string) => names.filter((name) => name.startsWith(`s3-geo-${site}-`)).sort();
    expect(of("ireland")).toEqual([
      "s3-geo-ireland-retry-sweep-dead-letters-not-empty",
      "s3-geo-ireland-retry-sweep-failing",
      "s3-geo-ireland-retry-sweep-held-back",
      "s3-geo-ireland-retry-sweep-not-sweeping",
      "s3-geo-ireland-retry-sweep-timed-out",
    ]);
    expect(of("virginia")).toEqual(
      of("ireland")
        .map((name) => name.replace("ireland", "virginia"))
        .filter((name) => !name.endsWith("held-back")),
    );
  });
});

describe("the sweep's schedule", () => {
  it("starts the function each minute, says for which minute, and puts aside starts it can not deliver", () => {
    const schedules = stacks
      .flatMap(({ template }) => ofType(template, "AWS::Scheduler::Schedule"))
      .filter(({ Properties }) => String(Properties.Name).endsWith("-retry-sweep"));
    expect(schedules).toHaveLength(4);
    for (const { Properties } of schedules) {
      expect(Properties).toMatchObject({
        ScheduleExpression: "rate(1 minute)",
        FlexibleTimeWindow: { Mode: "OFF" },
        Target: { Input: JSON.stringify({ action: "tick", scheduled_at: "<aws.scheduler.scheduled-time>" }) },
      });
      expect(Properties.Target).toHaveProperty("DeadLetterConfig.Arn");
    }
  });
});
