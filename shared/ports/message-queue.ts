/** One message to send. */
export interface OutgoingMessage {
  /** The text. Must hold only characters that SQS accepts: keys travel percent-encoded. At most 1 MiB. */
  readonly body: string;
  /** Fair-queue group (SQS `MessageGroupId` on a standard queue): a noisy group cannot starve the others. No order implied. */
  readonly group?: string;
  /** Seconds before it can be received, 0 to 900. Default 0. */
  readonly delaySeconds?: number;
}

/** A message as it was received. */
export interface ReceivedMessage {
  readonly id: string;
  readonly body: string;
  /** How often it has been received, this time included. */
  readonly receiveCount: number;
}

/**
 * The outcome of a send: `sent` says that every message is durable; `failed` names the positions (in the list that was
 * given) that are not known to be. A message that is not known to be durable must not be acknowledged upstream.
 */
export type SendOutcome =
  | { readonly outcome: "sent" }
  | { readonly outcome: "failed"; readonly failed: readonly number[]; readonly reason: string };

/** A standard queue: at least once, in any order. Splits into batches as the service demands (10 entries, 1 MiB). */
export interface MessageQueue {
  readonly name: string;
  send(messages: readonly OutgoingMessage[]): Promise<SendOutcome>;
}

/** The queue that a function is fed from, as far as the function has to do with it. */
export interface MessageSource {
  /**
   * Makes messages that were received from `queue` visible again at once, which else stay hidden for their whole visibility
   * timeout. Nothing depends on it: one that is not given back is only delivered later.
   *
   * @param receipts what SQS calls receipt handles
   * @throws when some of them are not known to have been given back
   */
  giveBack(queue: string, receipts: readonly string[]): Promise<void>;
}
