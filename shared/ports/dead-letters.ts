import type { OutgoingMessage } from "./message-queue.ts";

/** A message as it lies in a dead-letter queue. */
export interface DeadLetter extends Pick<OutgoingMessage, "body" | "group"> {
  readonly id: string;
  /** By which it is removed or shown again. */
  readonly receipt: string;
}

/** A dead-letter queue, for whoever looks at it and sends back what lies there. Every call throws what the service says. */
export interface DeadLetters {
  readonly name: string;
  /** About how many messages lie in it, those included that somebody looks at. */
  count(): Promise<number>;
  /** Up to ten messages, which others do not see for so long; few or none does not mean that there are no more. */
  receive(hiddenSeconds: number): Promise<readonly DeadLetter[]>;
  /** Takes messages away for good. One that can not be taken away stays. */
  remove(receipts: readonly string[]): Promise<void>;
}
