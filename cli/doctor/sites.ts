import { answering, type Check } from "./examined.ts";
import { ok, problem, type Said, unknown, warning } from "./finding.ts";
import { isRefusal } from "./work.ts";

/** Whether each site answers, is healthy, and goes on. */
export const sites: Check = {
  name: "sites",
  look: async (examined) => {
    const known = new Set(examined.sites.map(({ name }) => name));
    const direct = examined.sites.map((reach): Said => {
      if ("problem" in reach) {
        const found = `its API was not reached: ${reach.problem.message}`;
        return unknown(reach.name, found, "check its address and token", isRefusal(reach.problem));
      }
      const [{ healthy, health, enabled }] = reach.connection.statuses;
      if (!healthy) return problem(reach.name, health, "see the site's part of docs/runbook.md");
      if (!enabled) {
        return warning(reach.name, "it is paused: it starts nothing", "let it go on: geo site resume");
      }
      return ok(reach.name, "it answers and is healthy");
    });
    // What the primary tells of those that nobody asked.
    const told = answering(examined).flatMap(({ statuses: [, ...others] }) =>
      others
        .filter(({ name, healthy }) => !known.has(name) && !healthy)
        .map(({ name, health }) =>
          problem(name, health, "look whether its function site-status runs (docs/runbook.md)"),
        ),
    );
    return [...direct, ...told];
  },
};

/** Whether all run the same version: another one may not know what this one writes. */
export const versions: Check = {
  name: "versions",
  look: (examined) => {
    const seen = new Map(
      answering(examined).flatMap(({ statuses }) => statuses.toReversed().map(({ name, version }) => [name, version])),
    );
    const different = new Set(seen.values());
    const all = [...seen].map(([name, version]) => `${name} ${version}`).join(", ");
    if (seen.size === 0) return Promise.resolve([unknown(null, "no site answers", "check addresses and tokens")]);
    return Promise.resolve([
      different.size === 1
        ? ok(null, `all sites run the same version: ${all}`)
        : problem(null, `sites run different versions: ${all}`, "deploy all of them from one checkout"),
    ]);
  },
};
