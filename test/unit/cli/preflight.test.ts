import { describe, expect, test } from "vitest";
import { OBJECT_STORAGE_VERIFICATION } from "../../../shared/geo/feature-flags.ts";
import { GeoError, TableUnavailableError } from "../../../shared/geo/errors.ts";
import { askToRemove } from "../../../shared/services/removal-guard.ts";
import { setFlag } from "../../../shared/tables/site/flags-item.ts";
import { finishWalks, ID, primaryRow, registryRow, reportToPrimary, twoSites, uncountedRow } from "./two-sites.ts";

type Sites = Awaited<ReturnType<typeof twoSites>>;

/** Two sites with nothing that stands in the way. */
const ready = async (around: Parameters<typeof twoSites>[0] = {}): Promise<Sites> => {
  const sites = await twoSites(around);
  await finishWalks(sites);
  await sites.primary.rows([primaryRow("succeeded", 1), primaryRow("succeeded", 2)]);
  await sites.secondary.rows([registryRow("synced", "succeeded", 1), registryRow("synced", "succeeded", 2)]);
  return sites;
};

const queue = ({ secondary }: Sites, name: string) => {
  const found = secondary.queues.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no queue ${name}`);
  return found;
};

/** As an administrator asks a site. */
const ask = async (sites: Sites, role: "primary" | "secondary", method: string, path: string, body: unknown) => {
  const answer = await sites[role].call(`/api/v4/geo_sites/${ID[role]}${path}`, {
    method,
    headers: { "PRIVATE-TOKEN": sites.tokens[role] },
    body: JSON.stringify(body),
  });
  expect(answer.ok).toBe(true);
};

const flag = ({ primary, clock }: Sites, name: string) => primary.siteTable.update(setFlag(name, false, clock.now()));

describe("geo preflight (F99)", () => {
  test("exits with 0 when everything is synced and verified, and says so", async () => {
    const { geo } = await ready();
    expect(await geo("preflight")).toEqual({
      code: 0,
      out: "frankfurt: All 2 objects are synced and verified. Nothing stands in the way.\n",
      err: "",
    });
    const { code, out } = await geo("preflight", "-o", "json");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({
      ready: true,
      hindrances: [],
      notes: [],
      secondaries: [{ name: "frankfurt", objects: 2 }],
    });
  });

  const HINDRANCES: readonly (readonly [string, string, RegExp, (sites: Sites) => Promise<unknown>])[] = [
    [
      "an object is not copied yet",
      "not_synced",
      /^frankfurt: 2\/3 \(66\.66%\) of LFS Objects are synced \(geo registry list --site frankfurt --type lfs_object --state pending\)$/m,
      (sites) => sites.secondary.rows([registryRow("pending", "pending", 3)]),
    ],
    [
      "an object has failed",
      "failed",
      /^frankfurt: 1 object of LFS Objects failed to be copied \(geo registry list .* --state failed\)$/m,
      (sites) => sites.secondary.rows([registryRow("failed", "pending", 3)]),
    ],
    [
      "an object is not verified yet",
      "not_verified",
      /^frankfurt: 2\/3 \(66\.66%\) of LFS Objects are verified \(.* --verification-state pending\)$/m,
      (sites) => sites.secondary.rows([registryRow("synced", "pending", 3)]),
    ],
    [
      "the primary knows of an object that the secondary has not heard of",
      "not_known",
      /^frankfurt: knows of 2 objects of LFS Objects, and the primary of 3 objects \(geo wait synced/m,
      (sites) => sites.primary.rows([primaryRow("succeeded", 3)]),
    ],
    [
      "a checksum of the primary failed",
      "checksum_failed",
      /^virginia: 1 object of LFS Objects got no checksum \(geo redrive --site virginia --type lfs_object/m,
      (sites) => sites.primary.rows([primaryRow("failed", 3)]),
    ],
    [
      "a copied object still waits for the primary's checksum",
      "not_verified",
      /^frankfurt: 2\/3 \(66\.66%\) of LFS Objects are verified \(.* --verification-state disabled\)$/m,
      (sites) => sites.secondary.rows([registryRow("synced", "disabled", 3)]),
    ],
    [
      "the primary has not checksummed an object yet",
      "not_checksummed",
      /^virginia: 2\/3 \(66\.66%\) of LFS Objects have a checksum \(geo status --site virginia --watch\)$/m,
      (sites) => sites.primary.rows([primaryRow("pending", 3)]),
    ],
    [
      "a type of which the primary has objects is switched off",
      "switched_off",
      /^virginia: has 2 objects of LFS Objects, which are switched off and not replicated \(geo flag set geo_lfs_object_replication on\)$/m,
      (sites) => flag(sites, "geo_lfs_object_replication"),
    ],
    [
      "a type is switched off and not counted either",
      "switched_off",
      /^virginia: does not count its Uploads, which are switched off and not replicated \(geo flag set geo_upload_replication on\)$/m,
      async (sites) => {
        await flag(sites, "geo_upload_replication");
        await flag(sites, "geo_upload_force_primary_checksumming");
      },
    ],
    [
      "replicas are not verified at all",
      "verification_off",
      /^frankfurt: does not verify its LFS Objects: nobody has read them back \(geo flag set geo_object_storage_verification on\)$/m,
      async (sites) => {
        await flag(sites, OBJECT_STORAGE_VERIFICATION);
        await reportToPrimary(sites);
      },
    ],
    [
      "the walks can not be read",
      "not_compared",
      /^frankfurt: could not say whether it has compared both sides to the end \(geo doctor --site frankfurt\)$/m,
      async ({ secondary: { siteTable } }) => {
        const query = siteTable.query.bind(siteTable);
        siteTable.query = (request) =>
          /consisten|walk/.test(JSON.stringify(request))
            ? Promise.reject(new TableUnavailableError("not now"))
            : query(request);
      },
    ],
    [
      "the registry lists a waiting object that was not counted",
      "unsettled_row",
      /^frankfurt: lists an object of LFS Objects that is pending, of which its counters have not told \(geo registry list --site frankfurt --type lfs_object --state pending\)$/m,
      ({ secondary }) => secondary.rowTable.put(uncountedRow("pending", "disabled", 3)),
    ],
    [
      "the registry lists a failed object that was not counted",
      "unsettled_row",
      /^frankfurt: lists an object of LFS Objects that is failed, of which/m,
      ({ secondary }) => secondary.rowTable.put(uncountedRow("failed", "disabled", 3)),
    ],
    [
      "the registry lists an unverified object that was not counted",
      "unsettled_row",
      /^frankfurt: lists an object of LFS Objects that is pending in verification, of which .* --verification-state pending\)$/m,
      ({ secondary }) => secondary.rowTable.put(uncountedRow("synced", "pending", 3)),
    ],
    [
      "the registry can not be asked, since the token does not allow it",
      "not_asked",
      /^frankfurt: could not be asked about its registry: .*admin_geo/m,
      async ({ sitesFile, secondary }) => sitesFile({ secondary: await secondary.token({ scope: "read_geo" }) }),
    ],
    [
      "a queue holds a message",
      "backlog",
      /^frankfurt: has about 1 message in its queue ingest \(geo wait verified --site frankfurt\)$/m,
      (sites) => queue(sites, "ingest").live.send([{ body: "a" }]),
    ],
    [
      "a queue can not be asked",
      "backlog_unknown",
      /^frankfurt: could not say what its queue geo-events holds/m,
      async (sites) => {
        queue(sites, "geo-events").live.measure = () =>
          Promise.reject(new GeoError("GEO_QUEUE_UNAVAILABLE", "not now"));
      },
    ],
    [
      "messages were given up",
      "dead_letters",
      /^frankfurt: has given up on 2 messages of its queue geo-events \(geo doctor --site frankfurt\)$/m,
      (sites) => queue(sites, "geo-events").dead.send([{ body: "a" }, { body: "b" }]),
    ],
    [
      "removals are held back",
      "removals_held_back",
      /^frankfurt: holds removals of lfs_object back since 20\S+ \(geo removals list --site frankfurt\)$/m,
      async ({ secondary }) => {
        const site = { ...secondary, removalGuard: { floor: 1, percent: 0, most: 1 } };
        for (let removals = 0; removals < 2; removals += 1) await askToRemove(site, "lfs_object");
      },
    ],
    [
      "a bulk update is under way",
      "bulk_update",
      /^frankfurt: is doing a bulk update \(reverify\) \(geo bulk show [0-9a-f]{16} --watch --site frankfurt\)$/m,
      (sites) => ask(sites, "secondary", "POST", "/bulk_updates", { action: "reverify" }),
    ],
    [
      "a destroy is under way",
      "destroy",
      /^virginia: has a destroy under way \(planning\) \(geo destroy show [0-9a-z]{12} --watch\)$/m,
      (sites) => ask(sites, "primary", "POST", "/destroys", { prefix: "lfs_objects/" }),
    ],
    [
      "the site is paused",
      "paused",
      /^frankfurt: is paused \(geo site resume --site frankfurt\)$/m,
      (sites) => ask(sites, "secondary", "PUT", "", { enabled: false }),
    ],
    [
      "a site does not answer",
      "unreachable",
      /^frankfurt: does not answer: .* \(geo doctor --site frankfurt\)$/m,
      async ({ down }) => void down.add("secondary"),
    ],
    [
      "the primary does not answer",
      "no_primary",
      /^the primary: was not asked, so that nobody knows/m,
      async ({ down }) => void down.add("primary"),
    ],
  ];

  test.each(HINDRANCES)("exits with 3 when %s, and says what shows or heals it", async (_, kind, line, arrange) => {
    const sites = await ready();
    await arrange(sites);
    const { code, out, err } = await sites.geo("preflight");
    expect(code).toBe(3);
    expect(out).toMatch(line);
    expect(err).toMatch(/^geo: \d+ things? stands? in the way\n$/);
    const json = await sites.geo("preflight", "--output", "json");
    expect(json.code).toBe(3);
    const { ready: isReady, hindrances } = JSON.parse(json.out);
    expect(isReady).toBe(false);
    expect(hindrances.map((one: { readonly kind: string }) => one.kind)).toContain(kind);
    expect(hindrances).toHaveLength(out.trimEnd().split("\n").length);
  });

  test("asks for queues before it asks for statuses, and looks again when all was well", async () => {
    const asked: string[] = [];
    const sites = await ready({
      sleep: (milliseconds) => {
        asked.push(`${milliseconds} ms`);
        return Promise.resolve();
      },
    });
    const { call } = sites.secondary;
    sites.secondary.call = (path, init) => {
      asked.push(/queues|status|graphql/.exec(path)?.[0] ?? "else");
      return call(path, init);
    };
    expect(await sites.geo("preflight")).toMatchObject({ code: 0 });
    const looks = asked.filter((what) => what !== "else");
    expect([...new Set(looks)]).toEqual(["status", "queues", "2000 ms", "graphql"]);
    expect(looks.slice(0, 6)).toEqual(["status", "queues", "status", "2000 ms", "queues", "status"]);
    expect(looks.slice(6).every((what) => what === "graphql")).toBe(true);
  });

  test("exits with 3 when something comes between the two looks", async () => {
    const sites: Sites = await ready({
      sleep: () => sites.secondary.rows([registryRow("pending", "pending", 3)]),
    });
    const { code, out } = await sites.geo("preflight");
    expect(code).toBe(3);
    expect(out).toMatch(/^frankfurt: 2\/3 \(66\.66%\) of LFS Objects are synced/m);
  });

  test("exits with 3 before both sides were ever compared", async () => {
    const { geo } = await twoSites();
    const { code, out } = await geo("preflight");
    expect(code).toBe(3);
    expect(out).toMatch(/^frankfurt: has not compared both sides to the end of \d+ types: .*lfs_object/m);
    expect(out).not.toContain("cool_widget");
  });

  test("exits with 3 when only the primary tells of a site, whose report is old", async () => {
    const sites = await ready();
    await ask(sites, "secondary", "POST", "/repair", {});
    sites.down.add("secondary");
    sites.clock.advance(15 * 60_000);
    const { code, out } = await sites.geo("preflight");
    expect(code).toBe(3);
    expect(out).toMatch(/^frankfurt: has a status that is 15 minutes old/m);
    expect(out).toMatch(/^frankfurt: was not asked itself/m);
    expect((await sites.geo("status")).out).toContain("As it last reported to its primary; it was not asked itself");
  });

  test("leaves out what is switched off everywhere, and says so", async () => {
    const sites = await ready();
    await sites.secondary.rows([registryRow("failed", "pending", 1, "cool_widget")]);
    const { code, out } = await sites.geo("preflight");
    expect(code).toBe(0);
    expect(out).toMatch(/^Note: Cool Widgets are switched off and were not looked at\.\nfrankfurt: All 2 objects/);
  });

  test("says that a site keeps a selection only", async () => {
    const sites = await ready();
    await ask(sites, "secondary", "PUT", "", { selective_sync_type: "shards", selective_sync_shards: ["a"] });
    const { out } = await sites.geo("preflight", "--output", "json");
    expect(JSON.parse(out).notes).toEqual(["frankfurt keeps a selection only; what it does not want is not there."]);
  });

  test("refuses a secondary that there is not, with exit code 2", async () => {
    const { geo } = await ready();
    expect(await geo("preflight", "--site", "oslo")).toMatchObject({
      code: 2,
      err: 'geo: --site is "oslo", expected one of frankfurt\n',
    });
  });
});
