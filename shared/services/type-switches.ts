import { flagsOf, switchesOf, type TypeSwitches } from "../geo/feature-flags.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { Clock } from "../ports/clock.ts";
import type { SwitchReader } from "../ports/site.ts";
import type { Table } from "../ports/table.ts";
import { flagsKey, parseFlags, type StoredFlags } from "../tables/site/flags-item.ts";
import { CachedItem } from "./cached-item.ts";

const ALL_OFF: TypeSwitches = { replication: false, primaryChecksumming: false, verification: false };

/** What the feature flags mean for each type, seconds old. */
export class CachedSwitches implements SwitchReader {
  readonly #flags: CachedItem<StoredFlags>;
  readonly #replicables: ReadonlyMap<string, Replicable>;

  /** @param primarySiteTable where the flags of all sites are */
  constructor(primarySiteTable: Pick<Table, "get">, replicables: readonly Replicable[], clock: Clock) {
    this.#flags = new CachedItem(primarySiteTable, flagsKey, parseFlags, clock);
    this.#replicables = new Map(replicables.map((replicable) => [replicable.name, replicable]));
  }

  async of(replicableName: string): Promise<TypeSwitches> {
    const { overrides } = await this.#flags.read();
    const replicable = this.#replicables.get(replicableName);
    if (replicable === undefined) return ALL_OFF;
    const whole = this.#wholeOf(replicable);
    // A partition rests while the type that it is a part of is replicated: no object has two registries (F90).
    return whole !== undefined && switchesOf(whole, overrides).replication
      ? ALL_OFF
      : switchesOf(replicable, overrides);
  }

  async changedAt(replicableName: string): Promise<number> {
    const { changedAt } = await this.#flags.read();
    const replicable = this.#replicables.get(replicableName);
    const whole = replicable && this.#wholeOf(replicable);
    const flags = [replicable, whole].flatMap((type) => (type === undefined ? [] : flagsOf(type)));
    return Math.max(0, ...flags.map((flag) => changedAt[flag] ?? 0));
  }

  #wholeOf({ partitionOf }: Replicable): Replicable | undefined {
    return partitionOf === undefined ? undefined : this.#replicables.get(partitionOf);
  }
}
