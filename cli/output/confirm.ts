import { CommandError, EXIT } from "../exit-codes.ts";
import type { Surroundings } from "../surroundings.ts";

/**
 * Asks whether something is to be done, unless it was said before.
 * @throws CommandError when it is not to be done, or nobody is there to say so
 */
export const confirmed = async (
  question: string,
  { yes }: { readonly yes: boolean },
  { ask }: Pick<Surroundings, "ask">,
): Promise<void> => {
  if (yes) return;
  if (ask === undefined) throw new CommandError(EXIT.usage, `${question} Nobody is there to answer; say --yes`);
  if (!(await ask(question))) throw new CommandError(EXIT.failure, "nothing was done");
};
