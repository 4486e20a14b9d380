import type { TypeNames } from "./type-names.ts";

declare global {
  /** The types that are declared; put in by `web/build.ts`. */
  const DECLARED_TYPES: readonly TypeNames[];
  /** What the API takes of capacities and of days; put in by the same. */
  const SETTING_BOUNDS: Readonly<Record<"capacity" | "days", { readonly least: number; readonly most: number }>>;
}
