import { failureText } from "../../geo/failure-policy.ts";
import { executionName } from "../../geo/physical-names.ts";
import type { BulkUpdate } from "../../geo/bulk-progress.ts";
import type { Workflow } from "../../ports/workflows.ts";
import { endBulkUpdate, goOnWithBulkUpdate, parseBulkUpdate } from "../../tables/site/bulk-updates.ts";
import type { BulkSite } from "./bulk-site.ts";
import { isPaused, readBulkUpdate } from "./work-slice.ts";

/** What an execution is started with. */
export interface ExecutionInput {
  readonly bulk_id: string;
  readonly execution: number;
  /** Counts the slices of one execution. */
  readonly round: 1;
}

/** The name of a request's present execution. */
export const executionOf = ({ id, execution }: Pick<BulkUpdate, "id" | "execution">): string =>
  executionName(id, execution);

/** Starts a request's present execution; does nothing when that was done before. */
export const startExecution = async (
  workflow: Pick<Workflow, "start">,
  update: Pick<BulkUpdate, "id" | "execution">,
): Promise<void> => {
  const input: ExecutionInput = { bulk_id: update.id, execution: update.execution, round: 1 };
  await workflow.start(executionOf(update), input);
};

/** Why a request ends that comes no further. */
const STUCK =
  "no page was taken in a whole execution: the queue that rows are named to is full, or takes nothing; see the runbook";

/**
 * The execution has made as many rounds as one may: has another go on, if this one has come any further. Each of them comes
 * to another page, and there are as many pages as there are rows, so that there is an end to it.
 *
 * @throws TableUnavailableError, WorkflowUnavailableError: it may be asked again
 */
export const goOn = async (site: BulkSite, id: string, execution: number): Promise<void> => {
  const update = await readBulkUpdate(site, id);
  // Asked for a second time: the other one may not have been started.
  if (update.execution === execution + 1) return startExecution(site.workflow, update);
  if (update.state !== "running" || update.execution !== execution) return;
  const now = site.clock.now();
  // A pause may last longer than an execution, and is nothing that it comes no further by.
  if (update.pages === update.pagesAtStart && !(await isPaused(site))) {
    await site.siteTable.update(endBulkUpdate(id, { state: "failed", failure: STUCK }, now));
    site.telemetry.error("a bulk update comes no further", { id, reason: STUCK });
    return;
  }
  const written = await site.siteTable.update(goOnWithBulkUpdate(update, now));
  if (written.outcome === "written") await startExecution(site.workflow, parseBulkUpdate(written.item));
};

/** Writes down why the workflow gave up. The request goes on from where it is when somebody makes it again. */
export const noteFailure = async (site: BulkSite, id: string, execution: number, reason: string): Promise<void> => {
  const update = await readBulkUpdate(site, id);
  if (update.execution !== execution) return;
  const failure = failureText(reason);
  await site.siteTable.update(endBulkUpdate(id, { state: "failed", failure }, site.clock.now()));
  site.telemetry.error("a bulk update failed", { id, reason: failure });
};
