import * as z from "zod/mini";
import { RELEASE_BOUNDS, RELEASE_MINUTES_DEFAULT } from "./removal-guard.ts";

/** An operator's word that removals which the guard holds back are wanted. */
export interface ReleaseRequest {
  /** How many. */
  readonly removals: number;
  /** How long that holds, minutes. */
  readonly minutes: number;
}

/** How much of a wrong value is shown. */
const SHOWN_LENGTH_MAX = 100;

const whole = ({ least, most }: { readonly least: number; readonly most: number }) => {
  const error = `expected a whole number from ${least} to ${most}`;
  return z
    .number({ error })
    .check(z.refine((value) => Number.isInteger(value) && value >= least && value <= most, { error }));
};

const Shape = z.strictObject(
  {
    removals: whole(RELEASE_BOUNDS.removals),
    minutes: z._default(whole(RELEASE_BOUNDS.minutes), RELEASE_MINUTES_DEFAULT),
  },
  { error: `expected an object such as {"removals": 5000, "minutes": ${RELEASE_MINUTES_DEFAULT}}` },
);

const asText = (value: unknown): string => {
  const text = value === undefined ? "nothing" : JSON.stringify(value);
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
};

/** What was given for a setting, or all of it when the trouble is with the whole. */
const fieldOf = (input: unknown, name: PropertyKey | undefined): unknown =>
  name === undefined ? input : Reflect.get(Object(input), name);

/** Reads a release from parsed JSON. Everything that is wrong with it is named together: what was expected, and what came. */
export const parseReleaseRequest = (
  input: unknown,
): { readonly request: ReleaseRequest } | { readonly problems: readonly string[] } => {
  const parsed = z.safeParse(Shape, input);
  if (parsed.success) return { request: parsed.data };
  return {
    problems: parsed.error.issues.map((issue) =>
      issue.code === "unrecognized_keys"
        ? `there is no setting called ${issue.keys.join(", ").slice(0, SHOWN_LENGTH_MAX)}; expected removals and minutes`
        : `${String(issue.path[0] ?? "body")}: ${issue.message}, got ${asText(fieldOf(input, issue.path[0]))}`,
    ),
  };
};
