import { useState } from "preact/hooks";
import type { BulkUpdateState } from "../../shared/client/contract.ts";
import type { CallProblem } from "../api.ts";
import { counted, duration, whole } from "../format.ts";
import { asProblem, useLoaded } from "../loading.ts";
import { announce } from "../parts/announcer.tsx";
import { Problem, Time } from "../parts/basics.tsx";
import { Confirm } from "../parts/confirm.tsx";
import type { Bar, Progress, TypeProgress } from "../progress.ts";
import { BULK_ACTIONS, type BulkActionName, cancelBulkUpdate, loadBulkUpdates, updateAll } from "../registries.ts";
import type { TypeNames } from "../type-names.ts";

/** How often a run is looked at, and how long one that has ended is still shown, milliseconds. */
const EVERY_MS = 1_500;
const REST_MS = 30_000;
const SHOWN_FOR_MS = 10 * 60_000;

const NAMES = Object.keys(BULK_ACTIONS) as readonly BulkActionName[]; // of the object right there

const NO_BAR: Bar = { total: 0, done: 0, failed: 0, queued: 0 };
const barOf = (progress: Progress | undefined): Bar =>
  progress === undefined || typeof progress === "string" ? NO_BAR : progress;

/** How many rows an action is about, as far as the status knows. */
const aboutOf = (name: BulkActionName, counts: TypeProgress | undefined): number => {
  const [sync, verification] = [barOf(counts?.sync), barOf(counts?.verification)];
  switch (name) {
    case "resync":
      return sync.total;
    case "resyncFailed":
      return sync.failed;
    case "reverify":
      return verification.total;
    case "reverifyFailed":
      return verification.failed;
  }
};

const EFFECTS: Readonly<Record<BulkActionName, string>> = {
  resync:
    "Each object is copied from the primary again, whatever the replica holds. That takes requests and transfer for all of them.",
  resyncFailed: "Each object whose last copy failed is tried again at once, instead of at its next retry.",
  reverify: "Each replica is read and compared with the primary's checksum. That takes a read of every byte.",
  reverifyFailed: "Each replica whose verification failed is read and compared again at once.",
};

/** What was asked for and not begun, and the run that had done the same. */
interface Done {
  readonly name: BulkActionName;
  readonly run: BulkUpdateState;
}

/** The four things that can be done to all objects of a type, and how far the latest of them has come. */
export const BulkActions = ({
  siteId,
  type,
  counts,
  onAsked,
}: {
  readonly siteId: number;
  readonly type: TypeNames;
  readonly counts: TypeProgress | undefined;
  readonly onAsked: () => void;
}) => {
  const [asking, setAsking] = useState<{ readonly name: BulkActionName; readonly force: boolean }>();
  const [isBusy, setIsBusy] = useState(false);
  const [refused, setRefused] = useState<CallProblem>();
  const [done, setDone] = useState<Done>();
  const [isWatching, setIsWatching] = useState(false);
  const load = (signal: AbortSignal) => loadBulkUpdates(siteId, type.name, signal);
  const { value: runs = [], reload } = useLoaded(`bulk ${type.name}`, load, isWatching ? EVERY_MS : REST_MS);
  const [latest] = runs;
  if (isWatching !== (latest?.state === "running")) setIsWatching(latest?.state === "running");

  const confirm = async (name: BulkActionName, force: boolean): Promise<void> => {
    const { title } = BULK_ACTIONS[name];
    setIsBusy(true);
    setRefused(undefined);
    setDone(undefined);
    try {
      const run = await updateAll(siteId, type, name, { force });
      if (run.asked === "same" && run.state !== "running") {
        setDone({ name, run });
        announce(`${title} was not begun: the same was done within the last hour.`);
      } else {
        announce(run.asked === "new" ? `${title} has begun.` : `${title} is under way already.`);
        onAsked();
      }
    } catch (error) {
      setRefused(asProblem(error));
    }
    setIsBusy(false);
    setAsking(undefined);
    reload();
  };
  const ask = (name: BulkActionName, force: boolean): void => setAsking({ name, force });

  return (
    <section class="bulk" aria-label={`All ${type.title.toLowerCase()}`}>
      <p class="actions">
        {NAMES.map((name) => (
          <button type="button" key={name} onClick={() => ask(name, false)}>
            {BULK_ACTIONS[name].title}
          </button>
        ))}
      </p>
      {refused !== undefined && <Problem problem={refused} />}
      {done !== undefined && (
        <div class="notice">
          <p>
            <strong>{BULK_ACTIONS[done.name].title} was not begun.</strong> The same was done within the last hour: it
            was asked for by {done.run.asked_by} <Time at={done.run.asked_at} /> and ended{" "}
            <Time at={done.run.ended_at ?? done.run.updated_at} />.
          </p>
          <p class="actions">
            <button type="button" class="small" onClick={() => ask(done.name, true)}>
              Do it once more
            </button>
          </p>
        </div>
      )}
      {latest !== undefined && <Run run={latest} siteId={siteId} onCancelled={reload} />}
      {asking !== undefined && (
        <Confirm
          title={`${BULK_ACTIONS[asking.name].title}: ${type.title}?`}
          does={BULK_ACTIONS[asking.name].title}
          isBusy={isBusy}
          onConfirm={() => void confirm(asking.name, asking.force)}
          onClose={() => setAsking(undefined)}
        >
          <p>{EFFECTS[asking.name]}</p>
          <p>
            This is about <strong>{counted(aboutOf(asking.name, counts), "object")}</strong> as of the last status;
            filters and searches on the page do not narrow it.
          </p>
        </Confirm>
      )}
    </section>
  );
};

