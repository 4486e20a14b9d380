import { describe, expect, test } from "vitest";

import config from "../../infra/examples/one-primary-three-secondaries.config.ts";
import { workflowInput } from "../../shared/services/batch-destroy/ask-for-destroy.ts";
import { destroyingWorld, type DestroyingWorld } from "../support/destroying.ts";
import {
  failEachState,
  machineNamed,
  runWorkflow,
  type TaskHandler,
  type WorkflowStory,
} from "../support/workflow-runs.ts";
import { synthesize } from "./support/templates.ts";

const { definition: machine } = machineNamed(synthesize(config), "s3-geo-virginia-batch-destroy");

const KEYS = ["1", "2", "3"].map((record) => `namespace_uploads/7/${record}/avatar.png`);
const GROUP = { kind: "namespace", id: "7" } as const;

/** The function's steps in a world, each the first time with more to do or nothing seen, so that every way is gone. */
const tasksOf = (world: DestroyingWorld): Readonly<Record<string, TaskHandler>> => {
  const twice = (again: (input: unknown) => object): TaskHandler => {
    let first = true;
    return (input) => {
      if (!first) return world.step(input);
      first = false;
      return again(input);
    };
  };
  return {
    BuildManifest: twice(() => ({ more: true })),
    HandOutSlices: (input) => world.step(input),
    WorkOnGroup: twice((input) => ({ ...Object(input).group, more: true, wait_seconds: 1 })),
    Conclude: (input) => world.step(input),
    NoteFailure: (input) => world.step(input),
    LookAtSecondaries: async (input) => {
      const seen = await world.step(input);
      await world.follow();
      return seen;
    },
  };
};

interface Begun {
  readonly world: DestroyingWorld;
  id: string;
}

/** A story whose world is made by its first task: beginning one is nothing that waits. */
const story = (
  name: string,
  work: "plan" | "destroy" | "undo",
  broken: Readonly<Record<string, TaskHandler>> = {},
): WorkflowStory<Begun> => ({
  name,
  begin: () => {
    const world = destroyingWorld();
    const begun: Begun = { world, id: "" };
    const ready = (async () => {
      await world.putAll(KEYS);
      const { id } = work === "plan" ? await world.ask(GROUP) : await world.plan(GROUP);
      begun.id = id;
      if (work !== "plan") await world.confirm(id, 3);
      if (work === "undo") {
        await world.destroy(id);
        await world.undo(id);
      }
    })();
    const inTime = Object.fromEntries(
      Object.entries({ ...tasksOf(world), ...broken }).map(([state, handler]): [string, TaskHandler] => [
        state,
        async (input) => {
          await ready;
          return handler({ ...Object(input), destroy_id: begun.id });
        },
      ]),
    );
    return { input: workflowInput("aaaaaaaaaaaa", work, 1), tasks: inTime, world: begun };
  },
});

const PLAN = story("a dry run", "plan");
const DESTROY = story("a destroy", "destroy");
const UNDO = story("an undo", "undo");
const REFUSED = story("a destroy of which a group is refused", "destroy", {
  WorkOnGroup: () => {
    throw new Error("refused");
  },
});

const FAILED = story("a destroy that can not be handed out", "destroy", {
  HandOutSlices: () => {
    throw new Error("no table");
  },
});

const run = async (one: WorkflowStory<Begun>) => {
  const { input, tasks, world } = one.begin();
  return { run: await runWorkflow(machine, input, { tasks }), ...world };
};

const seenOf = async ({ world, id }: Begun) => {
  const { state, destroyed_count: hidden, events_count: events } = await world.progress(id);
  return { state, hidden, events, shown: world.primaryBucket.keys().length };
};

/** What an execution has left, and what it is after the next one. */
const goneOnWith = async (begun: Begun) => {
  const { world, id } = begun;
  const before = await seenOf(begun);
  world.workflow.end(`${id}-destroy-1`, { status: "failed", failure: "DestroyFailed" });
  if (before.state !== "destroyed") {
    await world.confirm(id, 3);
    await world.destroy(id);
  }
  return { before, after: await seenOf(begun) };
};

