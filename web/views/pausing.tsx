import { useState } from "preact/hooks";
import { call, type CallProblem } from "../api.ts";
import { asProblem } from "../loading.ts";
import { announce } from "../parts/announcer.tsx";
import { Problem } from "../parts/basics.tsx";
import { Confirm } from "../parts/confirm.tsx";
import type { Site } from "../sites.ts";

/** Pauses a secondary and has it go on. */
export const Pausing = ({ site: { settings }, onChange }: { readonly site: Site; readonly onChange: () => void }) => {
  const [isAsking, setIsAsking] = useState(false);
  const [isBusy, setIsBusy] = useState(false);
  const [refused, setRefused] = useState<CallProblem>();
  const { enabled, name } = settings;
  const change = async (): Promise<void> => {
    setIsBusy(true);
    setRefused(undefined);
    try {
      await call("PUT", `api/v4/geo_sites/${settings.id}`, { body: { enabled: !enabled } });
      announce(enabled ? `${name} is paused.` : `${name} goes on.`);
    } catch (error) {
      setRefused(asProblem(error));
    }
    setIsBusy(false);
    setIsAsking(false);
    onChange();
  };
  return (
    <section class="card pausing" aria-labelledby="pausing">
      <div>
        <h2 id="pausing">Replication {enabled ? "is running" : "is paused"}</h2>
        <p class="faint">
          {enabled
            ? "Pausing starts no new work here; what changes meanwhile is noted and made up for."
            : "What changes is noted. Resuming makes up for all of it."}
        </p>
      </div>
      <p class="actions">
        <button type="button" onClick={() => setIsAsking(true)}>
          {enabled ? "Pause replication" : "Resume replication"}
        </button>
      </p>
      {refused !== undefined && <Problem problem={refused} />}
      {isAsking && (
        <Confirm
          title={enabled ? `Pause ${name}?` : `Resume ${name}?`}
          does={enabled ? "Pause" : "Resume"}
          isBusy={isBusy}
          onConfirm={() => void change()}
          onClose={() => setIsAsking(false)}
        >
          <p>
            {enabled
              ? "The site copies and verifies nothing more until it is resumed, and falls behind the primary meanwhile. What is under way is brought to its end. Nothing is lost."
              : "The site takes up everything that has changed since it was paused, the oldest first."}
          </p>
        </Confirm>
      )}
    </section>
  );
};
