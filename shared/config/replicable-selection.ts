/** Which replicables an installation replicates, and where their objects are. */
export interface ReplicableSelection {
  readonly names: "all" | readonly string[];
  readonly keyPatterns: Readonly<Record<string, string>>;
}

/** STUB until shared/geo/replicable.ts exists. */
export const selectionProblems = (_selection: ReplicableSelection): string[] => [];

export const encodeSelection = (selection: ReplicableSelection): string => JSON.stringify(selection);
