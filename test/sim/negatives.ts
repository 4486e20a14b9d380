import { FIRST_STANDING } from "../../shared/geo/site-standing.ts";
import type { UpdateRequest, WriteOutcome } from "../../shared/ports/table.ts";
import { KNOBS, type Knob, type Plan, planOf } from "./plan.ts";
import type { Tampering } from "./ports.ts";

/** A defence that is taken away; simulation must then find a loss. */
export interface Negative {
  readonly defence: string;
  readonly tampering: Tampering;
  /** The rule that has to be seen broken, where it is the defence itself that is to be missed. Default: any. */
  readonly rule?: string;
  /** The fault that it defends against, always on: it need not come up by chance. */
  readonly knobs: readonly Knob[];
  /** What every world is like, where by chance it would seldom be such that the defence matters. */
  readonly plan?: Partial<Pick<Plan, "fused" | "keys" | "wholeBytesMax">>;
  /**
   * Another defence against the same, which would hide the loss: it is taken away as well, together with the faults that
   * nothing else defends against. Without it alone a world is sound.
   */
  readonly apart?: { readonly tampering: Tampering; readonly knobs: readonly Knob[] };
}

/** The events of the replica's bucket tell within seconds of what the recheck finds when a quarantine ends. */
const DRIFT = { tampering: { drift: false }, knobs: ["people"] } as const;

/** What leaves uploads behind that only the sweep of uploads can find: whoever begins one does not live to write it down. */
const UNHEARD: readonly Knob[] = KNOBS.filter(
  (knob) => !["forbidden", "duplicate", "reorder", "delay", "loss", "people"].includes(knob),
);

/** The world of a seed in which a defence matters, what it is without the defence, and what with it. */
export const worldsOf = (
  { knobs, plan, tampering, apart }: Negative,
  seed: number,
): { readonly plan: Plan; readonly without: Tampering; readonly sound: Tampering } => {
  const drawn = planOf(seed, plan?.keys);
  const on = (knob: Knob): boolean =>
    apart?.knobs.includes(knob) !== true && (drawn.knobs.includes(knob) || knobs.includes(knob));
  return {
    plan: { ...drawn, ...plan, knobs: KNOBS.filter(on) },
    without: { ...apart?.tampering, ...tampering },
    sound: apart?.tampering ?? {},
  };
};

const has = (request: UpdateRequest, text: string): boolean =>
  request.update.includes(text) || (request.condition ?? "").includes(text);

