import type { BulkUpdate } from "../../shared/geo/bulk-progress.ts";
import { type BulkRequest, type BulkSelection, parseBulkRequest } from "../../shared/geo/bulk-request.ts";
import { type BULK_STEPS, readBulkStep } from "../../shared/geo/bulk-step.ts";
import type { SiteRole } from "../../shared/geo/site-status.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import {
  askForBulkUpdate,
  type AskedForBulk,
  type BulkAsking,
} from "../../shared/services/bulk-update/ask-for-bulk-update.ts";
import type { BulkSite, MeasuredQueue } from "../../shared/services/bulk-update/bulk-site.ts";
import { type BulkStepAnswer, takeBulkStep } from "../../shared/services/bulk-update/take-step.ts";
import { readBulkUpdate } from "../../shared/services/bulk-update/work-slice.ts";
import type { MemoryQueue } from "../../shared/memory/queue.ts";
import type { TwoSites } from "./two-sites.ts";

/** What a worker that is killed throws, out of the call that it was in. */
export class Killed extends Error {
  override readonly name = "Killed";
}

/** A worker that can be killed in any of its calls, and what it has asked of the world. */
export class Mortal {
  /** Calls so far, by name. */
  readonly calls = new Map<string, number>();
  #killAt: { readonly call: number; readonly effect: "lost" | "done" } | undefined;
  #isDead = false;
  #made = 0;
  readonly #onCall: () => void;

  /** @param onCall happens in each call: time passes, for example */
  constructor(onCall: () => void = () => {}) {
    this.#onCall = onCall;
  }

  /** Calls so far. */
  get made(): number {
    return this.#made;
  }

  /** Has the worker die in its call of that number, counted from now on: before it has its effect, or after. */
  killAt(call: number, effect: "lost" | "done"): void {
    this.#killAt = { call: this.#made + call, effect };
  }

  /** Another worker comes up in its place. */
  revive(): void {
    this.#isDead = false;
  }

  /** A port whose every method is one of the worker's calls. */
  port<Port extends object>(name: string, port: Port): Port {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property, target);
        if (typeof value !== "function") return value;
        return (...given: unknown[]) =>
          this.#call(`${name}.${String(property)}`, () => Reflect.apply(value, target, given) as Promise<unknown>);
      },
    });
  }

  async #call(name: string, effect: () => Promise<unknown>): Promise<unknown> {
    if (this.#isDead) throw new Killed();
    this.#made += 1;
    this.calls.set(name, (this.calls.get(name) ?? 0) + 1);
    this.#onCall();
    const dies = this.#killAt?.call === this.#made ? this.#killAt.effect : undefined;
    if (dies === "lost") return this.#die();
    const answer = await effect();
    return dies === "done" ? this.#die() : answer;
  }

  #die(): never {
    this.#isDead = true;
    this.#killAt = undefined;
    throw new Killed();
  }
}

export const measured = (queue: MemoryQueue): MeasuredQueue => ({
  name: queue.name,
  send: (messages) => queue.send(messages),
  backlog: () => Promise.resolve(queue.size),
});

export interface BulkUpdatingOptions {
  /** Default `secondary`. */
  readonly role?: SiteRole;
  /** How long a slice works, milliseconds of the world's clock. Default: for ever, which is one slice. */
  readonly sliceMs?: number;
  /** How long each of the worker's calls takes. Default: no time. */
  readonly callMs?: number;
  /** Replaces some of what the site is made of. */
  readonly site?: Partial<BulkSite>;
}

/** A site of a world with its bulk updates: their requests, and their workflow as its machine would run it. */
export const bulkUpdating = (world: TwoSites, options: BulkUpdatingOptions = {}) => {
  const { role = "secondary", sliceMs = Number.POSITIVE_INFINITY, callMs = 0 } = options;
  const { clock, chance, telemetry, replicables } = world;
  const mortal = new Mortal(() => clock.advance(callMs));
  const isPrimary = role === "primary";
  const siteTable = isPrimary ? world.primarySiteTable : world.siteTable;
  const workflow = new MemoryWorkflow({ name: "bulk-update", clock });
  const { events, verification, checksum } = world.queues;
  const site: BulkSite = {
    role,
    clock,
    chance,
    telemetry,
    replicables,
    switches: mortal.port("switches", world.secondary.switches),
    rows: mortal.port("rows", isPrimary ? world.verificationState : world.registry),
    siteTable: mortal.port("site", siteTable),
    lookQueue: mortal.port("look", measured(isPrimary ? checksum.live : events.live)),
    verificationQueue: isPrimary ? undefined : mortal.port("verification", measured(verification.live)),
    workflow: mortal.port("workflow", workflow),
    ...options.site,
  };
  const asking: BulkAsking = {
    site: { role },
    replicables,
    siteTable: mortal.port("asking", siteTable),
    primarySiteTable: world.primarySiteTable,
    bulkWorkflow: mortal.port("asking", workflow),
    clock,
    telemetry,
  };

  const step = async (
    what: (typeof BULK_STEPS)[number],
    input: unknown,
    failure?: { readonly Error: string; readonly Cause: string },
  ): Promise<BulkStepAnswer> => {
    mortal.revive();
    const read = readBulkStep({ ...Object(input), step: what, ...(failure === undefined ? {} : { failure }) });
    return takeBulkStep(site, read, clock.now() + sliceMs);
  };

  const parsed = (input: object): BulkRequest => {
    const request = parseBulkRequest(input, { role, replicableNames: replicables.map(({ name }) => name) });
    if ("problems" in request) throw new Error(request.problems.join("; "));
    return request.request;
  };

  return {
    site,
    asking,
    mortal,
    workflow,
    step,
    /** Asks for something, as the API does. */
    ask: async (
      input: { readonly action: BulkSelection["action"] } & Record<string, unknown>,
    ): Promise<AskedForBulk> => {
      mortal.revive();
      return askForBulkUpdate(asking, parsed(input), "alice");
    },
    update: (id: string): Promise<BulkUpdate> => readBulkUpdate({ siteTable }, id),
    /**
     * Runs every execution to its end, as the machine does: what fails is tried again, and a worker that is killed is
     * followed by another.
     * @returns how many slices were worked on
     */
    run: async (): Promise<number> => {
      let slices = 0;
      for (;;) {
        const running = workflow.executions.find(({ status }) => status === "running");
        if (running === undefined) return slices;
        let answer: BulkStepAnswer = { status: "more" };
        for (let rounds = 0; answer.status !== "ended"; rounds += 1) {
          if (rounds > 10_000) throw new Error("an execution does not come to its end");
          slices += 1;
          answer = await step("slice", running.input).catch((error: unknown): BulkStepAnswer => {
            if (error instanceof Killed) return { status: "more" };
            throw error;
          });
          // What is waited for is that the queue's readers take something.
          if (answer.status === "wait") {
            clock.advance(answer.wait_seconds * 1_000);
            await world.settle();
          }
        }
        workflow.end(running.name, { status: "succeeded", output: answer });
      }
    },
  };
};

export type BulkUpdating = ReturnType<typeof bulkUpdating>;

/** What was asked, when it was not refused. */
export const accepted = (asked: AskedForBulk): Extract<AskedForBulk, { answer: unknown }> => {
  if ("problem" in asked) throw new Error(asked.problem);
  return asked;
};
