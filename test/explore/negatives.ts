import type { UpdateRequest } from "../../shared/ports/table.ts";
import { FIRST_STANDING } from "../../shared/geo/site-standing.ts";
import { presentReplica } from "./versions.ts";
import { currentOf } from "./state.ts";
import { blindRecheck } from "./scenarios.ts";
import type { Scenario } from "./search.ts";

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

/** A claim that asks nobody whether the row is held; who commits is told by token and generation as ever. */
const stolen = (request: UpdateRequest): UpdateRequest =>
  has(request, "claimed_gen = ")
    ? without(request, (text) => text.replace(/attribute_not_exists\(attempt_token\)( AND )?/, ""))
    : request;

const onUpdate = (edit: (request: UpdateRequest) => UpdateRequest) => ({ update: edit });

export const NEGATIVES: readonly Negative[] = [
  {
    defence: "level-triggered: the source is asked after the claim, not before (R1-R3)",
    scenario: {
      name: "the source is looked at first, and the row claimed then",
      workers: 2,
      budget: {},
      verification: "read_back",
      tampering: { looksFirst: true },
    },
  },
  // Who is robbed of a live lease and lives says so himself (T5c, R12): that costs work and a quarantine, and nothing else,
  // however many changes there are. But a row is taken from whoever holds it without a suspicion, and he may die.
  {
    defence: "the lease: a row that somebody holds is not claimed (R8, R11)",
    scenario: {
      name: "everybody claims",
      workers: 2,
      budget: { crashes: 1 },
      verification: "read_back",
      tampering: onUpdate(stolen),
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
  {
    defence: "a timeout taints the row (F20, R11)",
    scenario: {
      name: "timeouts taint nothing",
      workers: 2,
      budget: { crashes: 1 },
      verification: "read_back",
      tampering: onUpdate((request) =>
        has(request, ":old_token")
          ? without(request, (text) => text.replace("#taint_until = :taint_until, ", ""))
          : request,
      ),
    },
  },
  {
    defence: "drift or the recheck: a write that lands late is noticed (T8, T9, R11)",
    scenario: {
      name: "neither drift nor the recheck",
      workers: 2,
      budget: { unanswered: 1 },
      verification: "read_back",
      tampering: blindRecheck,
    },
  },
  {
    defence: "the recheck compares versions, and not ETags (T8, R13)",
    scenario: {
      name: "the recheck takes what says the same for what the row names",
      workers: 1,
      budget: { changes: 1, resyncs: 1, unanswered: 1 },
      verification: "read_back",
      tampering: {
        replicaHead: (state, honest, step) => {
          const named = state.replica.find(({ v }) => v === state.row?.["rep_version_id"]);
          const isTheSame = named?.kind === "object" && named.says === currentOf(state.replica)?.says;
          return step === "recheck" && isTheSame ? presentReplica(named) : honest;
        },
      },
    },
  },
  {
    defence: "a row that is made again is not the old row: its `rev` begins anywhere (T8)",
    scenario: {
      name: "the `rev` of every row begins at the same number",
      workers: 2,
      budget: { changes: 3, unanswered: 2 },
      verification: "read_back",
      // Two lives of a row that come to the same generation and suspicion are far apart: only what leads there happens.
      mayHappen: /^(put A|delete|worker \d: copy \(unanswered (carried out|never)\))$/,
      tampering: { sameFirstRev: true },
    },
  },
  {
    defence: "drift: a change of the replica's bucket is noticed (T9, R23)",
    scenario: {
      name: "a person changes the replica, and nobody is told",
      workers: 1,
      budget: { changes: 1, persons: 1 },
      verification: "read_back",
    },
  },
  {
    defence: "drift waits for whoever holds the row (T9)",
    scenario: {
      name: "drift forgets what it finds under way",
      workers: 1,
      budget: { persons: 1 },
      verification: "read_back",
      drift: true,
      tampering: { driftForgetsLater: true },
    },
  },
  {
    defence: "the second witness: a bare 404 removes nothing (S8, R29)",
    scenario: {
      name: "the primary's record is not asked",
      workers: 1,
      budget: {},
      verification: "read_back",
      record: "lagging",
      tampering: { primaryRecord: () => undefined },
    },
  },
  {
    defence: "the removal guard (S9, R29)",
    scenario: {
      name: "the guard lets everything through",
      workers: 1,
      budget: { otherRemovals: 1 },
      verification: "read_back",
      guarded: true,
      tampering: {
        // Only the first removal of all is refused an answer of its own: there is no hour yet to be counted in.
        guard: (honest) => (honest.item === undefined ? honest : { outcome: "written", item: honest.item }),
      },
    },
  },
  {
    defence: "a resync that joins an attempt is remembered (F18)",
    scenario: {
      name: "joining forgets the resync",
      workers: 2,
      budget: { changes: 1, resyncs: 1 },
      verification: "read_back",
      tampering: onUpdate((request) =>
        request.condition === "attribute_exists(pk)"
          ? without(request, (text) => text.replace(", resync_requested = :true", ""))
          : request,
      ),
    },
  },
  {
    defence: "a resync marks the row until a copy was made (F18)",
    scenario: {
      name: "what the row holds is taken for the fresh copy",
      workers: 1,
      budget: { changes: 1, resyncs: 1 },
      verification: "read_back",
      tampering: {
        item: ({ resync_requested: _forgotten, ...item }) => item,
      },
    },
  },
  {
    defence: "every part names the version that it is a copy of (R26)",
    scenario: {
      name: "parts are copied of whatever the source holds",
      workers: 1,
      budget: {},
      verification: "function",
      inParts: "all",
      tampering: { pinnedParts: false },
    },
  },
  {
    defence: "an upload of another version is aborted, and not gone on with (R26)",
    scenario: {
      name: "every upload is taken for one of what is wanted now",
      workers: 1,
      budget: { crashes: 1 },
      verification: "function",
      inParts: "all",
      tampering: {
        uploadTold: (state, item) => {
          const source = currentOf(state.source);
          return item["upload_id"] === undefined || source === undefined
            ? item
            : { ...item, upload_src_version_id: source.v, upload_src_etag: `"${source.content}"` };
        },
      },
    },
  },
  {
    defence: "an upload is written down before anything is copied (L4, R25)",
    scenario: {
      name: "nobody writes uploads down",
      workers: 1,
      budget: { changes: 1, crashes: 1 },
      verification: "read_back",
      inParts: "all",
      tampering: onUpdate((request) =>
        has(request, "#upload_id = :upload_id")
          ? without({ ...request, update: "SET rev = rev + :rev_step", names: {} }, (text) => text)
          : request,
      ),
    },
  },
  {
    defence: "an upload is completed only where the replica is as it was seen (S10, R35)",
    scenario: {
      name: "uploads are completed whatever is there",
      workers: 1,
      budget: { changes: 1, persons: 1 },
      verification: "read_back",
      drift: true,
      inParts: "all",
      tampering: { conditionalCompletion: false },
    },
  },
  {
    defence: "a write without an answer taints the row, in parts as well (R11, R14)",
    scenario: {
      name: "unanswered completions taint nothing",
      workers: 2,
      budget: { unanswered: 1 },
      verification: "read_back",
      inParts: "all",
      tampering: onUpdate((request) => without(request, (text) => text.replace("#taint_until = :taint_until, ", ""))),
    },
  },
  {
    defence: "the epoch's fence (S7, R27, R38)",
    scenario: {
      name: "whoever writes takes its own epoch for the site's",
      workers: 1,
      budget: { changes: 1, epochs: 1 },
      verification: "read_back",
      tampering: { standing: () => FIRST_STANDING },
    },
  },
  {
    defence: "a verifier that never came back is told of (F21, L3)",
    scenario: {
      name: "verifications never time out",
      workers: 1,
      budget: { changes: 1, crashes: 1 },
      verification: "function",
      tampering: onUpdate((request) =>
        has(request, "v_lease < :now")
          ? { key: request.key, update: "SET rev = rev", condition: "attribute_not_exists(pk)" }
          : request,
      ),
    },
  },
];
