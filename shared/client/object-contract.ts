import * as z from "zod/mini";
import type { ObjectAnswer } from "../geo/object-answer.ts";
import type { QueueAnswer } from "../geo/queue-answer.ts";
import { RemovalGuardContract } from "./contract.ts";

/** What a site tells of its queues and of single objects. */

/** The answer of `GET /api/v4/geo_sites/:id/queues`. About: SQS adds up what its servers say, a minute late at times. */
export const QueuesContract = z.array(
  z.looseObject({
    name: z.string(),
    queue: z.string(),
    waiting: z.nullable(z.number()),
    in_flight: z.nullable(z.number()),
    delayed: z.nullable(z.number()),
    dead_letters: z.nullable(z.number()),
  }) satisfies z.ZodMiniType<QueueAnswer>,
);
export type QueueState = z.infer<typeof QueuesContract>[number];

const text = z.nullable(z.string());
const time = z.nullable(z.iso.datetime());
const version = { version_id: text, etag: text };
const holder = z.nullable(z.looseObject({ holder: z.string(), until: time }));

/** What both kinds of rows have. */
const record = {
  source: z.looseObject({ ...version, size: z.nullable(z.number()), last_modified: time }),
  verification_state: z.enum(["pending", "started", "succeeded", "failed", "disabled"]),
  verification_scheme: text,
  verification_checksum: text,
  verification_failure: text,
  verification_retry_count: z.number(),
  verification_retry_at: time,
  verification_started_at: time,
  verified_at: time,
  partly_read: z.boolean(),
  due_at: time,
  created_at: time,
};

const ReplicaRecordContract = z.looseObject({
  ...record,
  kind: z.literal("replica"),
  state: z.enum(["pending", "started", "synced", "failed", "absent"]),
  replica: z.looseObject(version),
  generation: z.looseObject({ counted: z.number(), claimed: z.number(), done: z.number() }),
  primary_checksum: text,
  checksum_mismatch: z.boolean(),
  retry_count: z.number(),
  retry_at: time,
  last_sync_failure: text,
  failure_kind: text,
  blocked_reason: text,
  missing_on_primary: z.boolean(),
  resync_requested: z.boolean(),
  lease: holder,
  verification_lease: holder,
  quarantined_until: time,
  copied_in_parts: z.boolean(),
  last_synced_at: time,
  last_event_at: time,
  waiting_since: time,
});

const OriginalRecordContract = z.looseObject({
  ...record,
  kind: z.literal("original"),
  tombstone: z.boolean(),
  verification_checksum_found: text,
});

/** The answer of `GET /api/v4/geo_sites/:id/objects`: everything that one site knows of one key. */
export const ObjectContract = z.looseObject({
  key: z.string(),
  role: z.enum(["primary", "secondary"]),
  replicable_name: text,
  claimed_because: z.string(),
  enabled: z.boolean(),
  type: z.nullable(z.looseObject({ replication: z.boolean(), verification: z.boolean() })),
  selective_sync: z.nullable(
    z.looseObject({
      type: z.nullable(z.enum(["namespaces", "shards", "organizations"])),
      wanted: z.nullable(z.boolean()),
    }),
  ),
  removal_guard: z.nullable(RemovalGuardContract),
  record: z.nullable(z.discriminatedUnion("kind", [ReplicaRecordContract, OriginalRecordContract])),
}) satisfies z.ZodMiniType<ObjectAnswer>;
export type ObjectState = z.infer<typeof ObjectContract>;
export type ReplicaRecord = z.infer<typeof ReplicaRecordContract>;
export type OriginalRecordState = z.infer<typeof OriginalRecordContract>;
