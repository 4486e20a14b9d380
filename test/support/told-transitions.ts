import { encodeKey } from "../../shared/geo/key-codec.ts";
import { TRANSITION_EVENTS, type TransitionEventName } from "../../shared/geo/log-events.ts";
import { parseRegistryRow, parseVerificationStateRow } from "../../shared/geo/registry-row.ts";
import type { StreamRecord } from "../../shared/memory/table.ts";
import type { LogLine } from "../../shared/memory/telemetry.ts";
import type { TwoSites } from "./two-sites.ts";

/**
 * Which lines a world's tables ask for. Made from every change that the tables have seen, and from nothing that a service
 * says, so that a change without its line, and a line without its change, are found.
 */

/** Of several events that the tables can not tell apart, the one that stands for them here. */
const STANDS_FOR: Readonly<Partial<Record<TransitionEventName, TransitionEventName>>> = {
  left_to_workflow: "left_pending",
  verification_timed_out: "verification_failed",
  primary_differs: "checksum_failed",
};

const named = (event: TransitionEventName, key: string): string => `${STANDS_FOR[event] ?? event} ${encodeKey(key)}`;

/** What a change of a registry row asks to be told. */
const ofRegistry = ({ before, after }: StreamRecord): readonly TransitionEventName[] => {
  const was = before && parseRegistryRow(before);
  const is = after && parseRegistryRow(after);
  if (is === undefined) return []; // a tombstone
  const told: TransitionEventName[] = [];
  if (is.attempt_token !== undefined && is.attempt_token !== was?.attempt_token) told.push("claimed");
  if (was?.state === "started" && is.state !== "started") {
    const ends = { synced: "synced", failed: "sync_failed", absent: "absent", pending: "left_pending" } as const;
    told.push(ends[is.state]);
  }
  if (is.v_token !== undefined && is.v_token !== was?.v_token) told.push("verification_claimed");
  if (was?.verification_state === "started" && was.v_token !== undefined && is.v_token === undefined) {
    if (was.state === "synced" && is.state === "failed") told.push("checksum_mismatch");
    else if (was.state === "synced" && is.state === "pending") told.push("mismatch_excused");
    else if (is.verification_state === "succeeded") told.push("verified");
    else if (is.verification_state === "failed") told.push("verification_failed");
    else if (is.verification_state === "disabled") told.push("awaiting_primary");
    else told.push("verification_paused");
  }
  return told;
};

/** What a change of the primary's record asks to be told. */
const ofRecord = ({ before, after }: StreamRecord): readonly TransitionEventName[] => {
  const was = before && parseVerificationStateRow(before);
  const is = after && parseVerificationStateRow(after);
  if (is?.tombstone === true) return was?.tombstone === true ? [] : ["record_forgotten"];
  if (is === undefined) return [];
  const isNew = was?.src_version_id !== is.src_version_id || was?.verification_state !== is.verification_state;
  if (is.verification_state === "succeeded" && isNew) return ["checksum_succeeded"];
  if (is.verification_state === "failed" && was?.verification_retry_count !== is.verification_retry_count) {
    return ["checksum_failed"];
  }
  return was?.verification_state === "started" && is.verification_state === "pending" ? ["checksum_paused"] : [];
};

/** Watches the tables of a world. The answer gives what they have asked to be told since, sorted: event and encoded key. */
export const watchTables = (world: Pick<TwoSites, "registry" | "verificationState">): (() => readonly string[]) => {
  const asked: string[] = [];
  const watch =
    (of: (record: StreamRecord) => readonly TransitionEventName[]) =>
    (record: StreamRecord): void =>
      void asked.push(...of(record).map((event) => named(event, record.key.sk)));
  world.registry.onChange(watch(ofRegistry));
  world.verificationState.onChange(watch(ofRecord));
  return () => asked.toSorted();
};

const isTransition = (event: string): event is TransitionEventName => Object.hasOwn(TRANSITION_EVENTS, event);

/** Every line about a transition that a world has logged, those of the level `debug` included. */
export const transitionLines = ({ telemetry }: Pick<TwoSites, "telemetry">): readonly LogLine[] =>
  [...telemetry.lines, ...telemetry.debugLines].filter(({ event }) => isTransition(event));

/** What was told, in the words of `watchTables`. */
export const toldBy = (world: Pick<TwoSites, "telemetry">): readonly string[] =>
  transitionLines(world)
    .flatMap(({ event, fields }) =>
      isTransition(event) ? [`${STANDS_FOR[event] ?? event} ${String(fields["key"])}`] : [],
    )
    .sort();
