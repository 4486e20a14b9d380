import { ALL_ON } from "../../shared/geo/feature-flags.ts";
import type { ScopeReader, SwitchReader } from "../../shared/ports/site.ts";

/** Flags of a site where every type is on and nobody ever changes that. */
export const everythingOn: SwitchReader = {
  of: () => Promise.resolve(ALL_ON),
  changedAt: () => Promise.resolve(0),
};

/** Settings of a secondary that wants every object. */
export const everythingWanted: ScopeReader = {
  keepsObjects: () => Promise.resolve(true),
  wants: () => Promise.resolve(true),
  ownerOf: () => undefined,
};
