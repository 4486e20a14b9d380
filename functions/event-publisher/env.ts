import * as z from "zod/mini";

/** Environment of the event-publisher: turns S3 notifications of the primary into Geo events for one secondary. */
export const env = z.object({
  /** The secondary that this publisher feeds. */
  SITE_NAME: z.string().check(z.minLength(1)),
  /** Notifications about any other bucket are parked. */
  PRIMARY_BUCKET: z.string().check(z.minLength(3)),
  /** Name of the secondary's geo-events queue. */
  EVENTS_QUEUE: z.string().check(z.minLength(1)),
  /** Name of the secondary's registry, in the same region: it is told to the primary's batch destroys. */
  REGISTRY_TABLE: z.string().check(z.minLength(1)),
  /** Region of that queue. */
  EVENTS_QUEUE_REGION: z.string().check(z.minLength(1)),
  /** Name of the secondary's verification queue, in the same region: `checksum_succeeded` goes there. */
  VERIFICATION_QUEUE: z.string().check(z.minLength(1)),
  /** Name of the dead-letter queue of the ingest queue: what can not be read is parked there with its reason. */
  PARKING_QUEUE: z.string().check(z.minLength(1)),
  /** The primary's own table, where the feature flags of all sites are. */
  PRIMARY_SITE_TABLE: z.string().check(z.minLength(1)),
  /** JSON: the replicables of this installation, as `encodeReplicableSelection` writes it. */
  REPLICABLES: z.string().check(z.minLength(2)),
});
