import * as z from "zod/mini";
import { GeoError } from "../../geo/errors.ts";
import { IDEMPOTENCY_KEPT_MS, IDEMPOTENCY_UNDER_WAY_MS } from "../../geo/idempotency.ts";
import { SITE_TABLE_PARTITIONS } from "../../geo/physical-names.ts";
import type { Item, ItemKey, QueryRequest, Table, UpdateRequest } from "../../ports/table.ts";

/** An answer of the API, as it was given. */
export interface StoredAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** What is remembered of a call under its key. */
export interface RememberedCall {
  /** `fingerprintOf` the call. */
  readonly fingerprint: string;
  /** Absent: it is under way. */
  readonly answer?: StoredAnswer;
}

const StoredCall = z.object({
  fingerprint: z.string(),
  answer_status: z.optional(z.number()),
  answer_type: z.optional(z.string()),
  answer_body: z.optional(z.string()),
});

const callKey = (remembered: string): ItemKey => ({ pk: SITE_TABLE_PARTITIONS.idempotency, sk: remembered });

/** Reads a remembered call. Throws `GEO_UNREADABLE_ROW` on anything else. */
const parseCall = (item: Item): RememberedCall => {
  const parsed = z.safeParse(StoredCall, item);
  if (!parsed.success) {
    const fields = parsed.error.issues.map((issue) => issue.path.join("."));
    throw new GeoError("GEO_UNREADABLE_ROW", `a remembered call can not be read: ${fields.join(", ")}`);
  }
  const { fingerprint, answer_status: status, answer_type: contentType, answer_body: body } = parsed.data;
  return status === undefined || contentType === undefined || body === undefined
    ? { fingerprint }
    : { fingerprint, answer: { status, contentType, body } };
};

/** Names one try of a call. */
export interface CallAttempt {
  /** `rememberedAs` its key. */
  readonly remembered: string;
  /** Unique for ever. */
  readonly attempt: string;
}

/**
 * Begins a call under its key, in one conditional write: of any number that come at once, one begins. What is remembered
 * gives way when its time is over: an answer after a day, a call that never came to one after a minute.
 * @returns the call that is remembered already; nothing when this one was begun
 */
export const beginCall = async (
  site: Pick<Table, "put">,
  { remembered, attempt }: CallAttempt,
  fingerprint: string,
  now: number,
): Promise<RememberedCall | undefined> => {
  const item = { ...callKey(remembered), fingerprint, attempt, gone_at: now + IDEMPOTENCY_UNDER_WAY_MS };
  const written = await site.put(item, {
    condition: "attribute_not_exists(pk) OR gone_at <= :now",
    values: { ":now": now },
  });
  // The item goes with every refusal of this condition; were it missing, another try would find out more.
  return written.outcome === "written" ? undefined : parseCall(written.item ?? { fingerprint: "" });
};

/** Keeps the answer of a call for a day; refused when somebody else has taken the key over. */
export const keepAnswer = ({ remembered, attempt }: CallAttempt, answer: StoredAnswer, now: number): UpdateRequest => ({
  key: callKey(remembered),
  update: "SET answer_status = :status, answer_type = :type, answer_body = :body, gone_at = :gone_at",
  condition: "attempt = :attempt",
  values: {
    ":status": answer.status,
    ":type": answer.contentType,
    ":body": answer.body,
    ":gone_at": now + IDEMPOTENCY_KEPT_MS,
    ":attempt": attempt,
  },
});

/** Forgets a call that came to no answer worth keeping, so that it can be tried again at once. */
export const forgetCall = async (site: Pick<Table, "delete">, { remembered, attempt }: CallAttempt): Promise<void> => {
  await site.delete({
    key: callKey(remembered),
    condition: "attempt = :attempt",
    values: { ":attempt": attempt },
  });
};

/** Neighbours that are looked at with each new key. */
const SWEPT_ITEMS = 25;

const itemsBehind = (remembered: string): QueryRequest => ({
  condition: "pk = :pk AND sk > :remembered",
  values: { ":pk": SITE_TABLE_PARTITIONS.idempotency, ":remembered": remembered },
  limit: SWEPT_ITEMS,
});

/**
 * Takes away what is over among the next items behind a key, which are in no order that means something: each new key takes
 * away more than it brings, and there is no need of somebody who goes through all of them.
 */
export const sweepCalls = async (
  site: Pick<Table, "query" | "delete">,
  remembered: string,
  now: number,
): Promise<void> => {
  const behind = await site.query(itemsBehind(remembered));
  // Behind the last one comes the first one again, or those that come first would never be looked at.
  const first = behind.next === undefined ? await site.query(itemsBehind(" ")) : { items: [] };
  const over = [...behind.items, ...first.items].flatMap(({ sk, gone_at: goneAt }) =>
    typeof sk === "string" && typeof goneAt === "number" && goneAt <= now ? [sk] : [],
  );
  await Promise.all(
    over.map(async (sk) =>
      site.delete({
        key: callKey(sk),
        condition: "gone_at <= :now",
        values: { ":now": now },
      }),
    ),
  );
};
