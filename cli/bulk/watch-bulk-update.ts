import type { BulkUpdateState } from "../../shared/client/contract.ts";
import type { Connection } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { lookUntil } from "../look-until.ts";
import type { Surroundings } from "../surroundings.ts";

/** How often a request that is under way is looked at, milliseconds. */
const LOOK_EVERY_MS = 2_000;

const MINUTE_SECONDS = 60;

const left = (seconds: number | null): string => {
  if (seconds === null) return "";
  return seconds < MINUTE_SECONDS
    ? ", less than a minute left"
    : `, about ${Math.ceil(seconds / MINUTE_SECONDS)} min left`;
};

/** How far a request has come, in a line. */
export const progressLine = (update: BulkUpdateState): string =>
  `${update.id}  ${update.action}  ${update.state}  ${(update.share_done * 100).toFixed(1)} %: ` +
  `${update.looked_at_count} rows looked at, ${update.changed_count} asked, ${update.skipped_count} skipped` +
  left(update.estimated_seconds_left);

/** Where to look again, and how to end it. */
const howToGoOn = ({ url, site }: Connection, { id }: BulkUpdateState): string =>
  `It goes on at ${site.name} without this command (${url}).\n` +
  `Look again: geo bulk show ${id}\nEnd it:     geo bulk cancel ${id}\n`;

/**
 * Shows how far a request comes until it has ended, or until somebody interrupts: that ends the looking, not the request.
 * @throws CommandError when it ended otherwise than well, or was interrupted
 */
export const watchBulkUpdate = async (
  connection: Connection,
  first: BulkUpdateState,
  surroundings: Surroundings,
): Promise<BulkUpdateState> => {
  let said = "";
  const { seen: update = first, isInterrupted } = await lookUntil(
    {
      look: async (times) => (times === 0 ? first : connection.client.bulkUpdate(connection.site.id, first.id)),
      tell: (seen) => {
        const line = progressLine(seen);
        if (line !== said) surroundings.err(`${line}\n`);
        said = line;
      },
      // One that runs and has an error does not: nothing works on it any more.
      isSettled: ({ state, error }) => state !== "running" || error !== null,
      everyMs: LOOK_EVERY_MS,
    },
    surroundings,
  );
  if (isInterrupted) throw new CommandError(EXIT.failure, `interrupted. ${howToGoOn(connection, update)}`);
  if (update.state === "succeeded") return update;
  const why = update.error === null ? "" : `: ${update.error}`;
  const how = update.state === "running" ? "does not go on" : `was ${update.state}`;
  throw new CommandError(EXIT.failure, `it ${how}${why}. Make the same request again to go on`);
};
