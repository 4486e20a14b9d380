import { notifications, uploads, versioning } from "./buckets.ts";
import { clock } from "./clock.ts";
import { deadLetters } from "./dead-letters.ts";
import { deployment } from "./deployment.ts";
import type { Check, Examined } from "./examined.ts";
import type { Finding } from "./finding.ts";
import { sites, versions } from "./sites.ts";
import { orphans, permissions } from "./work.ts";

/** Every check, in the order in which they are told. */
export const CHECKS: readonly Check[] = [
  sites,
  versions,
  clock,
  deployment,
  versioning,
  notifications,
  permissions,
  deadLetters,
  orphans,
  uploads,
];

/** Looks at everything, all at once. Nothing is changed. */
export const examine = async (examined: Examined, checks: readonly Check[] = CHECKS): Promise<readonly Finding[]> => {
  const found = await Promise.all(
    checks.map(async (check) => (await check.look(examined)).map((said): Finding => ({ check: check.name, ...said }))),
  );
  return found.flat();
};
