import type { MessageQueue, OutgoingMessage, SendOutcome } from "../ports/message-queue.ts";

/**
 * A topic in memory: every message goes to every subscribed queue, raw. A queue that can not take a message makes the
 * send fail for that position, so that the caller tries again and the other queues get it twice, as with SNS.
 */
export class MemoryTopic implements MessageQueue {
  readonly name: string;
  readonly #queues = new Set<MessageQueue>();

  constructor(name: string) {
    this.name = name;
  }

  /**
   * Sends every later message to `queue` as well.
   * @returns a function that ends it.
   */
  subscribe(queue: MessageQueue): () => void {
    this.#queues.add(queue);
    return () => void this.#queues.delete(queue);
  }

  async send(messages: readonly OutgoingMessage[]): Promise<SendOutcome> {
    const failed = new Set<number>();
    const reasons: string[] = [];
    for (const queue of this.#queues) {
      const sent = await queue.send(messages);
      if (sent.outcome === "sent") continue;
      for (const position of sent.failed) failed.add(position);
      reasons.push(`${queue.name}: ${sent.reason}`);
    }
    if (failed.size === 0) return { outcome: "sent" };
    return { outcome: "failed", failed: [...failed].sort((a, b) => a - b), reason: reasons.join("; ") };
  }
}
