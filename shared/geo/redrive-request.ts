import * as z from "zod/mini";

/** Most messages that one call moves: what fits into the time that API Gateway waits. */
export const REDRIVE_MESSAGES = { least: 1, most: 1_000, standard: 100 } as const;

/** What an operator wants of a dead-letter queue. */
export interface RedriveRequest {
  /** How many messages to move at the most. */
  readonly messages: number;
  /** Whether those that could not be read are moved as well, as they were before they were parked. */
  readonly parked: boolean;
}

const EXAMPLE = '{"messages": 100, "parked": false}';
const wholeMessage = `expected a whole number from ${REDRIVE_MESSAGES.least} to ${REDRIVE_MESSAGES.most}`;

const Shape = z.strictObject(
  {
    messages: z._default(
      z
        .int({ error: wholeMessage })
        .check(
          z.minimum(REDRIVE_MESSAGES.least, { error: wholeMessage }),
          z.maximum(REDRIVE_MESSAGES.most, { error: wholeMessage }),
        ),
      REDRIVE_MESSAGES.standard,
    ),
    parked: z._default(z.boolean({ error: "expected true or false" }), false),
  },
  { error: `expected an object such as ${EXAMPLE}` },
);

const SHOWN_LENGTH_MAX = 100;

/** Reads what was asked for from parsed JSON. Everything that is wrong with it is named together. */
export const parseRedriveRequest = (
  input: unknown,
): { readonly request: RedriveRequest } | { readonly problems: readonly string[] } => {
  const parsed = z.safeParse(Shape, input);
  if (parsed.success) return { request: parsed.data };
  return {
    problems: parsed.error.issues.map((issue) => {
      if (issue.code === "unrecognized_keys") {
        return `there is no setting called ${issue.keys.join(", ").slice(0, SHOWN_LENGTH_MAX)}; expected messages and parked`;
      }
      const [field] = issue.path;
      const given: unknown = field === undefined ? input : Reflect.get(Object(input), field);
      return `${String(field ?? "body")}: ${issue.message}, got ${JSON.stringify(given).slice(0, SHOWN_LENGTH_MAX)}`;
    }),
  };
};
