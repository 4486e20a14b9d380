import { LARGE_COPY_BYTES, readLargeCopyStep } from "../../shared/geo/large-copy.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import type { SecondarySite } from "../../shared/ports/site.ts";
import { type LargeCopyAnswer, takeLargeCopyStep } from "../../shared/services/large-copy/take-step.ts";
import { SMALL_PARTS } from "./small-parts.ts";
import { twoSites, type TwoSitesOptions } from "./two-sites.ts";

/** From this size on objects of these worlds are left to the workflow. */
const FROM_BYTES = 12;

/** Two sites of which the secondary leaves its largest objects to a workflow: to those of more than twelve bytes. */
export const largeCopying = (options: TwoSitesOptions = {}) => {
  if (FROM_BYTES >= LARGE_COPY_BYTES) throw new Error("the objects of these tests are to be small");
  const world = twoSites({ copyLimits: SMALL_PARTS, replicaDrift: false, ...options });
  const workflow = new MemoryWorkflow({ name: "large-copy", clock: world.clock });
  Object.assign(world.secondary, { largeCopies: { workflow, fromBytes: FROM_BYTES } });
  const parts: number[] = [];
  const { replica } = world.secondary;
  const copyPart = replica.copyPart.bind(replica);
  replica.copyPart = (request) => {
    parts.push(request.number);
    return copyPart(request);
  };

  /** Has the function take a step. @param by the site as the function sees it. Default: as it is */
  const take = (input: unknown, by: SecondarySite = world.secondary, stopAt = Number.POSITIVE_INFINITY) =>
    takeLargeCopyStep(by, world.replicables, readLargeCopyStep(input), stopAt);

  /** Does what the machine does with an execution's input, until it ends. Returns what each advance said. */
  const execute = async (input: unknown, by?: SecondarySite): Promise<readonly LargeCopyAnswer["status"][]> => {
    const said: LargeCopyAnswer["status"][] = [];
    for (let round = 0; round < 40; round += 1) {
      const answer = await take({ step: "advance", ...(input as object) }, by);
      said.push(answer.status);
      if (answer.status === "wait") world.clock.advance(answer.wait_seconds * 1_000);
      else if (answer.status !== "copy") break;
      else for (const batch of answer.batches) await take(batch, by);
    }
    return said;
  };
  return { ...world, workflow, parts, take, execute };
};

export type LargeCopying = ReturnType<typeof largeCopying>;
