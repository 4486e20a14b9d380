import * as z from "zod/mini";

/** Answers of the API that the client has no use for, and callers may rely on all the same. */

/** Every refusal: a text, or what is wrong field by field. */
export const RefusalContract = z.looseObject({
  message: z.union([z.string(), z.record(z.string(), z.array(z.string()))]),
});

/** The dead letters of one queue. */
const DeadLettersContract = z.looseObject({
  name: z.string(),
  dead_letter_queue: z.string(),
  /** About how many; null where the queue could not be asked. */
  messages_count: z.nullable(z.number()),
  reasons: z.array(z.looseObject({ reason: z.string(), count: z.number(), parked: z.boolean() })),
});
export type DeadLettersState = z.infer<typeof DeadLettersContract>;

/** The answer of `GET …/dead_letters`. */
export const DeadLetterListContract = z.array(DeadLettersContract);

/** The answer of `POST …/dead_letters/:queue/redrive`. */
export const RedriveContract = z.looseObject({
  name: z.string(),
  moved_count: z.number(),
  parked_count: z.number(),
  left_count: z.number(),
});

/** GitLab's usage object of Geo. */
export const UsageDataContract = z.looseObject({
  geo_enabled: z.boolean(),
  geo_nodes: z.number(),
  geo_event_log_max_id: z.null(),
  geo_secondary_web_oauth_users: z.null(),
  geo_node_usage: z.array(z.record(z.string(), z.number())),
});

/** What GraphQL answers; its own schema says what is in it. */
export const GraphQLContract = z.looseObject({
  data: z.optional(z.nullable(z.looseObject({}))),
  errors: z.optional(z.array(z.looseObject({ message: z.string() }))),
});

/** Prometheus' text format 0.0.4. */
export const MetricsContract = z.string();
