import {
  NEXT_REPLICATION_STATE,
  type ReplicationChange,
  type ReplicationState,
  replicationStateOf,
} from "../../shared/geo/replication-state.ts";
import {
  NEXT_VERIFICATION_STATE,
  type VerificationChange,
  type VerificationState,
  verificationStateOf,
} from "../../shared/geo/verification-state.ts";
import type { StreamRecord } from "../../shared/memory/table.ts";
import type { Item } from "../../shared/ports/table.ts";
import type { RegistryWrite, Told } from "./steps.ts";

/** Told of a broken rule. */
export type Report = (rule: string, detail: string) => void;

const replicationOf = (row: Item | undefined): ReplicationState | "none" =>
  row === undefined ? "none" : replicationStateOf(Number(row["state"]));

/** A row that says nothing of its verification is pending, as Geo's new rows are. */
const verificationOf = (row: Item | undefined): VerificationState =>
  verificationStateOf(Number(row?.["verification_state"] ?? 0));

/** A claim of a verification that somebody has already is a takeover: one write makes both. */
const verificationChange = (change: VerificationChange, from: VerificationState): VerificationChange =>
  change === "start" && from === "started" ? "take_over" : change;

/** Geo's texts for holders that never came back, which operators search for (F20, F21). */
const TIMEOUT_TEXTS: Readonly<Record<Told, RegExp>> = {
  "told sync timed out": /^Sync timed out after \d+$/,
  "told verification timed out": /^Verification timed out after \d+$/,
  "told checksum timed out": /^Verification timed out after \d+$/,
};

/**
 * F9, F10: what becomes of a row's two states is what the tables of transitions say of the write that was made. Every write
 * of the registry comes through `carryOut`, so that a change of the table is known by the step that made it.
 */
export class Transitions {
  readonly #report: Report;
  readonly #tells: (told: Told) => void;
  #write: RegistryWrite | undefined;

  constructor(report: Report, tells: (told: Told) => void) {
    this.#report = report;
    this.#tells = tells;
  }

  /** Carries a write out: the table tells of its changes before this returns. */
  carryOut<Answer>(write: RegistryWrite, carryOut: () => Answer): Answer {
    this.#write = write;
    try {
      return carryOut();
    } finally {
      this.#write = undefined;
    }
  }

  /** A row of the registry was made, changed or deleted. */
  changed({ key, before, after }: StreamRecord): void {
    const write = this.#write;
    if (write === undefined) {
      this.#report("F10", `the row of ${key.sk} was changed by no step`);
      return;
    }
    this.#checkReplication(key.sk, write, replicationOf(before), replicationOf(after));
    if (after === undefined) return;
    this.#checkVerification(key.sk, write, verificationOf(before), verificationOf(after));
    if (write.step === "sync time_out") this.#checkText(key.sk, "told sync timed out", after["last_sync_failure"]);
    if (write.step === "verify time_out") {
      this.#checkText(key.sk, "told verification timed out", after["verification_failure"]);
    }
  }

  /** One of the primary's records was made, changed or deleted. */
  recordChanged({ key, before, after }: StreamRecord): void {
    const text = after?.["verification_failure"];
    if (typeof text !== "string" || text === before?.["verification_failure"]) return;
    if (text.includes("timed out")) this.#checkText(key.sk, "told checksum timed out", text);
  }

  #checkReplication(key: string, write: RegistryWrite, from: ReplicationState | "none", to: string): void {
    const change: ReplicationChange | undefined = write.replication;
    const expected = change === undefined ? from : NEXT_REPLICATION_STATE[from][change];
    if (to !== expected) this.#report("F10", `${write.step} makes ${to} of the ${from} row of ${key}, not ${expected}`);
  }

  #checkVerification(key: string, write: RegistryWrite, from: VerificationState, to: VerificationState): void {
    const change = write.verification;
    const expected = change === undefined ? from : NEXT_VERIFICATION_STATE[from][verificationChange(change, from)];
    if (to !== expected) {
      this.#report("F9", `${write.step} makes ${to} of ${key}, whose verification was ${from}, not ${expected}`);
    }
  }

  #checkText(key: string, what: Told, text: unknown): void {
    if (typeof text === "string" && TIMEOUT_TEXTS[what].test(text)) this.#tells(what);
    else this.#report("F20", `${key} is said to have timed out in the words ${JSON.stringify(text)}`);
  }
}
