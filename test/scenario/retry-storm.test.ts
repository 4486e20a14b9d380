import { describe, expect, test } from "vitest";
import { BREAKER_PERIOD_MAX_MS, BREAKER_PROBES } from "../../shared/geo/circuit-breaker.ts";
import { TableUnavailableError, WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import { SWEEP_ROWS_MAX } from "../../shared/geo/limits.ts";
import { METRICS } from "../../shared/geo/metrics.ts";
import { duePartition, rowKey } from "../../shared/geo/registry-row.ts";
import { minuteOf } from "../../shared/geo/sweep-steps.ts";
import { sweepStep } from "../../shared/services/sweep-step.ts";
import { DRAIN_BACKLOG_MESSAGES_MAX, type Ticked } from "../../shared/services/sweep-tick.ts";
import { readSweepNotes } from "../../shared/tables/site/retry-sweep-item.ts";
import { type TwoSites, twoSites } from "../support/two-sites.ts";

const MINUTE_MS = 60_000;

/** Rows of a type that have been due for an hour. */
const makeDue = async (world: TwoSites, rows: number, folder = "cool_widgets"): Promise<readonly string[]> => {
  const keys = Array.from({ length: rows }, (_, index) => `${folder}/${String(index)}/file`);
  const due = world.clock.now() - 60 * MINUTE_MS;
  for (const [index, key] of keys.entries()) {
    const ref = world.refOf(key);
    await world.registry.update({
      key: rowKey(ref),
      update: "SET #state = :failed, due_pk = :partition, due_at = :due",
      names: { "#state": "state" },
      values: { ":failed": 3, ":partition": duePartition(ref), ":due": due + index },
    });
  }
  return keys;
};

const tick = (world: TwoSites): Promise<Ticked> =>
  sweepStep(world.sweeps.secondary, { action: "tick" }) as Promise<Ticked>; // what a tick answers

const sentKeys = (world: TwoSites): readonly string[] =>
  world.queues.events.live.bodies.flatMap((body) => (JSON.parse(body) as { readonly keys: readonly string[] }).keys);

describe("the sweep of a minute (F13)", () => {
  test("with nothing due starts no execution", async () => {
    const world = twoSites();
    expect(await tick(world)).toEqual({ swept: 0, more: false, heldBack: [], started: [] });
    expect(world.sweeps.secondary.workflow.executions).toEqual([]);
  });

  test("with a thousand rows due sends each of them once, and starts no execution", async () => {
    const world = twoSites();
    const keys = await makeDue(world, 1_000);
    expect(await tick(world)).toMatchObject({ more: false, started: [] });
    expect(new Set(sentKeys(world))).toEqual(new Set(keys));
    expect(world.telemetry.total(METRICS.swept)).toBeLessThan(1_050);
  });

  test("with more than it sends starts an execution for that type alone, named after it and the minute, that goes on where it came to", async () => {
    const world = twoSites();
    const keys = await makeDue(world, SWEEP_ROWS_MAX + 2_000);
    const others = await makeDue(world, 10, "lfs_objects");
    const { swept, started } = await tick(world);
    expect(swept).toBeGreaterThanOrEqual(SWEEP_ROWS_MAX - 100);
    const name = `cool_widget-${minuteOf(world.clock.now())}`;
    expect(started).toEqual([name]);
    const [execution] = world.sweeps.secondary.workflow.executions;
    expect(execution).toMatchObject({ name, input: { replicable_name: "cool_widget", chain: name, part: 1 } });
    // What is left is what the execution is told to begin at; together they leave nothing out.
    const sent = new Set(sentKeys(world));
    expect(others.every((key) => sent.has(key))).toBe(true);
    world.queues.events.live.import([]);
    let step: unknown = await sweepStep(world.sweeps.secondary, { action: "count", input: execution?.input });
    const counted = step as { readonly amount: string; readonly drain: unknown };
    expect(counted.amount).toBe("some");
    step = counted.drain;
    do step = await sweepStep(world.sweeps.secondary, step);
    while ((step as { readonly more: boolean }).more);
    for (const key of sentKeys(world)) sent.add(key);
    expect(keys.filter((key) => !sent.has(key))).toEqual([]);
  });

  test("starts no second execution when it is delivered twice, nor while the first one drains", async () => {
    const world = twoSites();
    await makeDue(world, SWEEP_ROWS_MAX + 2_000);
    const [first] = (await tick(world)).started;
    world.queues.events.live.import([]);
    expect(await tick(world)).toMatchObject({ swept: 0, started: [] });
    world.clock.advance(MINUTE_MS);
    expect(await tick(world)).toMatchObject({ swept: 0, started: [] });
    world.sweeps.secondary.workflow.end(String(first), { status: "succeeded", output: {} });
    world.clock.advance(MINUTE_MS);
    expect((await tick(world)).started).toHaveLength(1);
    expect(world.sweeps.secondary.workflow.executions).toHaveLength(2);
  });

  test("of the same minute, whose note of the execution was lost, comes to the same name and starts nothing", async () => {
    const world = twoSites();
    await makeDue(world, SWEEP_ROWS_MAX + 2_000);
    await tick(world);
    await world.siteTable.delete({ key: { pk: "retry_sweep", sk: "cool_widget" } });
    world.queues.events.live.import([]);
    await tick(world);
    expect(world.sweeps.secondary.workflow.executions).toHaveLength(1);
  });

  test("leaves the rest to the next one while as many messages wait as a drain would send again", async () => {
    const world = twoSites();
    await makeDue(world, SWEEP_ROWS_MAX + 2_000);
    await world.queues.events.live.send(
      Array.from({ length: DRAIN_BACKLOG_MESSAGES_MAX }, () => ({ body: "{}", group: "other" })),
    );
    expect(await tick(world)).toMatchObject({ more: true, started: [] });
  });

  test("sends what it can when the workflow can not be started", async () => {
    const world = twoSites();
    await makeDue(world, SWEEP_ROWS_MAX + 2_000);
    const broken = {
      name: "broken",
      start: () => Promise.reject(new WorkflowUnavailableError("not there yet")),
      describe: () => Promise.reject(new WorkflowUnavailableError("not there yet")),
      stop: () => Promise.reject(new WorkflowUnavailableError("not there yet")),
    };
    const ticked = await sweepStep({ ...world.sweeps.secondary, workflow: broken }, { action: "tick" });
    expect(ticked).toMatchObject({ more: true, started: [] });
    expect(new Set(sentKeys(world)).size).toBeGreaterThanOrEqual(SWEEP_ROWS_MAX - 100);
  });

  test("sends what is due although it can not read what is held back", async () => {
    const world = twoSites();
    await makeDue(world, 10);
    world.siteTable.interference = {
      before: () => {
        throw new TableUnavailableError("not now");
      },
    };
    expect(await tick(world)).toMatchObject({ swept: 10, heldBack: [] });
  });
});

describe("a sweep that learns nothing", () => {
  test("of the execution that drains sends what is due itself", async () => {
    const world = twoSites();
    await makeDue(world, SWEEP_ROWS_MAX + 2_000);
    await tick(world);
    world.queues.events.live.import([]);
    const { workflow } = world.sweeps.secondary;
    workflow.describe = () => Promise.reject(new WorkflowUnavailableError("not now"));
    expect((await tick(world)).swept).toBeGreaterThanOrEqual(SWEEP_ROWS_MAX - 100);
  });

  test("of what is held back, since its note was not taken, comes to the same conclusion a minute later", async () => {
    const world = twoSites();
    denyCopies(world);
    await putObjects(world, 60);
    world.clock.advance(20_000);
    await putObjects(world, 60);
    world.clock.advance(3 * MINUTE_MS);
    world.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "update" && operation.request.key.pk === "retry_sweep")
          throw new TableUnavailableError("no");
      },
    };
    expect((await tick(world)).heldBack).toEqual(["cool_widget"]);
    expect(await breakerOf(world)).toBe("closed");
    world.siteTable.interference = undefined;
    expect((await tick(world)).heldBack).toEqual(["cool_widget"]);
    expect(await breakerOf(world)).toBe("half_open");
  });

  test("of failures, since the table did not take them, lets everything be tried, and attempts go on", async () => {
    const world = twoSites();
    denyCopies(world);
    world.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "update" && operation.request.key.pk === "retry_sweep")
          throw new TableUnavailableError("no");
      },
    };
    const keys = await putObjects(world, 60);
    for (const key of keys) expect(await world.row(key)).toMatchObject({ state: "failed" });
    expect((await tick(world)).heldBack).toEqual([]);
    expect(world.telemetry.linesOf("the sweep could not be told of outcomes").length).toBeGreaterThan(0);
  });

  test("of what is due, since its type is switched off or held back, drains nothing", async () => {
    const world = twoSites();
    await makeDue(world, 50);
    const input = { replicable_name: "cool_widget", chain: "by-hand", part: 1 };
    const off = { ...world.sweeps.secondary, isOn: () => Promise.resolve(false) };
    expect(await sweepStep(off, { action: "count", input })).toMatchObject({ amount: "nothing" });
    const step = {
      action: "drain",
      replicable_name: "cool_widget",
      until: world.clock.now(),
      round: 0,
      more: true,
      swept: 0,
    };
    const cursor = { "cool_widget#0": 0 };
    expect(await sweepStep(off, { ...step, cursor })).toMatchObject({ more: false, swept: 0, round: 1 });
    await world.siteTable.update({
      key: { pk: "retry_sweep", sk: "cool_widget" },
      update: "SET breaker_state = :open, breaker_kind = :kind, opened_at = :now, probe_at = :now, period_ms = :now",
      values: { ":open": "open", ":kind": "forbidden", ":now": world.clock.now() + 1_000 },
    });
    expect(await sweepStep(world.sweeps.secondary, { action: "count", input })).toMatchObject({ amount: "nothing" });
    expect(await sweepStep(world.sweeps.secondary, { ...step, cursor })).toMatchObject({ more: false, swept: 0 });
    expect(sentKeys(world)).toEqual([]);
  });
});

