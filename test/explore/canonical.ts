import type { Item } from "../../shared/ports/table.ts";
import type { State, WorkerSlot } from "./state.ts";

/**
 * A text that two states share exactly when nothing can tell them apart: names of versions and tokens are numbered by
 * where they first appear, workers are interchangeable, and columns that decide nothing are left out.
 */

const DECIDING = [
  "state",
  "gen",
  "claimed_gen",
  "done_gen",
  "attempt_token",
  "lease_until",
  "taint_until",
  "due_at",
  "retry_at",
  "src_version_id",
  "rep_version_id",
  "src_checksum",
  "checksum_mismatch",
  "verification_state",
  "v_token",
  "v_lease",
] as const;

const plain = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";

const rowText = (row: Readonly<Record<string, unknown>> | undefined): string =>
  row === undefined ? "-" : DECIDING.map((column) => plain(row[column])).join(",");

/** Texts of values inside an attempt; rows and facts by what decides, the rest as it is. */
const valueText = (name: string, value: unknown): string => {
  if (value === undefined || value === null) return "";
  if (name === "row") return rowText(value as Record<string, unknown>);
  if (name === "ref" || name === "stopAt" || name === "detail" || name === "text") return "";
  if (typeof value !== "object") return plain(value);
  if ("versionId" in value) return plain(value.versionId);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${key}:${valueText(key, inner)}`)
    .join(";")}}`;
};

const workerText = ({ attempt, message }: WorkerSlot): string =>
  `${message ? "m" : "-"}${valueText("attempt", attempt)}`;

const NAME = /\b[srt]\d+\b/g;

const withoutNames = (text: string): string => text.replace(NAME, "*");

const revMatters = (state: State): boolean =>
  state.workers.some(
    ({ attempt }) => attempt?.at === "recheck" || attempt?.at === "clear_taint" || attempt?.at === "reschedule",
  );

const revText = (state: State, row: Item | undefined): string =>
  revMatters(state)
    ? state.workers
        .map(({ attempt }) =>
          attempt !== undefined && "row" in attempt ? String(attempt.row.rev === row?.["rev"]) : "",
        )
        .join("")
    : "";

export const canonicalText = (state: State): string => {
  const { budget } = state;
  const workers = state.workers.map(workerText).sort((a, b) => (withoutNames(a) < withoutNames(b) ? -1 : 1));
  const text = [
    rowText(state.row),
    state.source
      .map((version) => (version.kind === "object" ? `${version.v} ${version.content}` : `${version.v} -`))
      .join("|"),
    state.replica
      .map((version) => (version.kind === "object" ? `${version.v} ${version.says}${version.bytes}` : `${version.v} -`))
      .join("|"),
    state.late
      .map((request) => `${request.kind}${"content" in request ? request.content : ""}${request.onto ?? ""}`)
      .sort()
      .join("|"),
    workers.join("|"),
    valueText("verifier", state.verifier),
    revText(state, state.row),
    state.hints,
    state.unreconciled ? 1 : 0,
    budget.changes,
    budget.crashes,
    budget.duplicates,
    budget.losses,
    budget.zombies,
    budget.unanswered,
    budget.corruptions,
  ].join("~");
  const numbers = new Map<string, number>();
  return text.replace(NAME, (name) => {
    let number = numbers.get(name);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(name, number);
    }
    return `#${number}`;
  });
};

/** 53 bits of a text: two states in 10⁷ share one by accident with a chance below 1 in 100. */
export const fingerprint = (text: string): number => {
  let a = 0xdeadbeef;
  let b = 0x41c6ce57;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2_654_435_761);
    b = Math.imul(b ^ code, 1_597_334_677);
  }
  a = Math.imul(a ^ (a >>> 16), 2_246_822_507) ^ Math.imul(b ^ (b >>> 13), 3_266_489_909);
  b = Math.imul(b ^ (b >>> 16), 2_246_822_507) ^ Math.imul(a ^ (a >>> 13), 3_266_489_909);
  return 4_294_967_296 * (2_097_151 & b) + (a >>> 0);
};
