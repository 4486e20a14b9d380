/** What the doctor looks at in AWS. It only looks: nothing here changes anything. */

/**
 * What came of a look. `absent`: there is no such thing. `refused`: AWS does not let the caller look, and by which error.
 * `failed`: nobody answered, or not as expected.
 */
export type Looked<T> =
  | { readonly outcome: "seen"; readonly seen: T }
  | { readonly outcome: "absent" }
  | { readonly outcome: "refused" | "failed"; readonly reason: string };

/** A rule by which a bucket reports changes. */
export interface SeenRule {
  /** The topic or queue that it reports to, by name. */
  readonly to: string;
  /** What it reports, as S3 names it, for example `s3:ObjectCreated:*`. */
  readonly events: readonly string[];
  /** Whether it passes over keys: it has a beginning or an end that they must have. */
  readonly isFiltered: boolean;
}

/** What a bucket says of itself. */
export interface SeenBucket {
  /** As S3 says it; `Off` for a bucket that never had any. */
  readonly versioning: string;
  /** The rules by which it reports changes: to topics, to queues. */
  readonly topics: readonly SeenRule[];
  readonly queues: readonly SeenRule[];
}

/** Uploads in parts that were begun and have not ended. */
export interface SeenUploads {
  /** Those that were begun before the time that was asked for. */
  readonly old: number;
  /** When the oldest was begun, milliseconds since the epoch; undefined when there is none. */
  readonly oldestAt: number | undefined;
  /** Whether there are more than were looked at. */
  readonly more: boolean;
}

/** What a table says of itself. */
export interface SeenTable {
  /** The account that it is in; empty where it does not say. */
  readonly account: string;
}

export interface Place {
  readonly region: string;
  readonly name: string;
}

/** A look around in AWS. */
export interface AwsLook {
  bucket(place: Place): Promise<Looked<SeenBucket>>;
  /** @param before milliseconds since the epoch */
  uploads(place: Place, before: number): Promise<Looked<SeenUploads>>;
  table(place: Place): Promise<Looked<SeenTable>>;
  queue(place: Place): Promise<Looked<null>>;
  /** About how many messages a queue holds. */
  messages(place: Place): Promise<Looked<number>>;
  /** @param account the installation's */
  topic(place: Place, account: string): Promise<Looked<null>>;
  stateMachine(place: Place, account: string): Promise<Looked<null>>;
}
