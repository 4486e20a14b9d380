import type { GeoConfig, SiteConfig } from "../../shared/config/geo-config.ts";
import { undeliveredQueues } from "../../shared/geo/undelivered-queues.ts";
import type { AwsLook } from "./aws-look.ts";
import { answering, type Check, type Examined, inAws, notSeen } from "./examined.ts";
import { ok, problem, type Said, unknown } from "./finding.ts";
import { ofEachSite } from "./work.ts";

/** Of the queues that a site can send back, which is why its API knows them. */
const givenUp = (examined: Examined): Promise<readonly Said[]> =>
  ofEachSite(answering(examined), async ({ client, site: { id, name } }) => {
    const queues = await client.deadLetters(id);
    const unseen = queues.filter(({ messages_count: count }) => count === null);
    const full = queues.filter(({ messages_count: count }) => (count ?? 0) > 0);
    const found = full.map(({ name: queue, messages_count: count, reasons }): Said => {
      const why = reasons.map(({ reason, count: times }) => `${reason} (${String(times)})`).join("; ");
      return problem(
        name,
        `about ${String(count)} dead letters of ${queue}${why === "" ? "" : `: ${why}`}`,
        `when the cause is gone, send them back: POST …/dead_letters/${queue}/redrive (docs/runbook.md, Dead letters)`,
      );
    });
    const asked = unseen.map(({ name: queue }) =>
      unknown(
        name,
        `the dead letters of ${queue} can not be counted`,
        "is the queue deployed? See the deployment check",
      ),
    );
    return found.length + asked.length > 0 ? [...found, ...asked] : [ok(name, "none of what can be sent back")];
  });

/** Of one site's schedules and counters. A queue that is not there is the deployment's to tell. */
const undeliveredOf = async (aws: AwsLook, config: GeoConfig, site: SiteConfig): Promise<readonly Said[]> => {
  const said = await Promise.all(
    undeliveredQueues(config, site).map(async ({ name, queue }): Promise<readonly Said[]> => {
      const looked = await aws.messages({ region: site.region, name: queue });
      if (looked.outcome === "absent") return [];
      if (looked.outcome !== "seen") return [notSeen(site.name, `the dead letters of ${name}`, looked)];
      if (looked.seen === 0) return [ok(site.name, "none")];
      return [
        problem(
          site.name,
          `about ${String(looked.seen)} dead letters of ${name}: they say what it was not given, and are not sent back`,
          `look at those in ${queue}, as docs/runbook.md says under ${name}-dead-letters-not-empty`,
        ),
      ];
    }),
  );
  const all = said.flat();
  const ill = all.filter(({ verdict }) => verdict !== "ok");
  if (ill.length > 0) {
    // One reason is enough where it is the same for all.
    const problems = ill.filter(({ verdict }) => verdict === "problem");
    return [...problems, ...ill.filter(({ verdict }) => verdict === "unknown").slice(0, 1)];
  }
  return all.length === 0 ? [] : [ok(site.name, "none of its schedules and counters")];
};

const undelivered = async (examined: Examined): Promise<readonly Said[]> => {
  const place = inAws(examined);
  if ("cannot" in place) return [place.cannot];
  const { aws, config } = place;
  const sites = [config.primary, ...config.secondaries];
  return (await Promise.all(sites.map((site) => undeliveredOf(aws, config, site)))).flat();
};

/** What was given up and why, and what was never delivered. The second sort no API counts: AWS is asked. */
export const deadLetters: Check = {
  name: "dead letters",
  look: async (examined) => (await Promise.all([givenUp(examined), undelivered(examined)])).flat(),
};
