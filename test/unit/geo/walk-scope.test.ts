import { describe, expect, test } from "vitest";
import { STANDING_KEPT_MS } from "../../../shared/geo/limits.ts";
import { alwaysReplicated, metadataScope, namespaceScope } from "../../../shared/geo/replicable-scope.ts";
import {
  isKnownEverywhere,
  needsMetadata,
  scopeFingerprint,
  type ScopeInForce,
} from "../../../shared/geo/walk-scope.ts";

const inForce = (changes: Partial<ScopeInForce> = {}): ScopeInForce => ({
  selectiveSync: { type: "namespaces", ids: ["7"] },
  keepsObjects: true,
  ruleChangedAt: 1_000,
  flagsChangedAt: 2_000,
  ...changes,
});

const name = (changes: Partial<ScopeInForce>, scope: Parameters<typeof scopeFingerprint>[0]["scope"] = metadataScope) =>
  scopeFingerprint({ scope }, inForce(changes));

describe("the name of a scope", () => {
  test("changes with each change of the rule, also of one that is changed back, of a flag, and of keeping objects", () => {
    const names = [{}, { ruleChangedAt: 1_001 }, { flagsChangedAt: 2_001 }, { keepsObjects: false }].map((changes) =>
      name(changes),
    );
    expect(new Set(names).size).toBe(names.length);
    expect(name({})).toBe(name({}));
  });

  test("does not change with the rule where no rule applies", () => {
    expect(name({ ruleChangedAt: 5_000 }, alwaysReplicated)).toBe(name({}, alwaysReplicated));
    expect(name({ flagsChangedAt: 5_000 }, alwaysReplicated)).not.toBe(name({}, alwaysReplicated));
  });
});

test("a change is known everywhere after three times as long as it may be late", () => {
  const known = 2_000 + 3 * STANDING_KEPT_MS;
  expect(isKnownEverywhere(inForce(), known)).toBe(true);
  expect(isKnownEverywhere(inForce(), known - 1)).toBe(false);
  expect(isKnownEverywhere(inForce({ ruleChangedAt: 3_000 }), known)).toBe(false);
});

describe("whether an object's metadata has to be asked for", () => {
  const { selectiveSync } = inForce();
  const scope = { scope: namespaceScope() };

  test("only when the key does not say that it is wanted", () => {
    expect(needsMetadata("missing", false, selectiveSync, scope, { namespace_id: "42" })).toBe(true);
    expect(needsMetadata("missing", false, selectiveSync, scope, { namespace_id: "7" })).toBe(false);
    expect(needsMetadata("missing", false, { type: "none" }, scope, { namespace_id: "42" })).toBe(false);
  });

  test("of what is settled only when it may have been settled under another scope", () => {
    expect(needsMetadata("equal", false, selectiveSync, scope, { namespace_id: "42" })).toBe(false);
    expect(needsMetadata("equal", true, selectiveSync, scope, { namespace_id: "42" })).toBe(true);
    expect(needsMetadata("stale", true, selectiveSync, scope, { namespace_id: "42" })).toBe(false);
  });
});
