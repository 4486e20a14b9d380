import { GeoApiError } from "../../shared/client/client.ts";
import type { Connection } from "../connection.ts";
import { printable } from "../output/texts.ts";
import type { Complaint } from "../status/complaints.ts";

/** Messages of a queue that somebody still has to work on; null where it could not be asked. */
export interface Backlog {
  readonly queue: string;
  readonly messages: number | null;
  readonly deadLetters: number | null;
}

const sum = (...counts: readonly (number | null)[]): number | null =>
  counts.reduce<number | null>((total, count) => (total === null || count === null ? null : total + count), 0);

/** What is in each queue of a site, about: SQS adds up what its servers say. */
export const backlogOf = async ({ client, site }: Connection): Promise<readonly Backlog[]> => {
  const queues = await client.queues(site.id);
  return queues.map(({ name, waiting, in_flight: inFlight, delayed, dead_letters: deadLetters }) => ({
    queue: name,
    messages: sum(waiting, inFlight, delayed),
    deadLetters,
  }));
};

/** What a site answers to a question; one that it does not answer is something that stands in the way. */
export const complaintsAbout = async <Answer>(
  { site }: Connection,
  what: string,
  ask: () => Promise<Answer>,
  judge: (answer: Answer) => readonly Complaint[],
): Promise<readonly Complaint[]> => {
  try {
    return judge(await ask());
  } catch (error) {
    if (!(error instanceof GeoApiError)) throw error;
    const problem = `could not be asked about ${what}: ${printable(error.message)}`;
    return [{ site: site.name, kind: "not_asked", problem, remedy: `geo doctor --site ${site.name}` }];
  }
};
