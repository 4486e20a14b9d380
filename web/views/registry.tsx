import { useState } from "preact/hooks";
import type { CallProblem } from "../api.ts";
import { asProblem, useLoaded } from "../loading.ts";
import { announce } from "../parts/announcer.tsx";
import { Copyable, Fact, Heading, Link, Problem, Time, Waiting } from "../parts/basics.tsx";
import { SyncState, Verification } from "../parts/states.tsx";
import { keyOf, loadRegistry, type Registry, updateRegistry } from "../registries.ts";
import { typeOf } from "../types.ts";

/** How often a row is looked at again, milliseconds. */
const EVERY_MS = 5_000;

/** One row: its registry, its replication, its verification. */
export const RegistryView = ({
  id,
  plural,
  opaque,
}: {
  readonly id: number;
  readonly plural: string;
  readonly opaque: string;
}) => {
  const type = typeOf(plural);
  const [busy, setBusy] = useState<"RESYNC" | "REVERIFY">();
  const [refused, setRefused] = useState<CallProblem>();
  const load = (signal: AbortSignal) => loadRegistry(type, opaque, signal);
  const { value: registry, problem, reload } = useLoaded(`${plural} ${opaque}`, load, EVERY_MS);
  const update = async (action: "RESYNC" | "REVERIFY"): Promise<void> => {
    setBusy(action);
    setRefused(undefined);
    try {
      await updateRegistry(`gid://geo/${type.registryClass}/${opaque}`, action);
      announce(
        action === "RESYNC" ? "The object will be copied again." : "The replica will be read and compared again.",
      );
      reload();
    } catch (error) {
      setRefused(asProblem(error));
    }
    setBusy(undefined);
  };
  return (
    <>
      <nav class="crumbs" aria-label="Breadcrumb">
        <Link to={{ view: "sites" }}>Sites</Link> <span aria-hidden="true">/</span>{" "}
        <Link to={{ view: "registries", id, plural }}>{type.title}</Link>
      </nav>
      <Heading>{keyOf(opaque)}</Heading>
      <p class="actions">
        <button type="button" class="primary" disabled={busy !== undefined} onClick={() => void update("RESYNC")}>
          Resync
        </button>
        <button type="button" disabled={busy !== undefined} onClick={() => void update("REVERIFY")}>
          Reverify
        </button>
      </p>
      {refused !== undefined && <Problem problem={refused} />}
      {problem !== undefined && <Problem problem={problem} retry={reload} />}
      {registry === undefined && problem === undefined && <Waiting what="the registry" />}
      {registry !== undefined && (
        <div class="item">
          <About registry={registry} registryClass={type.registryClass} opaque={opaque} />
          <Replication registry={registry} />
          <Verified registry={registry} />
        </div>
      )}
    </>
  );
};

const About = ({
  registry,
  registryClass,
  opaque,
}: {
  readonly registry: Registry;
  readonly registryClass: string;
  readonly opaque: string;
}) => (
  <section class="card whole" aria-labelledby="about">
    <h2 id="about">Registry</h2>
    <dl class="facts">
      <Fact name="S3 key">
        <Copyable text={keyOf(opaque)} what="the key" />
      </Fact>
      <Fact name="Registry id">
        <Copyable text={`gid://geo/${registryClass}/${opaque}`} what="the registry id" />
      </Fact>
      <Fact name="Record id">{registry.modelRecordId ?? "none: the type does not claim this key any more"}</Fact>
      <Fact name="First heard of">
        <Time at={registry.createdAt} exact />
      </Fact>
      {registry.dataManagementDetailsPath !== null && (
        <Fact name="The original, on the primary's page">
          <Copyable text={registry.dataManagementDetailsPath} what="the path at the primary" />
        </Fact>
      )}
    </dl>
  </section>
);

const Replication = ({ registry }: { readonly registry: Registry }) => (
  <section class="card" aria-labelledby="replication">
    <h2 id="replication">Replication</h2>
    <dl class="facts">
      <Fact name="Status">
        <SyncState state={registry.state} />
        {registry.missingOnPrimary === true && <span class="badge bad">Missing on the primary</span>}
      </Fact>
      <Fact name="Last synced">
        <Time at={registry.lastSyncedAt} exact />
      </Fact>
      <Fact name="Next retry">
        <Retry at={registry.retryAt} count={registry.retryCount} />
      </Fact>
      <Fact name="Error">{registry.lastSyncFailure ?? <span class="faint">none</span>}</Fact>
    </dl>
    <details>
      <summary>What the statuses mean</summary>
      <p>
        Pending waits for its copy, syncing is being copied, synced was copied or found to be right. What has failed is
        tried again by itself, later each time; Resync does not wait for that.
      </p>
    </details>
  </section>
);

const Verified = ({ registry }: { readonly registry: Registry }) => {
  const expected = registry.verificationChecksumMismatched;
  return (
    <section class="card" aria-labelledby="verification">
      <h2 id="verification">Verification</h2>
      <dl class="facts">
        <Fact name="Status">
          <Verification state={registry.verificationState} />
          {registry.checksumMismatch === true && <span class="badge bad">Checksums differ</span>}
        </Fact>
        <Fact name="Checksum of the replica">
          {registry.verificationChecksum === null ? (
            <span class="faint">none yet</span>
          ) : (
            <Copyable text={registry.verificationChecksum} what="the replica's checksum" />
          )}
        </Fact>
        {expected !== null && (
          <Fact name="Expected: the primary's checksum">
            <Copyable text={expected} what="the primary's checksum" />
          </Fact>
        )}
        <Fact name="Last verification began">
          <Time at={registry.verificationStartedAt} exact />
        </Fact>
        <Fact name="Last verified">
          <Time at={registry.verifiedAt} exact />
        </Fact>
        <Fact name="Next retry">
          <Retry at={registry.verificationRetryAt} count={registry.verificationRetryCount} />
        </Fact>
        <Fact name="Error">{registry.verificationFailure ?? <span class="faint">none</span>}</Fact>
      </dl>
      <details>
        <summary>What the statuses mean</summary>
        <p>
          The replica is read back in this region and compared with the primary&apos;s checksum. Disabled: the primary
          has no checksum, or verification is switched off for the type. What differs is copied again.
        </p>
      </details>
    </section>
  );
};

const Retry = ({ at, count }: { readonly at: string | null; readonly count: number | null }) =>
  at === null ? (
    <span class="faint">none is needed</span>
  ) : (
    <>
      <span>number {(count ?? 0) + 1}, </span>
      <Time at={at} exact />
    </>
  );
