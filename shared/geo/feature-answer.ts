import { flagDefaults, type FlagOverrides } from "./feature-flags.ts";
import type { Replicable } from "./replicable.ts";

/** What the API tells of a feature flag. */
export interface FeatureAnswer {
  readonly name: string;
  readonly state: "on" | "off";
  /** What it is while nobody says anything: the declaration of its type. */
  readonly default: "on" | "off";
  /** Whether an operator has set it, be it to its default. */
  readonly overridden: boolean;
  /** When it was last set or given back, ISO 8601, UTC; null when never. */
  readonly changed_at: string | null;
}

/** What operators have said of flags. */
export interface FlagsInForce {
  readonly overrides: FlagOverrides;
  /** Milliseconds since the epoch, by flag. */
  readonly changedAt: Readonly<Record<string, number>>;
}

const word = (value: boolean): "on" | "off" => (value ? "on" : "off");

/** What is told of one flag. One that nobody declared is off. */
export const featureAnswer = (
  replicables: readonly Replicable[],
  name: string,
  { overrides, changedAt }: FlagsInForce,
): FeatureAnswer => {
  const standard = flagDefaults(replicables)[name] ?? false;
  const changed = changedAt[name];
  return {
    name,
    state: word(overrides[name] ?? standard),
    default: word(standard),
    overridden: overrides[name] !== undefined,
    changed_at: changed === undefined ? null : new Date(changed).toISOString(),
  };
};

/** Every flag that there is, by name. */
export const featureAnswers = (replicables: readonly Replicable[], flags: FlagsInForce): readonly FeatureAnswer[] =>
  Object.keys(flagDefaults(replicables))
    .sort()
    .map((name) => featureAnswer(replicables, name, flags));

const SHOWN_LENGTH_MAX = 100;

/** Reads `{"value": true}` or `{"value": false}` from parsed JSON. */
export const parseFeatureValue = (input: unknown): { readonly value: boolean } | { readonly problem: string } => {
  const isObject = typeof input === "object" && input !== null && !Array.isArray(input);
  const value: unknown = isObject ? Reflect.get(input, "value") : undefined;
  if (isObject && typeof value === "boolean" && Object.keys(input).length === 1) return { value };
  const text = JSON.stringify(input);
  const came = text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
  return { problem: `body: expected {"value": true} or {"value": false}, got ${came}` };
};
