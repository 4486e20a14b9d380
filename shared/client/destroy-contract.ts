import * as z from "zod/mini";
import { DESTROY_STATES } from "../geo/destroy.ts";
import type { DestroyAnswer, DestroyProgressAnswer } from "../geo/destroy-answer.ts";

const time = z.nullable(z.iso.datetime());

/** A batch destroy: the answer of `POST /api/v4/geo_sites/:id/destroys`, and of what is asked of one. */
export const DestroyContract = z.looseObject({
  id: z.string(),
  state: z.enum(DESTROY_STATES),
  replicable_names: z.array(z.string()),
  parent: z.union([
    z.looseObject({ kind: z.enum(["namespace", "project", "organization"]), id: z.string() }),
    z.looseObject({ kind: z.literal("prefix"), prefix: z.string() }),
    z.looseObject({ kind: z.literal("keys"), count: z.number() }),
  ]),
  requested_at: z.iso.datetime(),
  requested_by: z.nullable(z.string()),
  confirmed_at: time,
  confirmed_by: z.nullable(z.string()),
  ended_at: time,
  expires_at: time,
  object_count: z.number(),
  byte_count: z.number(),
  counts_by_type: z.record(z.string(), z.number()),
  left_out_count: z.number(),
  sample_keys: z.array(z.string()),
  problem: z.nullable(z.string()),
}) satisfies z.ZodMiniType<DestroyAnswer>;
export type Destroy = z.infer<typeof DestroyContract>;

/** The answer of `GET /api/v4/geo_sites/:id/destroys`. */
export const DestroysContract = z.array(DestroyContract);

/** The answer of `GET /api/v4/geo_sites/:id/destroys/:destroy_id`. */
export const DestroyProgressContract = z.extend(DestroyContract, {
  slices_count: z.number(),
  slices_done_count: z.number(),
  destroyed_count: z.number(),
  destroyed_bytes: z.number(),
  kept_count: z.number(),
  gone_count: z.number(),
  failed_count: z.number(),
  events_count: z.number(),
  restored_count: z.number(),
  not_restored_count: z.number(),
  restore_failed_count: z.number(),
  secondaries: z.record(z.string(), z.object({ slices_followed_count: z.number() })),
}) satisfies z.ZodMiniType<DestroyProgressAnswer>;
export type DestroyProgress = z.infer<typeof DestroyProgressContract>;

/** What `POST /api/v4/geo_sites/:id/destroys` takes: exactly one of the parents. */
export interface DestroyWish {
  /** Default: every type. */
  readonly replicable_name?: string;
  readonly namespace_id?: string | number;
  readonly project_id?: string | number;
  readonly organization_id?: string | number;
  readonly prefix?: string;
  readonly keys?: readonly string[];
}