/** Edits the text of a request and takes out the values that it does not use any more: DynamoDB refuses those. */
const edited = (request: UpdateRequest, edit: (text: string) => string): UpdateRequest => {
  const update = edit(request.update);
  const condition = request.condition === undefined ? undefined : edit(request.condition);
  const words = new Set(`${update} ${condition ?? ""}`.match(/[:#]\w+/g));
  const used = <Value>(placeholders: Readonly<Record<string, Value>> | undefined): Record<string, Value> =>
    Object.fromEntries(Object.entries(placeholders ?? {}).filter(([name]) => words.has(name)));
  return {
    key: request.key,
    update,
    ...(condition === undefined || condition === "" ? {} : { condition }),
    names: used(request.names),
    values: used(request.values),
  };
};

/** The answer of a guard that lets everything through and counts nothing. */
const PERMITTED: Promise<WriteOutcome> = Promise.resolve({ outcome: "written", item: {} });

export const NEGATIVES: readonly Negative[] = [
  {
    defence: "whoever takes a row from its holder taints it (R10, R11)",
    knobs: ["crash", "late"],
    plan: { keys: 3 },
    apart: DRIFT,
    tampering: {
      update: (request) =>
        has(request, ":old_token")
          ? edited(request, (text) => text.replace(/ #?taint_until = :taint_until,/, ""))
          : request,
    },
  },
  {
    defence: "a write without an answer taints the row (R11, R14)",
    knobs: ["unanswered", "late"],
    apart: DRIFT,
    tampering: {
      update: (request) => edited(request, (text) => text.replace("#taint_until = :taint_until, ", "")),
    },
  },
  {
    defence: "a commit settles only the generation that it claimed (R4, R5)",
    knobs: ["slow"],
    tampering: {
      update: (request) =>
        edited(request, (text) =>
          text.replace("attempt_token = :token AND gen = :claimed_gen", "attempt_token = :token"),
        ),
    },
  },
  {
    defence: "a hint that joins is counted before it is acknowledged (R8)",
    knobs: ["slow"],
    tampering: {
      update: (request) =>
        request.condition === "attribute_exists(pk)"
          ? edited(request, (text) => text.replace("gen = gen + :one, ", ""))
          : request,
    },
  },
  {
    defence: "a claim takes no row that somebody holds (S6, R8)",
    rule: "S6",
    knobs: ["slow"],
    tampering: {
      update: (request) =>
        has(request, "claimed_gen = ") && has(request, "attribute_not_exists(attempt_token)")
          ? edited(request, (text) => text.replace(/attribute_not_exists\(attempt_token\)( AND )?/, ""))
          : request,
    },
  },
  {
    defence: "a row is taken from its holder, or fails for having timed out, only when the lease is over (S6, R9, F20)",
    rule: "S6",
    knobs: ["slow"],
    tampering: {
      update: (request) =>
        has(request, ":old_token") ? edited(request, (text) => text.replace(" AND lease_until < :now", "")) : request,
      // The code is told that every lease is over as soon as it has begun: it would not try before.
      item: (item) =>
        item["attempt_started_at"] === undefined ? item : { ...item, lease_until: item["attempt_started_at"] },
    },
  },
  {
    defence: "an unsettled row is in the due index (L2, R9)",
    knobs: ["crash"],
    tampering: {
      update: (request) =>
        has(request, "last_event_at")
          ? edited(request, (text) => text.replace(" due_pk = :due_pk, due_at = :lease_until,", ""))
          : request,
    },
  },
  {
    defence: "a replica that was read and found wrong is not trusted again (F26)",
    knobs: ["corruption"],
    tampering: { item: (item) => ({ ...item, checksum_mismatch: false }) },
  },
  {
    defence: "a tainted tombstone is not purged (R11)",
    knobs: ["crash", "unanswered", "late"],
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
  {
    defence: "only a 404 is absence (R28)",
    knobs: ["forbidden"],
    tampering: {
      head: (outcome) => (outcome.outcome === "failed" ? { outcome: "absent" } : outcome),
    },
  },
  {
    defence: "a verdict counts only for the generation that was claimed (R15, rule 21)",
    knobs: ["people", "slow"],
    plan: { fused: false },
    tampering: {
      update: (request) =>
        has(request, ":v_token") ? edited(request, (text) => text.replace(" AND gen = :gen", "")) : request,
    },
  },
  {
    defence: "a removal needs a second witness (R29)",
    knobs: ["slow"],
    tampering: { site: (site) => ({ ...site, primaryState: { get: () => Promise.resolve(undefined) } }) },
  },
  {
    defence: "a removal is asked for at the guard (R29)",
    knobs: [],
    tampering: { site: (site) => ({ ...site, siteTable: { ...site.siteTable, update: () => PERMITTED } }) },
  },
  {
    defence: "a write to S3 reads the fence (R27)",
    knobs: ["promotion"],
    tampering: { site: (site) => ({ ...site, standing: { read: () => Promise.resolve(FIRST_STANDING) } }) },
  },
  {
    defence: "a write to S3 asks whether the site is paused (F98)",
    knobs: ["pause"],
    tampering: {
      site: (site) => ({
        ...site,
        standing: {
          read: async () => {
            const { role, epoch } = await site.standing.read();
            return { role, epoch };
          },
        },
      }),
    },
  },
  {
    defence: "every part names the version that it is a copy of (R26)",
    knobs: ["slow"],
    // With few keys it is seldom that one is overwritten while its parts are copied.
    plan: { wholeBytesMax: 0, keys: 10, fused: true },
    tampering: {
      part: (asked, current) =>
        current === undefined ? asked : { ...asked, sourceVersionId: current.versionId, sourceEtag: current.etag },
    },
  },
  {
    defence: "an upload is written down before anything is copied (R25)",
    knobs: ["forbidden"],
    plan: { wholeBytesMax: 0 },
    apart: { tampering: { sweepsUploads: false }, knobs: UNHEARD },
    tampering: {
      update: (request) =>
        has(request, "#upload_id = :upload_id")
          ? edited({ ...request, update: "SET rev = rev + :rev_step" }, (text) => text)
          : request,
    },
  },
  {
    defence: "what people do to the replica's bucket is noticed (T9)",
    knobs: ["people"],
    tampering: { drift: false },
  },
];
