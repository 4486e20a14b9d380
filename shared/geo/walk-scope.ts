import type { Finding } from "./consistency.ts";
import { STANDING_KEPT_MS } from "./limits.ts";
import type { Replicable } from "./replicable.ts";
import { type SelectiveSync, wantedByKey } from "./selective-sync.ts";

/**
 * What a walk through both sides makes of scope: which objects a site wants follows from its settings and flags, from the
 * key, and from metadata that no listing shows (F45, F46, F84).
 */
export interface ScopeInForce {
  readonly selectiveSync: SelectiveSync;
  /** Whether the site keeps replicas of objects at all. */
  readonly keepsObjects: boolean;
  /** When the rule was last changed, milliseconds since the epoch. */
  readonly ruleChangedAt: number;
  /** When a flag of the type was last changed. */
  readonly flagsChangedAt: number;
}

/**
 * Names a scope, so that a walk can say under which one it began: after a change history is walked through again, since what
 * came in or fell out raises no event. Made of times and not of the rule itself: a rule that is changed and changed back was
 * obeyed by somebody in between.
 */
export const scopeFingerprint = ({ scope }: Pick<Replicable, "scope">, inForce: ScopeInForce): string =>
  [scope.from === "nothing" ? 0 : inForce.ruleChangedAt, inForce.flagsChangedAt, inForce.keepsObjects].join(":");

/**
 * Whether everybody has heard of the last change: whoever decides by what was in force before it has read that at most
 * `STANDING_KEPT_MS` ago. A walk that began sooner could pass by a key which is decided the old way after it.
 */
export const isKnownEverywhere = ({ ruleChangedAt, flagsChangedAt }: ScopeInForce, now: number): boolean =>
  now - Math.max(ruleChangedAt, flagsChangedAt) >= 3 * STANDING_KEPT_MS;

/**
 * Whether the metadata of the object has to be asked for before it is known what a finding means.
 * @param everything the scope has changed since the last walk, so that settled rows were decided under another one
 */
export const needsMetadata = (
  finding: Finding,
  everything: boolean,
  rule: SelectiveSync,
  replicable: Pick<Replicable, "scope">,
  attributes: Readonly<Record<string, string>>,
): boolean =>
  (finding === "missing" || (everything && finding === "equal")) && !wantedByKey(rule, replicable, attributes);
