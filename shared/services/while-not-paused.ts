import type { StandingReader } from "../ports/site.ts";

/**
 * Whether work of a type is wanted now, at a site that an operator may pause (F98): of a paused one nothing is, and what is
 * due stays due.
 * @param isOn whether the flags say so
 */
export const whileNotPaused =
  (standing: StandingReader, isOn: (replicableName: string) => Promise<boolean>) =>
  async (replicableName: string): Promise<boolean> =>
    (await standing.read()).paused !== true && isOn(replicableName);
