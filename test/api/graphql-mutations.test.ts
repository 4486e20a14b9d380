import { describe, expect, test } from "vitest";
import { WorkflowUnavailableError } from "../../shared/geo/errors.ts";
import { globalId } from "../../shared/geo/global-id.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { listBulkUpdates } from "../../shared/services/bulk-update/ask-for-bulk-update.ts";
import { type GraphQLSite, graphqlSite, lfsKey, lfsRows } from "./support/graphql.ts";

const UPDATE = `mutation ($input: GeoRegistriesUpdateInput!) {
  geoRegistriesUpdate(input: $input) {
    clientMutationId
    registry { __typename ... on LfsObjectRegistry { id state } }
    errors
  }
}`;
const BULK = `mutation ($input: GeoRegistriesBulkUpdateInput!) {
  geoRegistriesBulkUpdate(input: $input) { clientMutationId registryClass errors }
}`;

const lfsId = (number: number): string => globalId({ registryClass: "LfsObjectRegistry", key: lfsKey(number) });

const bulkUpdatesOf = (site: GraphQLSite) => listBulkUpdates(site);

const DENIED =
  "The resource that you are attempting to access does not exist or you don't have permission to perform this action";

describe("geoRegistriesUpdate", () => {
  test.each([
    ["RESYNC", "resync"],
    ["REVERIFY", "reverify"],
  ])("has one row done: %s (F76)", async (action, asked) => {
    const site = graphqlSite();
    await site.put(...lfsRows(2));
    expect(await site.ask(UPDATE, { input: { registryId: lfsId(1), action, clientMutationId: "mine" } })).toEqual({
      data: {
        geoRegistriesUpdate: {
          clientMutationId: "mine",
          registry: { __typename: "LfsObjectRegistry", id: lfsId(1), state: "SYNCED" },
          errors: [],
        },
      },
    });
    expect(await bulkUpdatesOf(site)).toMatchObject([
      { action: asked, replicable_name: "lfs_object", keys_count: 1, state: "running", asked_by: "alice" },
    ]);
    expect(site.bulkWorkflow.executions).toHaveLength(1);
  });

  test("is begun once however often it is asked for while it runs (F76)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1));
    for (let asked = 0; asked < 3; asked += 1) {
      const { errors } = await site.ask(UPDATE, { input: { registryId: lfsId(1), action: "RESYNC" } });
      expect(errors).toBeUndefined();
    }
    expect(site.bulkWorkflow.executions).toHaveLength(1);
  });

  test("says in the payload what speaks against it, and begins nothing (F76)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1, { state: "failed", verification: "pending" }));
    const update = async (action: string) =>
      (await site.ask(UPDATE, { input: { registryId: lfsId(1), action } })).data as {
        geoRegistriesUpdate: { errors: string[] };
      };
    expect((await update("REVERIFY")).geoRegistriesUpdate.errors).toEqual([
      "action: only what is SYNCED can be verified again, and this registry is FAILED",
    ]);
    await site.primarySiteTable.update(setFlag("geo_lfs_object_replication", false, 0));
    expect((await update("RESYNC")).geoRegistriesUpdate.errors).toEqual([
      expect.stringContaining("lfs_object is switched off"),
    ]);
    expect(await bulkUpdatesOf(site)).toEqual([]);
  });

  test.each([
    ["a row that is not there", lfsId(9), DENIED],
    [
      "a class that there is not",
      globalId({ registryClass: "NothingRegistry", key: "a" }),
      'there is no class "NothingRegistry"',
    ],
    ["no id", "17", "registryId: expected a registry's id such as"],
    ["a site", "gid://geo/GeoNode/17", "is no id that this API has handed out"],
  ])("refuses %s", async (_what, registryId, expected) => {
    const site = graphqlSite();
    await site.put(...lfsRows(1));
    const { data, errors } = await site.ask(UPDATE, { input: { registryId, action: "RESYNC" } });
    expect(data).toEqual({ geoRegistriesUpdate: null });
    expect(errors?.[0]?.message).toContain(expected);
  });

  test("shows no tombstone", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1, { state: "absent", verification: "disabled" }));
    const { errors } = await site.ask(UPDATE, { input: { registryId: lfsId(1), action: "RESYNC" } });
    expect(errors?.[0]?.message).toBe(DENIED);
  });

  test("is not there at a primary, which has no registries", async () => {
    const site = graphqlSite("primary");
    await site.put(...lfsRows(1));
    const { errors } = await site.ask(UPDATE, { input: { registryId: lfsId(1), action: "RESYNC" } });
    expect(errors?.[0]?.message).toBe(DENIED);
  });
});

const bulk = async (site: GraphQLSite, input: Readonly<Record<string, unknown>>) =>
  site.ask(BULK, { input: { registryClass: "LFS_OBJECT_REGISTRY", ...input } });