const STATES: Readonly<Record<BulkUpdateState["state"], string>> = {
  running: "under way",
  succeeded: "done",
  failed: "failed",
  cancelled: "cancelled",
};

const titleOf = ({ action, replication_state: sync, verification_state: verification }: BulkUpdateState): string =>
  `${action.charAt(0).toUpperCase()}${action.slice(1).replaceAll("_", " ")} all${sync === "failed" || verification === "failed" ? " failed" : ""}`;

const Run = ({
  run,
  siteId,
  onCancelled,
}: {
  readonly run: BulkUpdateState;
  readonly siteId: number;
  readonly onCancelled: () => void;
}) => {
  const isRunning = run.state === "running";
  if (!isRunning && Date.now() - Date.parse(run.ended_at ?? run.updated_at) > SHOWN_FOR_MS) return null;
  const share = isRunning ? run.share_done : 1;
  const left = run.estimated_seconds_left;
  const cancel = async (): Promise<void> => {
    try {
      await cancelBulkUpdate(siteId, run.id);
      announce("The run is cancelled. What was asked for already is still done.");
    } catch (error) {
      announce(asProblem(error).message);
    }
    onCancelled();
  };
  return (
    <div class={run.state === "failed" ? "run notice bad" : "run notice good"}>
      <p>
        <strong>
          {titleOf(run)}: {STATES[run.state]}
        </strong>{" "}
        <span class="faint">
          asked by {run.asked_by} <Time at={run.asked_at} />
        </span>
      </p>
      {run.state !== "failed" && (
        <progress max={1} value={share} aria-label={`${titleOf(run)}, rows looked at`}>
          {Math.round(share * 100)} %
        </progress>
      )}
      <p class="facts-line">
        <span>{whole(run.looked_at_count)} looked at</span>
        <span>{whole(run.changed_count)} asked for</span>
        {run.skipped_count > 0 && <span>{whole(run.skipped_count)} had it already</span>}
        {isRunning && <span>{left === null ? "time left: estimating" : `about ${duration(left)} left`}</span>}
      </p>
      {run.error !== null && <p>{run.error}</p>}
      {isRunning && (
        <p class="actions">
          <button type="button" class="small" onClick={() => void cancel()}>
            Cancel the run
          </button>
        </p>
      )}
    </div>
  );
};
