/**
 * How much is in a queue of a site: an entry of the answer of `GET …/queues`. About: SQS adds up what its servers say, which
 * may be a minute old.
 */
export interface QueueAnswer {
  /** What operators call it. */
  readonly name: string;
  /** Its physical name. */
  readonly queue: string;
  /** Messages that could be received now; null where the queue could not be asked. */
  readonly waiting: number | null;
  /** Messages that somebody works on; null as `waiting`. */
  readonly in_flight: number | null;
  /** Messages that are to be received later; null as `waiting`. */
  readonly delayed: number | null;
  /** Messages in its dead-letter queue; null where that could not be asked. */
  readonly dead_letters: number | null;
}
