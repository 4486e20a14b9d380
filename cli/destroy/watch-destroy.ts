import type { DestroyProgress } from "../../shared/client/destroy-contract.ts";
import { quoted } from "../../shared/geo/key-codec.ts";
import type { Connection } from "../connection.ts";
import { CommandError, EXIT } from "../exit-codes.ts";
import { lookUntil } from "../look-until.ts";
import type { Surroundings } from "../surroundings.ts";

/** How often a destroy that is under way is looked at, milliseconds. */
const LOOK_EVERY_MS = 2_000;

/** States in which something is being done. */
const UNDER_WAY: ReadonlySet<DestroyProgress["state"]> = new Set(["planning", "destroying", "undoing"]);

/** How far a destroy has come, in a line. */
export const progressLine = (destroy: DestroyProgress): string => {
  const followed = Object.entries(destroy.secondaries).map(
    ([name, { slices_followed_count: count }]) => `${name} ${count}/${destroy.slices_count}`,
  );
  return (
    `${destroy.id}  ${destroy.state}  ${destroy.object_count} objects in ${destroy.slices_count} slices: ` +
    `${destroy.slices_done_count} done, ${destroy.destroyed_count} destroyed, ${destroy.kept_count} kept, ` +
    `${destroy.gone_count} gone, ${destroy.failed_count} failed, ${destroy.events_count} events, ` +
    `${destroy.restored_count} restored, ${destroy.not_restored_count} not restored, ` +
    `${destroy.restore_failed_count} failed to be restored` +
    (followed.length === 0 ? "" : `; followed: ${followed.join(", ")}`) +
    (destroy.problem === null ? "" : `; ${destroy.problem}`)
  );
};

/** What a dry run has found, for people. */
export const planText = (destroy: DestroyProgress): string => {
  if (destroy.problem !== null) return `${destroy.id}  ${destroy.state}: ${destroy.problem}\n`;
  const types = Object.entries(destroy.counts_by_type).map(([name, count]) => `  ${name}: ${count}`);
  return [
    `Dry run ${destroy.id}: ${destroy.object_count} objects, ${destroy.byte_count} bytes, would be destroyed.`,
    ...types,
    `${destroy.left_out_count} that were looked at are not among them. Some that are:`,
    ...destroy.sample_keys.map((key) => `  ${quoted(key)}`),
    `Nothing has been destroyed. To do it: geo destroy confirm ${destroy.id} --confirm ${destroy.object_count}`,
    "",
  ].join("\n");
};

const howToGoOn = ({ url, site }: Pick<Connection, "url" | "site">, id: string): string =>
  `It goes on at ${site.name} without this command (${url}).\n` +
  `Look again: geo destroy show ${id} --watch\nEnd it:     geo destroy cancel ${id}\n`;

/**
 * Shows how far a destroy comes until nothing is under way any more, or until somebody interrupts: that ends the looking,
 * not the destroy.
 */
export const watchDestroy = async (
  { client, site, url }: Connection,
  id: string,
  surroundings: Surroundings,
): Promise<DestroyProgress> => {
  let said = "";
  const { seen, isInterrupted } = await lookUntil(
    {
      look: () => client.destroy(site.id, id),
      tell: (destroy) => {
        const line = progressLine(destroy);
        if (line !== said) surroundings.err(`${line}\n`);
        said = line;
      },
      // One that is under way and has a problem is not: nothing works on it any more.
      isSettled: ({ state, problem }) => !UNDER_WAY.has(state) || problem !== null,
      everyMs: LOOK_EVERY_MS,
    },
    surroundings,
  );
  if (seen !== undefined && !isInterrupted) return seen;
  throw new CommandError(EXIT.failure, `interrupted. ${howToGoOn({ site, url }, id)}`);
};
