import type { GeoMessage } from "../../shared/geo/geo-message.ts";
import { encodeKey } from "../../shared/geo/key-codec.ts";
import { matchKey } from "../../shared/geo/replicable-match.ts";
import { REPLICATION_STATE } from "../../shared/geo/replication-state.ts";
import { VERIFICATION_STATE } from "../../shared/geo/verification-state.ts";
import type { Item } from "../../shared/ports/table.ts";
import { Dice } from "./dice.ts";
import { type Change, PEOPLES_KINDS } from "./plan.ts";
import { resyncMessage } from "./resyncs.ts";
import { change } from "./source.ts";
import type { World } from "./world.ts";

/** What a rotten version reads as. */
const ROTTEN = new TextEncoder().encode("rotten");

/** When somebody has a version verified again after it has rotted, milliseconds. */
const REVERIFIED_WITHIN_MS = [60_000, 8 * 3_600_000] as const;

/**
 * What people do at the secondary: to the replica's bucket, which nobody but the product should write to, and by asking for
 * things. And what befalls the bytes there.
 */
export class People {
  readonly #world: World;
  readonly #rotDice: Dice;
  /** Rotten versions, with their keys. */
  readonly #rotten = new Map<string, string>();

  constructor(world: World) {
    this.#world = world;
    this.#rotDice = new Dice(world.plan.seed, "reverification");
  }

  /** Does what a plan wants at the secondary, if its knob is on and it can be done. */
  act(wanted: Change, key: string): boolean {
    const { faults } = this.#world;
    if (wanted.do === "resync") return faults.isOn("resync") && this.#resync(key);
    if (wanted.do === "rot") return faults.isOn("rot") && this.#rot(key);
    return faults.isOn("people") && this.#change(wanted, key);
  }

  /**
   * Somebody has just looked at the replica of a key, or written it: now is when people do most harm there, and some come at
   * just this time.
   */
  tempted(key: string): void {
    const { faults } = this.#world;
    if (faults.hits("people", 0.03)) this.#soon(key, faults.dice("people"), PEOPLES_KINDS);
    if (faults.hits("resync", 0.02)) this.#soon(key, faults.dice("resync"), ["resync"]);
  }

  /** Keys whose row calls a rotten version verified: nobody has read it since, and somebody has to be asked to. */
  get unread(): readonly string[] {
    if (this.#rotten.size === 0) return [];
    return this.#world.registry
      .items()
      .filter((row) => this.#isUnread(row))
      .map(({ sk }) => sk);
  }

  /** Has every version read again that is not what it was when it was read. */
  reverifyAll(): void {
    for (const key of this.unread) this.#reverify(key);
  }

  #isUnread(row: Item): boolean {
    const version = row["rep_version_id"];
    return (
      typeof version === "string" &&
      this.#rotten.has(version) &&
      // A row that is not settled is looked at again in any case, should it ever be.
      row["state"] === REPLICATION_STATE.synced &&
      row["verification_state"] === VERIFICATION_STATE.succeeded
    );
  }

  #soon(key: string, dice: Dice, kinds: readonly Change["do"][]): void {
    const { faults, timeline, trace } = this.#world;
    const wanted: Change = { at: 0, key: 0, do: dice.pick(kinds), variant: dice.whole(0, 11), on: "secondary" };
    this.#world.later(timeline.now + dice.between(1, 600), () => {
      if (!faults.active) return;
      trace?.(`somebody does at the secondary, just now: ${wanted.do} ${key} (${wanted.variant})`);
      this.act(wanted, key);
    });
  }

  #change(wanted: Change, key: string): boolean {
    const { replicaBucket, oracle, faults } = this.#world;
    oracle.replicaTouched(key);
    const done = change(replicaBucket, key, wanted, false);
    oracle.peopleTouched(key);
    if (done) faults.count("people");
    return done;
  }

  /** The bytes of a version that was verified change, and nothing that S3 says of it does. */
  #rot(key: string): boolean {
    const { replicaBucket, faults, timeline } = this.#world;
    const current = replicaBucket.current(key);
    const row = this.#world.registry.items().find(({ sk }) => sk === key);
    if (current?.kind !== "object" || row?.["rep_version_id"] !== current.versionId) return false;
    if (row["verification_state"] !== VERIFICATION_STATE.succeeded) return false;
    replicaBucket.corrupt(key, current.versionId, ROTTEN);
    this.#rotten.set(current.versionId, key);
    faults.count("rot");
    this.#world.later(timeline.now + this.#rotDice.between(...REVERIFIED_WITHIN_MS), () => this.#reverify(key));
    return true;
  }

  /** The primary says again that it knows the object's digest (F28): even a verified replica is read again. */
  #reverify(key: string): void {
    const { replicables, timeline, trace } = this.#world;
    const match = matchKey(replicables, key);
    if (match === undefined) return;
    const message: GeoMessage = {
      version: 1,
      kind: "geo_events",
      events: [
        {
          id: "reverify",
          replicable_name: match.replicable.name,
          event_name: "checksum_succeeded",
          created_at: Math.floor(timeline.now),
          payload: { model_record_id: match.modelRecordId, correlation_id: "reverify", blob_path: encodeKey(key) },
        },
      ],
    };
    trace?.(`somebody has ${key} verified again`);
    void this.#world.ingest.send([{ body: JSON.stringify(message) }]);
  }

  #resync(key: string): boolean {
    const { replicables, events, watch, faults } = this.#world;
    const name = matchKey(replicables, key)?.replicable.name;
    if (name === undefined) return false;
    faults.count("resync");
    watch.resyncs.asked(key);
    void events.send([{ body: resyncMessage(name, key) }]);
    return true;
  }
}
