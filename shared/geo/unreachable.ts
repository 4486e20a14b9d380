import { GeoError } from "./errors.ts";

/**
 * The last branch of a switch over a union: the compiler proves that nothing gets here.
 * @throws GeoError if something does all the same, because data was not parsed before it was trusted.
 */
export const unreachable = (value: never): never => {
  throw new GeoError("GEO_UNKNOWN_STATE", `Expected a value of a closed list, got ${JSON.stringify(value)}`);
};