describe("the machine of batch destroys", () => {
  test("lists until there is no more", async () => {
    const { run: planned, world, id } = await run(PLAN);
    expect(planned.end.outcome).toBe("succeeded");
    expect(planned.visited.filter((state) => state === "BuildManifest")).toHaveLength(2);
    expect(await world.progress(id)).toMatchObject({ state: "planned", object_count: 3 });
  });

  test("hides every group, and waits until the secondaries have followed", async () => {
    const { run: destroyed, world, id } = await run(DESTROY);
    expect(destroyed.end.outcome).toBe("succeeded");
    expect(destroyed.visited).toContain("WaitForSecondaries");
    expect(await world.progress(id)).toMatchObject({ state: "destroyed", destroyed_count: 3 });
    expect(world.shownBy(0)).toEqual([]);
  });

  test("brings back, and waits for nobody", async () => {
    const { run: undone, world, id } = await run(UNDO);
    expect(undone.visited).not.toContain("LookAtSecondaries");
    expect(await world.progress(id)).toMatchObject({ state: "undone", restored_count: 3 });
  });

  test("costs a few transitions, however many objects there are", async () => {
    const { run: destroyed } = await run(DESTROY);
    expect(destroyed.transitions).toBeLessThan(30);
  });

  test.each(["BuildManifest", "HandOutSlices", "WorkOnGroup", "Conclude", "LookAtSecondaries"])(
    "%s is tried again, and a step that failed a few times does no harm",
    async (state) => {
      const { input, tasks, world: begun } = (state === "BuildManifest" ? PLAN : DESTROY).begin();
      const { end, retries } = await runWorkflow(machine, input, { tasks, failing: { state, times: 3 } });
      expect(end.outcome).toBe("succeeded");
      expect(retries).toBe(3);
      expect(await begun.world.progress(begun.id)).toMatchObject({
        state: state === "BuildManifest" ? "planned" : "destroyed",
      });
    },
  );

  test("F82: in which any state fails for good ends without harm, and is gone on with by another execution", async () => {
    const broken = await failEachState(machine, [PLAN, DESTROY, UNDO, REFUSED, FAILED]);
    const ends = broken.map(({ run: { end } }) => (end.outcome === "failed" ? end.error : "succeeded"));
    expect([...new Set(ends)].sort()).toEqual(["DestroyFailed", "InjectedFailure", "succeeded"]);
    for (const { state, world: begun } of broken.filter(
      ({ story: told, world: { id } }) => told === DESTROY.name && id !== "",
    )) {
      const { before, after } = await goneOnWith(begun);
      // What is hidden stands in the slices, and nothing is told of that is not hidden.
      expect([state, before.shown, before.events]).toEqual([state, 3 - before.hidden, before.hidden]);
      expect([state, after]).toEqual([state, { state: "destroyed", hidden: 3, events: 3, shown: 0 }]);
    }
  });

  test.each([
    ["BuildManifest", PLAN, "refused"],
    ["HandOutSlices", DESTROY, "incomplete"],
    ["Conclude", DESTROY, "incomplete"],
    ["HandOutSlices", UNDO, "undone"],
  ] as const)("that fails for good in %s says so in the destroy's record", async (state, told, ended) => {
    const { input, tasks, world: begun } = told.begin();
    const { end, visited } = await runWorkflow(machine, input, { tasks, failing: { state } });
    expect(end).toMatchObject({ outcome: "failed", error: "DestroyFailed" });
    expect(visited).toContain("NoteFailure");
    const { state: said, problem, restore_failed_count: missing } = await begun.world.progress(begun.id);
    expect([said, problem]).toEqual([ended, expect.stringMatching(/^its workflow failed: InjectedFailure/)]);
    expect(missing).toBe(ended === "undone" ? 3 : 0);
  });

  test("leaves a group that can not be done to the next execution, and says that it is incomplete", async () => {
    const { run: destroyed, world, id } = await run(REFUSED);
    expect(destroyed.end.outcome).toBe("succeeded");
    expect(await world.progress(id)).toMatchObject({ state: "incomplete", destroyed_count: 0, slices_done_count: 0 });
  });
});
