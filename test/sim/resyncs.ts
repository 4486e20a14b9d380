import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import type { MemoryTable } from "../../shared/memory/table.ts";

/** What an operator's request puts into the secondary's queue (F18). */
export const resyncMessage = (replicableName: string, key: string): string => {
  const message: GeoMessage = {
    version: 1,
    kind: "resync",
    replicable_name: replicableName,
    keys: [encodeKey(key)],
    correlation_id: "an-operator",
  };
  return JSON.stringify(message);
};

/**
 * F18: a resync that an operator asks for leads to a copy by somebody who claimed the row after that, whatever the replica
 * held, and the row names it; unless the primary was found not to hold the key since, or the registry was restored.
 */
export class Resyncs {
  readonly #now: () => number;
  /** When resyncs were asked for that nothing has come of yet, by key. */
  readonly #asked = new Map<string, number[]>();
  /** When a process claimed a row last, by process and key. */
  readonly #claimedAt = new Map<string, number>();
  /** When those had claimed who made the versions of the replica's bucket, by version. */
  readonly #madeByClaimOf = new Map<string, number>();

  constructor(registry: MemoryTable, now: () => number) {
    this.#now = now;
    registry.onChange(({ key, after }) => {
      if (!this.#asked.has(key.sk)) return;
      if (after?.["state"] === REPLICATION_STATE.absent) this.#asked.delete(key.sk);
      const version = after?.["state"] === REPLICATION_STATE.synced ? after["rep_version_id"] : undefined;
      const claimedAt = typeof version === "string" ? this.#madeByClaimOf.get(version) : undefined;
      if (claimedAt !== undefined) this.#keep(key.sk, (askedAt) => askedAt > claimedAt);
    });
  }

  asked(key: string): void {
    this.#asked.set(key, [...(this.#asked.get(key) ?? []), this.#now()]);
  }

  claimed(process: string, key: string): void {
    this.#claimedAt.set(`${process} ${key}`, this.#now());
  }

  /** A copy by a process has landed. */
  copied(process: string, key: string, versionId: string): void {
    const claimedAt = this.#claimedAt.get(`${process} ${key}`);
    if (claimedAt !== undefined) this.#madeByClaimOf.set(versionId, claimedAt);
  }

  /** The registry is what it was some hours ago: what it was asked since is forgotten, and operators are told so. */
  restored(): void {
    this.#asked.clear();
  }

  /** Keys of which a resync was asked, and nothing has come of it. */
  get unheard(): readonly string[] {
    return [...this.#asked.keys()];
  }

  #keep(key: string, wanted: (askedAt: number) => boolean): void {
    const left = (this.#asked.get(key) ?? []).filter(wanted);
    if (left.length === 0) this.#asked.delete(key);
    else this.#asked.set(key, left);
  }
}
