import type { TypeNames } from "./type-names.ts";

declare global {
  /** The types that are declared; put in by `web/build.ts`. */
  const DECLARED_TYPES: readonly TypeNames[];
}
