import type { UpdateRequest } from "../../shared/ports/table.ts";
import type { Scenario } from "./search.ts";

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
];

/** A defence that is taken away, and where the explorer must then find the loss. */
export interface Negative {
  readonly defence: string;
  readonly scenario: Scenario;
}

/** Which write a request is, by the condition or columns that only it has. */
const has = (request: UpdateRequest, text: string): boolean =>
  request.update.includes(text) || (request.condition ?? "").includes(text);

/** Takes a placeholder out, with its value: DynamoDB refuses a request that carries one it does not use. */
const without = (request: UpdateRequest, edit: (text: string) => string): UpdateRequest => {
  const update = edit(request.update);
  const condition = request.condition === undefined ? undefined : edit(request.condition);
  const text = `${update} ${condition ?? ""}`;
  const used = (placeholder: string) => new RegExp(`${placeholder}\\b`).test(text);
  const pick = <V>(entries: Readonly<Record<string, V>> | undefined): Record<string, V> =>
    Object.fromEntries(Object.entries(entries ?? {}).filter(([placeholder]) => used(placeholder)));
  return {
    key: request.key,
    update,
    ...(condition === undefined || condition === "" ? {} : { condition }),
    ...(request.names === undefined ? {} : { names: pick(request.names) }),
    ...(request.values === undefined ? {} : { values: pick(request.values) }),
  };
};

const onUpdate = (edit: (request: UpdateRequest) => UpdateRequest) => ({ update: edit });

export const NEGATIVES: readonly Negative[] = [
  {
    defence: "level-triggered: the source is asked after the claim (R1-R3)",
    scenario: {
      name: "the source is what the first event said",
      workers: 1,
      budget: {},
      verification: "read_back",
      tampering: {
        // Whatever the source holds now, the worker is told of its oldest version: what the first event was about.
        sourceHead: (state, honest) => {
          const [first] = state.source;
          return honest.outcome === "present" && first?.kind === "object"
            ? { ...honest, facts: { ...honest.facts, versionId: first.v, etag: `"${first.content}"` } }
            : honest;
        },
      },
    },
  },
  {
    defence: "the lease and the generation: one worker at a time, settling what it claimed (R8)",
    scenario: {
      name: "everybody claims, and everybody commits",
      workers: 2,
      budget: {},
      verification: "read_back",
      tampering: onUpdate((request) =>
        without(request, (text) =>
          text
            .replace("attempt_token = :token AND gen = :claimed_gen", "attribute_exists(pk)")
            .replace(/^attribute_not_exists\(attempt_token\)$/, ""),
        ),
      ),
    },
  },
  {
    defence: "the generation: a commit settles only what it claimed (R4, R5)",
    scenario: {
      name: "commits ignore the generation",
      workers: 2,
      budget: {},
      verification: "read_back",
      tampering: onUpdate((request) =>
        without(request, (text) =>
          text.replace("attempt_token = :token AND gen = :claimed_gen", "attempt_token = :token"),
        ),
      ),
    },
  },
  {
    defence: "a hint that joins is counted before it is acknowledged (R8)",
    scenario: {
      name: "joining counts nothing",
      workers: 2,
      budget: {},
      verification: "read_back",
      tampering: onUpdate((request) =>
        request.condition === "attribute_exists(pk)"
          ? without(request, (text) => text.replace("gen = gen + :one, ", ""))
          : request,
      ),
    },
  },
  {
    defence: "a takeover taints the row (R10, R11)",
    scenario: {
      name: "takeovers taint nothing",
      workers: 2,
      budget: { crashes: 1 },
      verification: "read_back",
      tampering: onUpdate((request) =>
        has(request, ":old_token")
          ? without(request, (text) => text.replace(" taint_until = :taint_until,", ""))
          : request,
      ),
    },
  },
  {
    defence: "a write without an answer taints the row (R11, R14)",
    scenario: {
      name: "unanswered writes taint nothing",
      workers: 2,
      budget: { unanswered: 1 },
      verification: "read_back",
      tampering: onUpdate((request) => without(request, (text) => text.replace("#taint_until = :taint_until, ", ""))),
    },
  },
  {
    defence: "a worker that wrote and lost its lease says so (T5c, R12)",
    scenario: {
      name: "zombies keep silent",
      workers: 2,
      budget: { zombies: 1 },
      verification: "read_back",
      hastyQuarantine: true,
      tampering: onUpdate((request) =>
        has(request, "#state = if_not_exists(#state, :pending)")
          ? { key: request.key, update: "SET rev = rev", condition: "attribute_exists(rev)" }
          : request,
      ),
    },
  },
  {
    defence: "the quarantine waits for whoever may still write (R11, R12)",
    scenario: {
      name: "a hasty quarantine",
      workers: 2,
      budget: { crashes: 1 },
      verification: "read_back",
      hastyQuarantine: true,
    },
  },
  {
    defence: "a tainted tombstone is not purged (R11)",
    scenario: {
      name: "tombstones are purged at once",
      workers: 2,
      budget: { unanswered: 1 },
      verification: "read_back",
      tampering: {
        // The code is not told of the taint once the row is a tombstone, and the purge does not ask for it.
        item: (item) => {
          if (item["state"] !== 5) return item;
          const { taint_until: _hidden, ...rest } = item;
          return rest;
        },
        delete: (request) => ({
          ...request,
          condition: (request.condition ?? "").replace(" AND attribute_not_exists(taint_until)", ""),
        }),
      },
    },
  },
  {
    defence: "an unsettled row is in the due index (L2, R9)",
    scenario: {
      name: "claims are not due",
      workers: 1,
      budget: {},
      verification: "read_back",
      tampering: onUpdate((request) =>
        has(request, "last_event_at")
          ? without(request, (text) => text.replace(" due_pk = :due_pk, due_at = :lease_until,", ""))
          : request,
      ),
    },
  },
  {
    defence: "a verification's verdict is about the generation it claimed (L2, R15)",
    scenario: {
      name: "verdicts ignore the generation",
      workers: 2,
      budget: { zombies: 1 },
      verification: "function",
      tampering: onUpdate((request) =>
        without(request, (text) => text.replace(" AND gen = :gen AND src_version_id", " AND src_version_id")),
      ),
    },
  },
  {
    defence: "a replica that was read and found wrong is not trusted again (F26)",
    scenario: {
      name: "mismatches are forgotten",
      workers: 1,
      budget: { changes: 1, corruptions: 1 },
      verification: "read_back",
      tampering: {
        item: (item) => ({ ...item, checksum_mismatch: false }),
      },
    },
  },
  {
    defence: "replicas are read back (S2)",
    scenario: {
      name: "the copied checksum is believed",
      workers: 1,
      budget: { changes: 1, corruptions: 1 },
      verification: "function",
      tampering: onUpdate((request) =>
        request.values?.[":verification_state"] === 0
          ? { ...request, values: { ...request.values, ":verification_state": 2 } }
          : request,
      ),
    },
  },
];
