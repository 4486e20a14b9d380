import { useState } from "preact/hooks";
import { Link, Time } from "../parts/basics.tsx";
import { SyncState, Verification } from "../parts/states.tsx";
import { keyOf, opaqueOf, type Registry } from "../registries.ts";

/** A row of the list: what it is, how it stands, why it failed, and what can be done. */
export const RegistryRow = ({
  siteId,
  plural,
  registry,
  onUpdate,
}: {
  readonly siteId: number;
  readonly plural: string;
  readonly registry: Registry;
  readonly onUpdate: (action: "RESYNC" | "REVERIFY") => Promise<void>;
}) => {
  const [busy, setBusy] = useState<"RESYNC" | "REVERIFY">();
  const opaque = opaqueOf(registry);
  const key = keyOf(opaque);
  const update = async (action: "RESYNC" | "REVERIFY"): Promise<void> => {
    setBusy(action);
    await onUpdate(action);
    setBusy(undefined);
  };
  return (
    <li class="row">
      <div class="row-main">
        <p class="row-name">
          <Link to={{ view: "registry", id: siteId, plural, opaque }}>{key}</Link>
        </p>
        <p class="row-states">
          <SyncState state={registry.state} />
          <Verification state={registry.verificationState} />
          {registry.missingOnPrimary === true && <span class="badge bad">Missing on the primary</span>}
        </p>
        <p class="facts-line">
          <span>
            Synced <Time at={registry.lastSyncedAt} />
          </span>
          <span>
            Verified <Time at={registry.verifiedAt} />
          </span>
          {registry.retryAt !== null && (
            <span>
              Next retry <Time at={registry.retryAt} />
            </span>
          )}
        </p>
        {registry.lastSyncFailure !== null && <p class="row-failure">{registry.lastSyncFailure}</p>}
        {registry.verificationFailure !== null && <p class="row-failure">{registry.verificationFailure}</p>}
      </div>
      <p class="actions">
        <button type="button" class="small" disabled={busy !== undefined} onClick={() => void update("RESYNC")}>
          Resync<span class="unseen"> {key}</span>
        </button>
        <button type="button" class="small" disabled={busy !== undefined} onClick={() => void update("REVERIFY")}>
          Reverify<span class="unseen"> {key}</span>
        </button>
      </p>
    </li>
  );
};