describe("geoRegistriesBulkUpdate", () => {
  test.each([
    [{ action: "RESYNC_ALL" }, { action: "resync" }],
    [{ action: "REVERIFY_ALL" }, { action: "reverify" }],
    [
      { action: "RESYNC_ALL", replicationState: "FAILED" },
      { action: "resync", replication_state: "failed" },
    ],
    [
      { action: "REVERIFY_ALL", verificationState: "FAILED" },
      { action: "reverify", verification_state: "failed" },
    ],
    [
      { action: "RESYNC_ALL", ids: [1, 2].map(lfsId) },
      { action: "resync", keys_count: 2 },
    ],
  ])("has what is chosen done: %j (F77)", async (input, begun) => {
    const site = graphqlSite();
    expect(await bulk(site, { ...input, clientMutationId: "mine" })).toEqual({
      data: {
        geoRegistriesBulkUpdate: { clientMutationId: "mine", registryClass: "LFS_OBJECT_REGISTRY", errors: [] },
      },
    });
    expect(await bulkUpdatesOf(site)).toMatchObject([{ ...begun, replicable_name: "lfs_object", asked_by: "alice" }]);
  });

  test("is begun once however often it is asked for (F77)", async () => {
    const site = graphqlSite();
    for (let asked = 0; asked < 3; asked += 1) await bulk(site, { action: "RESYNC_ALL" });
    expect(site.bulkWorkflow.executions).toHaveLength(1);
  });

  test.each([
    [{ action: "RESYNC_ALL", replicationState: "PENDING" }, "replicationState: a row that is pending is copied anyway"],
    [
      { action: "REVERIFY_ALL", replicationState: "FAILED" },
      'replicationState: only synced rows are verified, got "failed"',
    ],
    [
      { action: "RESYNC_ALL", replicationState: "FAILED", verificationState: "FAILED" },
      'verificationState: only a synced row has one that counts, and replicationState is "failed"',
    ],
    [{ action: "RESYNC_ALL", ids: [] }, "ids: expected 1 key or more, got an empty list; leave it out for all rows"],
    [
      { action: "RESYNC_ALL", ids: [globalId({ registryClass: "LfsObjectRegistry", key: "elsewhere/1" })] },
      'ids: expected ids of lfs_object, got "elsewhere/1"',
    ],
  ])("says in the payload what speaks against %j, in its own words (F77)", async (input, problem) => {
    const { data } = await bulk(graphqlSite(), input);
    expect(data).toMatchObject({ geoRegistriesBulkUpdate: { errors: [problem] } });
  });

  test("refuses ids of another class, and more than a hundred", async () => {
    const site = graphqlSite();
    const other = globalId({ registryClass: "JobArtifactRegistry", key: "a" });
    expect((await bulk(site, { action: "RESYNC_ALL", ids: [other] })).errors?.[0]?.message).toContain(
      "expected ids of LfsObjectRegistry",
    );
    const ids = Array.from({ length: 101 }, (_, number) => lfsId(number));
    const { data } = await bulk(site, { action: "RESYNC_ALL", ids });
    expect(data).toMatchObject({ geoRegistriesBulkUpdate: { errors: [expect.stringContaining("at most 100")] } });
  });

  test("is not there at a primary", async () => {
    const { errors } = await bulk(graphqlSite("primary"), { action: "RESYNC_ALL" });
    expect(errors?.[0]?.message).toBe(DENIED);
  });

  test("may be asked for again when Step Functions does not answer", async () => {
    const site = graphqlSite();
    site.bulkWorkflow.interference = {
      before: () => {
        throw new WorkflowUnavailableError("arn of the machine");
      },
    };
    const { data, errors } = await bulk(site, { action: "RESYNC_ALL" });
    expect(data).toEqual({ geoRegistriesBulkUpdate: null });
    expect(errors?.[0]?.message).toBe("Step Functions did not answer; try again.");
  });
});

describe("whoever is no administrator", () => {
  test("changes nothing, and is told Geo's words (F76, F77)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1));
    const headers = { "PRIVATE-TOKEN": await site.tokenOf("reader", "read_geo") };
    const one = await site.ask(UPDATE, { input: { registryId: lfsId(1), action: "RESYNC" } }, headers);
    expect(one).toMatchObject({ data: { geoRegistriesUpdate: null }, errors: [{ message: DENIED }] });
    const input = { registryClass: "LFS_OBJECT_REGISTRY", action: "RESYNC_ALL" };
    const many = await site.ask(BULK, { input }, headers);
    expect(many).toMatchObject({ data: { geoRegistriesBulkUpdate: null }, errors: [{ message: DENIED }] });
    expect(await bulkUpdatesOf(site)).toEqual([]);
  });
});
