import { createHash } from "node:crypto";
import { objectAt, registryRow } from "../integration/support/objects.ts";
import { sayAgain } from "../integration/support/hints.ts";
import { type CloudSite, primary, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";

/** Everything that travels with an object, its content as a digest: short enough to be shown. */
const held = async (site: CloudSite, key: string) => {
  const object = await objectAt(site, key);
  if (object === undefined) return undefined;
  const { text = "", ...rest } = object;
  return { ...rest, characters: text.length, sha256: createHash("sha256").update(text).digest("hex") };
};

/** What both sites hold of a key, and what the secondary says about it. */
const lookAt = async (key: string) => ({
  source: await held(primary, key),
  replica: await held(secondary, key),
  row: await registryRow(key),
});
type Looked = Awaited<ReturnType<typeof lookAt>>;

/** Whether both sites hold the same, byte for byte and with everything that travels along, and the row says so. */
const isSettled = ({ source, replica, row }: Looked): boolean => {
  if (JSON.stringify(source) !== JSON.stringify(replica)) return false;
  if (row === undefined) return source === undefined;
  if (row.attempt_token !== undefined || row.gen !== row.done_gen) return false;
  return source === undefined
    ? row.state === "absent"
    : row.state === "synced" && row.verification_state === "succeeded";
};

/** Waits until a key is settled, without doing anything for it. */
export const settled = (key: string, withinMs?: number): Promise<Looked> =>
  eventually(`${key} is settled by itself`, () => lookAt(key), isSettled, withinMs);

/** Waits until an attempt has failed for good and says when it will be tried again. */
export const failed = (key: string): Promise<Looked> =>
  eventually(
    `an attempt for ${key} has failed`,
    () => lookAt(key),
    ({ row }) => row?.state === "failed" && row.attempt_token === undefined,
  );

/** How long a key may stay as it is before it is named once more. */
const HINT_AFTER_MS = 4_000;

/**
 * Waits until keys are settled, and names those again that are not: a failed attempt is tried again by itself, after a wait
 * and with the sweep of the next minute, and the next event takes its place here.
 */
export const settledWithHints = async (keys: readonly string[], withinMs: number): Promise<void> => {
  let hintAt = Date.now() + HINT_AFTER_MS;
  await eventually(
    `${keys.length} keys are settled`,
    async () => {
      const seen = await Promise.all(keys.map(async (key) => ({ key, ...(await lookAt(key)) })));
      const open = seen.filter((one) => !isSettled(one));
      if (open.length > 0 && Date.now() >= hintAt) {
        hintAt = Date.now() + HINT_AFTER_MS;
        await Promise.all(open.map(({ key }) => sayAgain(key)));
      }
      return open;
    },
    (open) => open.length === 0,
    withinMs,
  );
};
