import { SOON_MS } from "../geo/limits.ts";
import { TableUnavailableError } from "../geo/errors.ts";
import type { ObjectRef } from "../geo/registry-row.ts";
import type { VerifyingSite } from "../ports/site.ts";
import { joinAttempt } from "../tables/registry/join-attempt.ts";
import { keepHint, keepVerification, keepVerificationOfUnsettled } from "../tables/registry/keep.ts";
import { firstRev } from "../tables/write-columns.ts";

/** What keeping a hint needs of a site. */
export type KeepingSite = Pick<VerifyingSite, "clock" | "chance" | "registry">;

/** How often a row may be held and gone by turns while one hint is kept. */
const TRIES_MAX = 4;

/**
 * Makes a hint durable and does nothing about it (T1p): the row is pending and due, or whoever holds it finds the hint
 * counted. So its message may be acknowledged, and neither the length of a pause nor what a queue keeps matters.
 *
 * @throws TableUnavailableError when the registry did not answer: the message has to be delivered again
 */
export const keepForLater = async (site: KeepingSite, ref: ObjectRef, resync: boolean): Promise<void> => {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    const now = site.clock.now();
    const revStart = firstRev(() => site.chance.random());
    const kept = await site.registry.update(keepHint({ ref, now, revStart, resync }));
    if (kept.outcome === "written") return;
    // Somebody holds the row. One that they let go of meanwhile is due all the same.
    const joined = await site.registry.update(joinAttempt(ref, now, now + SOON_MS, resync));
    if (joined.outcome === "written") return;
  }
  throw new TableUnavailableError(`a row was held and gone by turns ${String(TRIES_MAX)} times`);
};

/**
 * Makes the primary's announcement of a digest durable in the same way.
 * @throws TableUnavailableError as `keepForLater` does
 */
export const keepVerificationForLater = async (site: KeepingSite, ref: ObjectRef): Promise<void> => {
  const kept = await site.registry.update(keepVerification(ref, site.clock.now()));
  if (kept.outcome === "refused") await site.registry.update(keepVerificationOfUnsettled(ref));
};
