import { CAPACITIES_DEFAULT, type Capacities } from "./capacities.ts";
import { EVERYTHING, type SelectiveSync } from "./selective-sync.ts";

/**
 * What an operator changes while a site runs: no deployment, and known to every function of the site within seconds, since
 * each reads the site's record of itself at most `STANDING_KEPT_MS` late.
 */
export interface SiteSettings {
  /** False: a secondary is paused. It starts no work, keeps what it hears, and goes on when it is true again (F98). */
  readonly enabled: boolean;
  /** Which objects a secondary wants (F51). */
  readonly selectiveSync: SelectiveSync;
  /** Whether a secondary keeps replicas of objects at all (F54); undefined: what it was deployed with. */
  readonly syncObjectStorage: boolean | undefined;
  readonly capacities: Capacities;
  /** Days after which the primary computes a digest anew (F30). */
  readonly minimumReverificationInterval: number;
  /** When it was last changed which objects a site wants, milliseconds since the epoch; 0 when never. */
  readonly scopeChangedAt: number;
}

/** Geo's bounds and default of the re-verification interval, days. */
export const REVERIFICATION_DAYS = { least: 1, most: 999, standard: 90 } as const;

/** What a site has that nobody has changed. */
export const SETTINGS_DEFAULT: SiteSettings = {
  enabled: true,
  selectiveSync: EVERYTHING,
  syncObjectStorage: undefined,
  capacities: CAPACITIES_DEFAULT,
  minimumReverificationInterval: REVERIFICATION_DAYS.standard,
  scopeChangedAt: 0,
};