/** From now on every copy is denied, or those of some keys, until somebody allows them. */
const denyCopies = (
  { secondary: { replica } }: TwoSites,
  isDenied: (key: string) => boolean = () => true,
): { readonly allow: () => void } => {
  const copy = replica.copyFromPrimary.bind(replica);
  const denied: typeof copy = (request) =>
    isDenied(request.key)
      ? Promise.resolve({ outcome: "failed", failure: { kind: "forbidden", detail: "denied" } })
      : copy(request);
  Object.assign(replica, { copyFromPrimary: denied });
  return { allow: () => void Object.assign(replica, { copyFromPrimary: copy }) };
};

/** Puts so many objects. */
const putObjects = async (world: TwoSites, objects: number): Promise<readonly string[]> => {
  const keys = Array.from({ length: objects }, (_, index) => `cool_widgets/${String(index)}/file`);
  for (const key of keys) world.primaryBucket.put(key, key);
  await world.settle();
  return keys;
};

const breakerOf = async (world: TwoSites): Promise<string> =>
  (await readSweepNotes(world.siteTable)).get("cool_widget")?.breaker.state ?? "closed";

/** Attempts since the world began. */
const attempts = (world: TwoSites): number => world.telemetry.total(METRICS.syncFailed);

describe("while every copy of a type is denied (F13)", () => {
  test("a few are tried, ever less often, all others stay due, and all are synced once one of them was", async () => {
    const world = twoSites();
    const copies = denyCopies(world);
    const keys = await putObjects(world, 60);
    await world.live(2 * MINUTE_MS);
    expect(await breakerOf(world)).not.toBe("closed");
    const before = attempts(world);
    await world.live(6 * 60 * MINUTE_MS);
    // Without a breaker each of them would have been tried some twenty times.
    expect(attempts(world) - before).toBeLessThanOrEqual(BREAKER_PROBES * 30);
    for (const key of keys)
      expect(await world.row(key)).toMatchObject({ state: "failed", due_at: expect.any(Number) as number });
    expect(world.telemetry.total(METRICS.retriesHeldBack)).toBeGreaterThan(300);

    copies.allow();
    await world.live(BREAKER_PERIOD_MAX_MS + 3 * MINUTE_MS);
    expect(await breakerOf(world)).toBe("closed");
    // Each at its own time from here: nothing was due for longer than that.
    for (const key of keys) expect(await world.row(key)).toMatchObject({ state: "synced" });
  });

  test("another type goes on as ever", async () => {
    const world = twoSites();
    denyCopies(world);
    await putObjects(world, 60);
    await world.live(2 * MINUTE_MS);
    expect(await breakerOf(world)).not.toBe("closed");
    const others = await makeDue(world, 10, "lfs_objects");
    await tick(world);
    const sent = new Set(sentKeys(world));
    expect(others.every((key) => sent.has(key))).toBe(true);
  });

  test("it is not held back for a handful of odd objects", async () => {
    const world = twoSites();
    denyCopies(world);
    await putObjects(world, 10);
    await world.live(60 * MINUTE_MS);
    expect(await breakerOf(world)).toBe("closed");
    expect(world.telemetry.total(METRICS.retriesHeldBack)).toBe(0);
  });

  test("nor when others of it are copied", async () => {
    const world = twoSites();
    denyCopies(world, (key) => !key.startsWith("cool_widgets/good/"));
    world.primaryBucket.put("cool_widgets/good/first", "good");
    await world.settle();
    await putObjects(world, 60);
    for (let minute = 0; minute < 30; minute += 1) {
      world.primaryBucket.put(`cool_widgets/good/${String(minute)}`, "good");
      await world.live(MINUTE_MS / 2);
      world.primaryBucket.put(`cool_widgets/good/${String(minute)}`, "better");
      await world.live(MINUTE_MS / 2);
      expect(await breakerOf(world)).toBe("closed");
    }
  });

  test("what is told of it costs a write for each ten seconds and function, and none for an object that is copied", async () => {
    const world = twoSites();
    const writes: string[] = [];
    world.siteTable.interference = {
      before: (operation) => {
        if (operation.kind === "update" && operation.request.key.pk === "retry_sweep")
          writes.push(operation.request.update);
      },
    };
    for (let index = 0; index < 50; index += 1) world.primaryBucket.put(`cool_widgets/good/${String(index)}`, "x");
    await world.settle();
    expect(writes).toEqual([]);
    world.clock.advance(2 * MINUTE_MS);
    denyCopies(world);
    await putObjects(world, 100);
    expect(writes).toHaveLength(1);
  });
});

test("a breaker that has nothing to hold back is closed", async () => {
  const world = twoSites();
  denyCopies(world);
  const keys = await putObjects(world, 60);
  await world.live(2 * MINUTE_MS);
  expect(await breakerOf(world)).not.toBe("closed");
  for (const key of keys) {
    await world.registry.update({ key: rowKey(world.refOf(key)), update: "REMOVE due_pk, due_at" });
  }
  await world.live(30 * MINUTE_MS);
  expect(await breakerOf(world)).toBe("closed");
});
