import { isWantedAmongAllUploads, ownerKeyOf, ownersOf, wants } from "../geo/selective-sync.ts";
import type { SiteSettings } from "../geo/site-settings.ts";
import type { ObjectRef } from "../geo/registry-row.ts";
import { matchKey } from "../geo/replicable-match.ts";
import type { Replicable } from "../geo/replicable.ts";
import type { LateReader, ScopeReader } from "../ports/site.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { encodeKey } from "../geo/key-codec.ts";

/** Which objects a secondary wants, by its settings and what an object says of its owners (F51-F54). */
export class SiteScope implements ScopeReader {
  readonly #settings: LateReader<SiteSettings>;
  readonly #replicables: readonly Replicable[];
  readonly #deployedWith: boolean;
  readonly #telemetry: Telemetry;

  /** @param syncObjectStorage what the site was deployed with, until an operator says otherwise */
  constructor(
    settings: LateReader<SiteSettings>,
    replicables: readonly Replicable[],
    syncObjectStorage: boolean,
    telemetry: Telemetry,
  ) {
    this.#settings = settings;
    this.#replicables = replicables;
    this.#deployedWith = syncObjectStorage;
    this.#telemetry = telemetry;
  }

  async keepsObjects(): Promise<boolean> {
    return (await this.#settings.read()).syncObjectStorage ?? this.#deployedWith;
  }

  ownerOf({ key }: ObjectRef, metadata: Readonly<Record<string, string>>): string | undefined {
    const match = matchKey(this.#replicables, key);
    return match === undefined ? undefined : ownerKeyOf(match.replicable, metadata);
  }

  async wants({ replicableName, key }: ObjectRef, metadata: Readonly<Record<string, string>>): Promise<boolean> {
    const { selectiveSync } = await this.#settings.read();
    const match = matchKey(this.#replicables, key);
    if (selectiveSync.type === "none" || match === undefined) return true;
    const isAmongAllUploads = match.replicable.partitionOf === replicableName;
    if (isAmongAllUploads && isWantedAmongAllUploads(selectiveSync, match.replicable)) return true;
    const owners = ownersOf(match.replicable, match.attributes, metadata);
    if (owners.problems.length > 0) {
      this.#telemetry.warn("an object's owners can not be read", {
        replicable: replicableName,
        key: encodeKey(key),
        reason: owners.problems.join("; "),
      });
    }
    return wants(selectiveSync, match.replicable, owners);
  }
}
