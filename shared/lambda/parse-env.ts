import * as z from "zod/mini";
import { GeoError } from "../geo/errors.ts";

const problemOf = (issue: z.core.$ZodIssue, environment: Readonly<Record<string, string | undefined>>): string => {
  const name = issue.path.join(".");
  const value = environment[name];
  if (value === undefined) return `${name} is not set`;
  const expected = {
    ...("values" in issue && { values: issue.values }),
    ...("pattern" in issue && { pattern: issue.pattern }),
    ...("prefix" in issue && { prefix: issue.prefix }),
    ...("minimum" in issue && { minimum: issue.minimum }),
    ...("maximum" in issue && { maximum: issue.maximum }),
  };
  return `${name} is ${JSON.stringify(value)}, expected ${JSON.stringify(expected)} (${issue.code})`;
};

/**
 * A function's environment, as its `env.ts` describes it; the same schema types what its construct sets. Throws
 * `GEO_INVALID_ENVIRONMENT` with everything that is wrong, so that a bad deployment needs one repair and not five. Values
 * are shown: no secret is ever handed over by environment.
 */
export const parseEnv = <Schema extends z.ZodMiniType>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<Schema> => {
  const parsed = z.safeParse(schema, environment);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => problemOf(issue, environment));
  throw new GeoError("GEO_INVALID_ENVIRONMENT", `this function's environment is wrong: ${problems.join("; ")}`);
};

/** The region that the function runs in. Lambda itself sets it, so it is in no function's `env.ts`. */
export const regionOf = (environment: Readonly<Record<string, string | undefined>>): string =>
  parseEnv(z.object({ AWS_REGION: z.string().check(z.minLength(1)) }), environment).AWS_REGION;
