import * as z from "zod/mini";
import { env as eventConsumer } from "../event-consumer/env.ts";

/** Environment of the primary's batch destroy: one step of its workflow in each call. */
export const env = z.object({
  SITE_NAME: z.string().check(z.minLength(1)),
  /** Account that must own the buckets. */
  ACCOUNT_ID: z.string().check(z.regex(/^\d{12}$/)),
  PRIMARY_BUCKET: z.string().check(z.minLength(3)),
  /** Where manifests are frozen. */
  MANIFEST_BUCKET: z.string().check(z.minLength(3)),
  /** The primary's own table: destroys with their slices, which secondaries there are, and the feature flags of all sites. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  /** ARN of the primary's geo-events topic. */
  GEO_EVENTS_TOPIC_ARN: z.string().check(z.startsWith("arn:")),
  REPLICABLES: z.string().check(z.minLength(2)),
  /** An undo copies as the event-consumer does. */
  ...z.pick(eventConsumer, { SINGLE_COPY_BYTES: true, PART_BYTES: true }).shape,
  /** This function's timeout in seconds. 1 to 900. */
  TIMEOUT_SECONDS: z.string().check(z.regex(/^\d{1,3}$/)),
});
