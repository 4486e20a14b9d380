import { describe, expect, test } from "vitest";
import { runCli } from "../../../cli/run-cli.ts";
import type { Surroundings } from "../../../cli/surroundings.ts";
import { WorkflowUnavailableError } from "../../../shared/geo/errors.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { apiSite } from "../../api/support/site.ts";
import { destroyingWorld } from "../../support/destroying.ts";

/** The command on a primary's own API; what the machine was started for it does while the command waits. */
const commandLine = async (objects: number, around: Partial<Surroundings> = {}) => {
  const world = destroyingWorld();
  await world.putAll(Array.from({ length: objects }, (_, index) => `namespace_uploads/7/${index + 1}/avatar.png`));
  const { primarySiteTable: siteTable, workflow: destroys, clock } = world;
  const { app } = apiSite("primary", { siteTable, destroys, clock });
  const work = async (): Promise<void> => {
    const [execution] = destroys.executions.slice(-1);
    const [id = "", kind] = execution?.name.split("-") ?? [];
    if (kind === "plan") await world.step({ step: "build_manifest", destroy_id: id });
    if (kind === "destroy") await world.destroy(id);
    if (kind === "undo") await world.bringBack(id);
  };
  const geo = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const code = await runCli(["destroy", ...args], {
      root: "/nowhere",
      replicables,
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      env: { GEO_TOKEN: "a-token", GEO_ENDPOINT_URL: "https://abc.example.com/geo" },
      fetch: async (url, init) => app.request(new URL(url).pathname.replace(/^\/geo/, ""), init),
      sleep: work,
      ...around,
    });
    return { code, ...said };
  };
  const planned = async (): Promise<string> => {
    const { out } = await geo("plan", "--namespace", "7", "--output", "json");
    return (JSON.parse(out) as { readonly id: string }).id;
  };
  return { world, geo, planned };
};

