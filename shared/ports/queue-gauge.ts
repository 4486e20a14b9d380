/** How much is in a queue. About: SQS counts over all of its servers, a minute late at times. */
export interface QueueCounts {
  /** Messages that could be received now. */
  readonly waiting: number;
  /** Messages that somebody has received and neither taken away nor given back. */
  readonly inFlight: number;
  /** Messages that nobody sees before their delay is over. */
  readonly delayed: number;
}

/** A queue that can be asked how much is in it. */
export interface QueueGauge {
  /** @throws GeoError GEO_QUEUE_UNAVAILABLE when the queue is not there or does not answer */
  measure(): Promise<QueueCounts>;
}
