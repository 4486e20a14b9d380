/** Which changes of a bucket S3 is told to report, by the names that S3 gives its events. */

/**
 * What can make a replica differ from its source. Lifecycle deletions have events of their own and raise no
 * `ObjectRemoved`; a restored archive can be copied at last. Every rule is without a filter: which keys matter is decided
 * by the replicables, in code that can count what it passes over.
 */
export const CHANGES_OF_A_BUCKET = [
  "s3:ObjectCreated:*",
  "s3:ObjectRemoved:*",
  "s3:LifecycleExpiration:*",
  "s3:ObjectTagging:*",
  "s3:ObjectAnnotation:*",
  "s3:ObjectRetention:Put",
  "s3:ObjectRestore:Completed",
] as const;

/**
 * What can make a replica differ from what its row says (shared/geo/drift.ts). Of lifecycle rules only the markers that
 * they add: what they destroy, nobody saw any more. Nothing here depends on retention or on restores.
 */
export const CHANGES_OF_A_REPLICA = [
  "s3:ObjectCreated:*",
  "s3:ObjectRemoved:*",
  "s3:LifecycleExpiration:DeleteMarkerCreated",
  "s3:ObjectTagging:*",
  "s3:ObjectAnnotation:*",
] as const;
