import type { Scenario } from "./search.ts";
import type { Tampering } from "./site.ts";
import { presentReplica } from "./versions.ts";

/** The recheck looks at the replica and finds it as the row says, whatever is there: it never finds anything. */
export const blindRecheck: Tampering = {
  replicaHead: (state, honest, step) => {
    const recorded = state.row?.["rep_version_id"];
    if (step !== "recheck") return honest;
    const named = state.replica.find(({ v }) => v === recorded);
    return named?.kind === "object" ? presentReplica(named) : { outcome: "absent" };
  },
};

/** What the protocol must survive, all defences on. Together they are what `npm run explore` visits. */
export const SCENARIOS: readonly Scenario[] = [
  { name: "no faults", workers: 2, budget: {}, verification: "read_back" },
  { name: "no faults, verified later", workers: 2, budget: {}, verification: "function" },
  { name: "lost and duplicated messages", workers: 2, budget: { losses: 1, duplicates: 1 }, verification: "read_back" },
  { name: "corrupted copies", workers: 2, budget: { corruptions: 2 }, verification: "read_back" },
  { name: "corrupted copies, verified later", workers: 2, budget: { corruptions: 1 }, verification: "function" },
  {
    name: "a crash anywhere, its request landing late or never",
    workers: 2,
    budget: { crashes: 1 },
    verification: "read_back",
  },
  { name: "a write without an answer", workers: 2, budget: { unanswered: 1 }, verification: "read_back" },
  {
    name: "a write without an answer, on a store without conditional writes",
    workers: 2,
    budget: { unanswered: 1 },
    verification: "read_back",
    tampering: { conditionalWrites: false },
  },
  { name: "a lease that ends under a live worker", workers: 2, budget: { zombies: 1 }, verification: "read_back" },
  {
    name: "three changes, a write without an answer",
    workers: 2,
    budget: { changes: 3, unanswered: 1 },
    verification: "read_back",
  },
  { name: "a crash, verified later", workers: 2, budget: { crashes: 1 }, verification: "function" },
  {
    name: "a crash and a write without an answer",
    workers: 2,
    budget: { crashes: 1, unanswered: 1 },
    verification: "read_back",
  },
  {
    name: "a crash and a lease that ends early",
    workers: 2,
    budget: { crashes: 1, zombies: 1 },
    verification: "read_back",
  },
  {
    name: "a lease that ends under a live verifier",
    workers: 1,
    verifiers: 2,
    budget: { zombies: 1 },
    verification: "function",
  },
  {
    name: "a write without an answer, and drift instead of the recheck",
    workers: 2,
    budget: { unanswered: 1 },
    verification: "read_back",
    drift: true,
    tampering: blindRecheck,
  },
  {
    name: "a crash, and drift instead of the recheck",
    workers: 1,
    budget: { crashes: 1 },
    verification: "read_back",
    drift: true,
    tampering: blindRecheck,
  },
  {
    name: "a lease that ends under a live worker, and drift instead of the recheck",
    workers: 2,
    budget: { zombies: 1 },
    verification: "read_back",
    drift: true,
    tampering: blindRecheck,
  },
  {
    name: "a write without an answer, and drift events of which one is lost",
    workers: 1,
    budget: { unanswered: 1, driftLosses: 1 },
    verification: "read_back",
    drift: true,
  },
  {
    name: "a person changes the replica",
    workers: 2,
    budget: { changes: 1, persons: 1 },
    verification: "read_back",
    drift: true,
  },
  {
    name: "a person changes the replica, verified later",
    workers: 1,
    budget: { persons: 1 },
    verification: "function",
    drift: true,
  },
  {
    name: "the primary's record lags behind its bucket",
    workers: 2,
    budget: { changes: 3 },
    verification: "read_back",
    record: "lagging",
  },
  {
    name: "the primary's record lags, and a worker crashes",
    workers: 2,
    budget: { crashes: 1 },
    verification: "read_back",
    record: "lagging",
  },
  {
    name: "the removal guard holds back and is released",
    workers: 2,
    budget: { changes: 3, otherRemovals: 2 },
    verification: "read_back",
    guarded: true,
  },
  {
    name: "the removal guard holds back, and a write ends without an answer",
    workers: 2,
    budget: { otherRemovals: 1, unanswered: 1 },
    verification: "read_back",
    guarded: true,
  },
  { name: "an operator asks for a fresh copy", workers: 2, budget: { resyncs: 1 }, verification: "read_back" },
  {
    name: "an operator asks for a fresh copy, and a write ends without an answer",
    workers: 2,
    budget: { changes: 1, resyncs: 1, unanswered: 1 },
    verification: "read_back",
  },
  {
    name: "an operator asks for a fresh copy, and a worker crashes",
    workers: 2,
    budget: { changes: 1, resyncs: 1, crashes: 1 },
    verification: "read_back",
  },
  { name: "in two parts, no faults", workers: 2, budget: {}, verification: "read_back", inParts: "all" },
  {
    name: "in two parts, a crash anywhere",
    workers: 1,
    budget: { crashes: 1 },
    verification: "function",
    inParts: "all",
  },
  {
    name: "in two parts, two workers and a crash",
    workers: 2,
    budget: { crashes: 1 },
    verification: "read_back",
    inParts: "all",
  },
  {
    name: "in two parts, a lease that ends under a live worker",
    workers: 2,
    budget: { zombies: 1 },
    verification: "read_back",
    inParts: "all",
  },
  {
    name: "in two parts, a write without an answer",
    workers: 2,
    budget: { unanswered: 1 },
    verification: "read_back",
    inParts: "all",
  },
  {
    name: "in two parts, a write without an answer, on a store without conditional writes",
    workers: 1,
    budget: { unanswered: 1 },
    verification: "read_back",
    inParts: "all",
    tampering: { conditionalWrites: false },
  },
  {
    name: "in two parts or whole, a crash anywhere",
    workers: 1,
    budget: { crashes: 1 },
    verification: "read_back",
    inParts: "A",
  },
  {
    name: "in two parts, a person changes the replica",
    workers: 2,
    budget: { changes: 1, persons: 1 },
    verification: "read_back",
    drift: true,
    inParts: "all",
  },
  {
    name: "in two parts, a restore or a promotion",
    workers: 1,
    budget: { epochs: 1 },
    verification: "read_back",
    inParts: "all",
  },
  { name: "a restore or a promotion", workers: 2, budget: { epochs: 1 }, verification: "read_back" },
  {
    name: "a restore or a promotion, and a write without an answer",
    workers: 2,
    budget: { epochs: 1, unanswered: 1 },
    verification: "read_back",
  },
];