describe("geo destroy", () => {
  test("plans, and says how to do it; destroys nothing", async () => {
    const { world, geo } = await commandLine(3);
    const { code, out, err } = await geo("plan", "--namespace", "7");
    expect(code).toBe(0);
    expect(out).toMatch(/Dry run \w+: 3 objects, \d+ bytes/);
    expect(out).toMatch(
      /group_upload: 3[\s\S]*"namespace_uploads\/7\/1\/avatar.png"[\s\S]*geo destroy confirm \w+ --confirm 3/,
    );
    expect(err).toMatch(/planning/);
    expect(world.primaryBucket.keys()).toHaveLength(3);
  });

  test("destroys by the number that was shown, and brings back", async () => {
    const { world, geo, planned } = await commandLine(3);
    const id = await planned();
    const wrong = await geo("confirm", id, "--confirm", "4");
    expect([wrong.code, wrong.err]).toEqual([1, expect.stringMatching(/showed 3 objects, and 4 were confirmed/)]);
    const { code, out } = await geo("confirm", id, "--confirm", "3");
    expect([code, out]).toEqual([0, expect.stringMatching(/destroyed {2}3 objects in 1 slices: 1 done, 3 destroyed/)]);
    expect(world.primaryBucket.keys()).toEqual([]);
    expect(await geo("undo", id)).toMatchObject({ code: 0, out: expect.stringMatching(/undone .* 3 restored/) });
    expect(world.primaryBucket.keys()).toHaveLength(3);
    expect((await geo("list")).out).toMatch(new RegExp(`${id} {2}undone {2}3 objects`));
  });

  test("that waits for an undo of which a group fails does not succeed", async () => {
    const { world, geo } = await commandLine(3, { sleep: async () => void (await world.conclude(id, "undo")) });
    const { id } = await world.plan({ kind: "namespace", id: "7" });
    await world.confirm(id, 3);
    await world.destroy(id);
    const { code, out, err } = await geo("undo", id);
    expect(out).toMatch(/undone .* 0 restored, 0 not restored, 3 failed to be restored/);
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/3 objects could not be brought back; .* geo destroy undo \w+/),
    ]);
  });

  test("plan does not wait for a workflow that has failed", async () => {
    const failure = { Error: "Error", Cause: "no table" };
    const failing = async (): Promise<void> => {
      const [execution] = world.workflow.executions.slice(-1);
      const [id] = execution?.name.split("-") ?? [];
      await world.step({ step: "note_failure", destroy_id: id, work: "plan", run: 1, failure });
    };
    const { world, geo } = await commandLine(1, { sleep: failing });
    const { code, err } = await geo("plan", "--namespace", "7");
    expect([code, err]).toEqual([1, expect.stringMatching(/it is refused, expected planned: .*no table/)]);
  });

  test("does not wait for a workflow that somebody has stopped by hand, and says how to go on", async () => {
    const stop = async (): Promise<void> => {
      const [execution] = world.workflow.executions.slice(-1);
      world.workflow.end(execution?.name ?? "", { status: "aborted", failure: "the console" });
    };
    const { world, geo } = await commandLine(1, { sleep: stop });
    const { id } = await world.plan({ kind: "namespace", id: "7" });
    const planned = await geo("plan", "--namespace", "7");
    expect([planned.code, planned.err]).toEqual([
      1,
      expect.stringMatching(/it is planning, .*-plan-1 was stopped \(the console\); cancel it and plan again/),
    ]);
    const confirmed = await geo("confirm", id, "--confirm", "1");
    expect([confirmed.code, confirmed.err]).toEqual([
      1,
      expect.stringMatching(/it is destroying, .*-destroy-1 was stopped .*; confirm it again to go on, or cancel it/),
    ]);
    // Gone on with by another execution, which nobody has stopped.
    await world.confirm(id, 1);
    expect((await geo("show", id)).out).not.toMatch(/stopped/);
    await world.destroy(id);
    const undone = await geo("undo", id);
    expect([undone.code, undone.err]).toEqual([
      1,
      expect.stringMatching(/it is undoing, .*-undo-1 was stopped .*; undo it again to go on/),
    ]);
  });

  test("tells of a workflow that was never started, once whoever asked for it has had the time to", async () => {
    const { world, geo } = await commandLine(1);
    const { id } = await world.plan({ kind: "namespace", id: "7" });
    world.workflow.interference = {
      before: ({ kind }) => (kind === "start" ? Promise.reject(new WorkflowUnavailableError("throttled")) : undefined),
    };
    expect((await geo("confirm", id, "--confirm", "1")).code).toBe(1);
    expect((await geo("show", id)).out).not.toMatch(/never started/);
    world.clock.advance(61_000);
    expect((await geo("show", id)).out).toMatch(/destroying .*-destroy-1 was never started; confirm it again to go on/);
    world.workflow.interference = undefined;
    expect((await geo("confirm", id, "--confirm", "1", "--no-wait")).out).not.toMatch(/never started/);
  });

  test("tells how far it has come while Step Functions does not answer", async () => {
    const { world, geo } = await commandLine(1);
    const { id } = await world.plan({ kind: "namespace", id: "7" });
    await world.confirm(id, 1);
    world.workflow.interference = {
      before: () => Promise.reject(new WorkflowUnavailableError("throttled")),
    };
    expect(await geo("show", id)).toMatchObject({ code: 0, out: expect.stringMatching(/destroying/) });
  });

  test("asks, and takes no for an answer; --yes does not ask", async () => {
    const { world, geo, planned } = await commandLine(2, { ask: () => Promise.resolve(false) });
    const id = await planned();
    expect(await geo("confirm", id)).toMatchObject({ code: 1, err: expect.stringMatching(/nothing was destroyed/) });
    expect(world.primaryBucket.keys()).toHaveLength(2);
    expect((await geo("confirm", id, "--yes", "--no-wait")).code).toBe(0);
    expect(await geo("show", id, "--watch")).toMatchObject({ code: 0, out: expect.stringMatching(/2 destroyed/) });
  });

  test("agreed to is done", async () => {
    const { world, geo, planned } = await commandLine(1, { ask: () => Promise.resolve(true) });
    expect((await geo("confirm", await planned())).code).toBe(0);
    expect(world.primaryBucket.keys()).toEqual([]);
  });

  test("that is interrupted goes on, and says how to look again and how to end it", async () => {
    const { geo, planned } = await commandLine(1, {});
    const id = await planned();
    const { code, err } = await (
      await commandLine(1, {
        onInterrupt: (interrupted) => {
          interrupted();
          return () => {};
        },
      })
    ).geo("plan", "--namespace", "7");
    expect(code).toBe(1);
    expect(err).toMatch(/interrupted[\s\S]*geo destroy show \w+ --watch[\s\S]*geo destroy cancel \w+/);
    expect(await geo("cancel", id)).toMatchObject({ code: 0, out: expect.stringMatching(/cancelled/) });
  });

  test.each([
    [["plan"], /expected exactly one of --namespace.*got 0/],
    [["plan", "--namespace", "7", "--prefix", "x"], /expected exactly one of .*got 2/],
    [["plan", "--namespace", "7", "--output", "xml"], /--output: expected table or json/],
    [["confirm"], /missing required argument 'id'/],
  ])("%j is called in a way that can not work", async (args, problem) => {
    const { geo } = await commandLine(0);
    const { code, err } = await geo(...args);
    expect([code, err]).toEqual([2, expect.stringMatching(problem)]);
  });

  test("of nothing fails with what was expected, and so does a confirmation that nobody can be asked for", async () => {
    const { geo, planned } = await commandLine(1);
    const nothing = await geo("plan", "--namespace", "404");
    expect([nothing.code, nothing.err]).toEqual([1, expect.stringMatching(/there is nothing to destroy/)]);
    const id = await planned();
    for (const [args, problem] of [
      [["confirm", id], /nobody is there to ask/],
      [["confirm", id, "--confirm", "all"], /--confirm is "all", expected a number/],
    ] as const) {
      expect(await geo(...args)).toMatchObject({ code: 2, err: expect.stringMatching(problem) });
    }
  });
});
