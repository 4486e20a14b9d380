import { TableUnavailableError } from "../geo/errors.ts";
import type { StandingReader } from "../ports/site.ts";

/**
 * A standing that can not be read pauses nothing: a sweep only names what is due, and whoever hears of it asks again before
 * anything is written.
 */
const isPaused = async (standing: StandingReader): Promise<boolean> => {
  try {
    return (await standing.read()).paused === true;
  } catch (error) {
    if (error instanceof TableUnavailableError) return false;
    throw error;
  }
};

/**
 * Whether a type is to be swept now, at a site that an operator may pause (F98): of a paused one nothing is, and what is due
 * stays due.
 * @param isOn whether the flags say so
 */
export const whileNotPaused =
  (standing: StandingReader, isOn: (replicableName: string) => Promise<boolean>) =>
  async (replicableName: string): Promise<boolean> =>
    !(await isPaused(standing)) && isOn(replicableName);
