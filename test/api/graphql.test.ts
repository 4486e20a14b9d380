import { describe, expect, test } from "vitest";
import { CAPACITIES_DEFAULT } from "../../shared/geo/capacities.ts";
import { globalId } from "../../shared/geo/global-id.ts";
import { siteId } from "../../shared/geo/site-status.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { REVIEWERS_QUERY } from "../support/reviewers-query.ts";
import { graphqlSite, lfsKey, lfsRows, listLfsObjects } from "./support/graphql.ts";

const at = (day: number): number => Date.UTC(2026, 5, day);

const ACHIEVEMENT = "achievement_uploads/7/42/badge.png";
const LFS = { registryClass: "LfsObjectRegistry", key: lfsKey(1) };

describe("POST /api/graphql", () => {
  test("answers what the reviewers of a new type ask (F71)", async () => {
    const site = graphqlSite();
    await site.primarySiteTable.update(setFlag("geo_achievement_upload_replication", true, 0));
    await site.primarySiteTable.update(setFlag("geo_upload_replication", false, 0));
    await site.put({ replicableName: "achievement_upload", key: ACHIEVEMENT });
    expect(await site.ask(REVIEWERS_QUERY)).toEqual({
      data: {
        geoNode: {
          name: "frankfurt",
          primary: false,
          achievementUploadRegistries: {
            nodes: [
              {
                id: globalId({ registryClass: "AchievementUploadRegistry", key: ACHIEVEMENT }),
                state: "SYNCED",
                verificationState: "SUCCEEDED",
                achievementUploadId: "42",
                lastSyncedAt: "2026-05-01T12:00:00.000Z",
                verifiedAt: "2026-05-01T13:00:00.000Z",
              },
            ],
          },
        },
      },
    });
  });

  test("tells all that there is to tell of a site (F71)", async () => {
    const site = graphqlSite();
    const token = await site.tokenOf("alice", "admin_geo");
    await site.call(`/api/v4/geo_sites/${siteId("frankfurt")}`, {
      method: "PUT",
      headers: { "PRIVATE-TOKEN": token },
      body: JSON.stringify({ selective_sync_type: "namespaces", selective_sync_namespace_ids: [7, 8] }),
    });
    const { data, errors } = await site.ask(`{
      geoNode(name: "frankfurt") {
        id name url internalUrl primary enabled filesMaxCapacity reposMaxCapacity verificationMaxCapacity
        containerRepositoriesMaxCapacity minimumReverificationInterval selectiveSyncType selectiveSyncShards
        selectiveSyncNamespaces { nodes { id } count } selectiveSyncOrganizations { nodes { id } } syncObjectStorage
      }
    }`);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      geoNode: {
        id: `gid://geo/GeoNode/${siteId("frankfurt")}`,
        name: "frankfurt",
        url: "https://api.example.com/geo",
        internalUrl: "https://api.example.com/geo",
        primary: false,
        enabled: true,
        filesMaxCapacity: CAPACITIES_DEFAULT.files_max_capacity,
        reposMaxCapacity: CAPACITIES_DEFAULT.repos_max_capacity,
        verificationMaxCapacity: CAPACITIES_DEFAULT.verification_max_capacity,
        containerRepositoriesMaxCapacity: CAPACITIES_DEFAULT.container_repositories_max_capacity,
        minimumReverificationInterval: 90,
        selectiveSyncType: "namespaces",
        selectiveSyncShards: [],
        selectiveSyncNamespaces: {
          nodes: [{ id: "gid://gitlab/Namespace/7" }, { id: "gid://gitlab/Namespace/8" }],
          count: 2,
        },
        selectiveSyncOrganizations: { nodes: [] },
        syncObjectStorage: true,
      },
    });
  });

  test("tells at the primary of every site that it knows, and shows the registries of none of them (F71)", async () => {
    const site = graphqlSite("primary");
    await site.call("/api/v4/geo_sites", {
      method: "POST",
      headers: { "PRIVATE-TOKEN": await site.tokenOf("alice", "admin_geo") },
      body: JSON.stringify({ name: "tokyo", url: "https://tokyo.example.com", enabled: false }),
    });
    const { data, errors } = await site.ask(
      '{ geoNode(name: "tokyo") { name url primary enabled syncObjectStorage lfsObjectRegistries { count nodes { id } } } }',
    );
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      geoNode: {
        name: "tokyo",
        url: "https://tokyo.example.com",
        primary: false,
        enabled: false,
        syncObjectStorage: true,
        lfsObjectRegistries: { count: 0, nodes: [] },
      },
    });
    expect(await site.ask("{ geoNode { primary syncObjectStorage } }")).toEqual({
      data: { geoNode: { primary: true, syncObjectStorage: null } },
    });
  });

  test("knows no site of another name", async () => {
    expect(await graphqlSite().ask('{ geoNode(name: "atlantis") { name } }')).toEqual({ data: { geoNode: null } });
  });

  test("tells all that there is to tell of a registry, and null for what there is not (F73)", async () => {
    const site = graphqlSite();
    await site.put({
      replicableName: "lfs_object",
      key: LFS.key,
      state: "failed",
      verification: "failed",
      columns: {
        retry_count: 3,
        retry_at: at(1),
        last_sync_failure: "S3 says no",
        last_synced_at: at(2),
        created_at: at(3),
        verification_checksum: "sha256:aa",
        verification_checksum_mismatched: "sha256:bb",
        verification_failure: "they differ",
        verification_retry_at: at(4),
        verification_retry_count: 5,
        verification_started_at: at(6),
        verified_at: at(7),
        checksum_mismatch: true,
        missing_on_primary: true,
      },
    });
    const fields = `id state retryCount retryAt lastSyncFailure lastSyncedAt createdAt verificationState
      verificationChecksum verificationChecksumMismatched verificationFailure verificationRetryAt
      verificationRetryCount verificationStartedAt verifiedAt checksumMismatch missingOnPrimary forceToRedownload
      modelRecordId lfsObjectId dataManagementDetailsPath`;
    const { data, errors } = await site.ask(`{ geoNode { lfsObjectRegistries { nodes { ${fields} } } } }`);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      geoNode: {
        lfsObjectRegistries: {
          nodes: [
            {
              id: globalId(LFS),
              state: "FAILED",
              retryCount: 3,
              retryAt: "2026-06-01T00:00:00.000Z",
              lastSyncFailure: "S3 says no",
              lastSyncedAt: "2026-06-02T00:00:00.000Z",
              createdAt: "2026-06-03T00:00:00.000Z",
              verificationState: "FAILED",
              verificationChecksum: "sha256:aa",
              verificationChecksumMismatched: "sha256:bb",
              verificationFailure: "they differ",
              verificationRetryAt: "2026-06-04T00:00:00.000Z",
              verificationRetryCount: 5,
              verificationStartedAt: "2026-06-06T00:00:00.000Z",
              verifiedAt: "2026-06-07T00:00:00.000Z",
              checksumMismatch: true,
              missingOnPrimary: true,
              forceToRedownload: null,
              modelRecordId: "1/ab/cd/ef1",
              lfsObjectId: "1",
              dataManagementDetailsPath: `/admin/data_management/lfs_objects/${Buffer.from(LFS.key).toString("base64url")}`,
            },
          ],
        },
      },
    });
  });

  test("keeps GitLab's earlier names of records: fileId of uploads, artifactId of job artifacts (F73)", async () => {
    const site = graphqlSite();
    await site.put(
      { replicableName: "upload", key: "project_uploads/7/42/a.png" },
      { replicableName: "job_artifact", key: "p_ci_job_artifacts/7/43/log" },
    );
    const { data } = await site.ask(
      "{ geoNode { uploadRegistries { nodes { fileId modelRecordId } } jobArtifactRegistries { nodes { artifactId } } } }",
    );
    expect(data).toEqual({
      geoNode: {
        uploadRegistries: { nodes: [{ fileId: "42", modelRecordId: "project_upload/7/42/a.png" }] },
        jobArtifactRegistries: { nodes: [{ artifactId: "43" }] },
      },
    });
  });

  test("tells no record of a key that the type does not claim any more", async () => {
    const site = graphqlSite();
    await site.put({ replicableName: "lfs_object", key: "elsewhere/1" });
    expect(await site.ask("{ geoNode { lfsObjectRegistries { nodes { lfsObjectId modelRecordId } } } }")).toEqual({
      data: { geoNode: { lfsObjectRegistries: { nodes: [{ lfsObjectId: null, modelRecordId: null }] } } },
    });
  });

  test("has a list for each declared type, one class each, and marks those that are not released (F71, F78, F86)", async () => {
    const site = graphqlSite();
    const { data } = await site.ask(`{
      node: __type(name: "GeoNode") { fields(includeDeprecated: true) { name isDeprecated deprecationReason } }
      classes: __type(name: "GeoRegistryClass") { enumValues { name } }
    }`);
    const { node, classes } = data as {
      node: { fields: { name: string; isDeprecated: boolean; deprecationReason: string | null }[] };
      classes: { enumValues: { name: string }[] };
    };
    const marks = new Map(node.fields.map((field) => [field.name, field.deprecationReason]));
    for (const { names, experiment } of replicables) {
      expect(marks.get(names.registriesField)).toBe(
        experiment === undefined ? null : `**Status**: Experiment. Introduced in ${experiment.milestone}.`,
      );
    }
    expect(classes.enumValues.map(({ name }) => name).sort()).toEqual(
      replicables.map(({ names }) => names.registryEnumKey).sort(),
    );
    expect(classes.enumValues).toContainEqual({ name: "PACKAGES_NUGET_SYMBOL_REGISTRY" });
  });

  test.each([
    ["RegistryState", ["FAILED", "PENDING", "STARTED", "SYNCED"]],
    ["ReplicationStateEnum", ["FAILED", "PENDING", "STARTED", "SYNCED"]],
    ["VerificationStateEnum", ["DISABLED", "FAILED", "PENDING", "STARTED", "SUCCEEDED"]],
  ])("has the values of Geo in %s (F74)", async (name, values) => {
    const { data } = await graphqlSite().ask(`{ __type(name: "${name}") { enumValues { name } } }`);
    const { enumValues } = (data as { __type: { enumValues: { name: string }[] } }).__type;
    expect(enumValues.map((value) => value.name).sort()).toEqual(values);
  });
});

describe("a list of registries", () => {
  test("is chosen by state of replication and of verification (F72)", async () => {
    const site = graphqlSite();
    const states = ["pending", "started", "failed"] as const;
    for (const [index, state] of states.entries()) {
      await site.put(...lfsRows(1, { state, verification: "pending" }, index + 1));
    }
    await site.put(...lfsRows(1, { verification: "failed" }, 4), ...lfsRows(1, {}, 5));
    await site.put(...lfsRows(1, { verification: "disabled" }, 6), ...lfsRows(1, { verification: "started" }, 7));
    const of = async (args: string) => (await listLfsObjects(site, args)).keys.toSorted();
    for (const [index, state] of states.entries()) {
      expect(await of(`replicationState: ${state.toUpperCase()}`)).toEqual([lfsKey(index + 1)]);
    }
    expect(await of("replicationState: SYNCED")).toEqual([4, 5, 6, 7].map(lfsKey));
    expect(await of("verificationState: SUCCEEDED")).toEqual([lfsKey(5)]);
    expect(await of("verificationState: DISABLED")).toEqual([lfsKey(6)]);
    expect(await of("verificationState: STARTED")).toEqual([lfsKey(7)]);
    expect(await of("replicationState: SYNCED, verificationState: FAILED")).toEqual([lfsKey(4)]);
    expect(await of("replicationState: FAILED, verificationState: FAILED")).toEqual([]);
    expect(await of("")).toEqual([1, 2, 3, 4, 5, 6, 7].map(lfsKey));
  });

  test("shows no tombstone, and none that is asked for by its id", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1, { state: "absent", verification: "disabled" }));
    expect((await listLfsObjects(site, "")).keys).toEqual([]);
    expect((await listLfsObjects(site, `ids: ["${globalId(LFS)}"]`)).keys).toEqual([]);
  });

  test("is chosen by ids, each row once and those that are not there left out (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    const ids = [3, 1, 1, 9].map((number) => globalId({ ...LFS, key: lfsKey(number) }));
    const { keys } = await listLfsObjects(site, `ids: ${JSON.stringify(ids)}`);
    expect(keys.toSorted()).toEqual([lfsKey(1), lfsKey(3)]);
  });

  test.each([
    ["the whole key", lfsKey(2)],
    ["the id of the record", "2/ab/cd/ef2"],
  ])("is searched by %s (F72)", async (_what, keyword) => {
    const site = graphqlSite();
    await site.put(...lfsRows(3));
    expect((await listLfsObjects(site, `keyword: "${keyword}"`)).keys).toEqual([lfsKey(2)]);
    expect((await listLfsObjects(site, `keyword: "${keyword}", ids: ["${globalId(LFS)}"]`)).keys).toEqual([]);
  });

  test("finds uploads by the ids of their partitions' records (F72)", async () => {
    const site = graphqlSite();
    const key = "project_uploads/7/42/a.png";
    await site.put({ replicableName: "upload", key });
    for (const keyword of [key, "project_upload/7/42/a.png"]) {
      const answer = await site.ask(`{ geoNode { uploadRegistries(keyword: "${keyword}") { nodes { fileId } } } }`);
      expect(answer).toEqual({ data: { geoNode: { uploadRegistries: { nodes: [{ fileId: "42" }] } } } });
    }
  });

  test.each(["ASC", "DESC"])(
    "is ordered by when rows were synced and verified, those that never were at one end: %s (F72)",
    async (way) => {
      const site = graphqlSite();
      await site.put(
        ...lfsRows(1, { columns: { last_synced_at: 30, verified_at: 10 } }, 1),
        ...lfsRows(1, { columns: { last_synced_at: 10, verified_at: 30 } }, 2),
        ...lfsRows(1, { columns: { last_synced_at: 20, verified_at: 20 } }, 3),
        ...lfsRows(1, { state: "pending", verification: "pending" }, 4),
      );
      const ordered = (numbers: readonly number[]) => (way === "ASC" ? numbers : numbers.toReversed()).map(lfsKey);
      expect((await listLfsObjects(site, `sort: LAST_SYNCED_AT_${way}`)).keys).toEqual(ordered([2, 3, 1, 4]));
      expect((await listLfsObjects(site, `sort: VERIFIED_AT_${way}`)).keys).toEqual(ordered([1, 3, 2, 4]));
    },
  );

  test("is empty while its type is switched off, and says so of its count (F84)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(2));
    await site.primarySiteTable.update(setFlag("geo_lfs_object_replication", false, 0));
    expect(await site.ask("{ geoNode { lfsObjectRegistries { nodes { id } count edges { cursor } } } }")).toEqual({
      data: { geoNode: { lfsObjectRegistries: { nodes: [], count: 0, edges: [] } } },
    });
  });

  test("is empty at a primary, which has no registries", async () => {
    const site = graphqlSite("primary");
    await site.put(...lfsRows(1));
    expect((await listLfsObjects(site, "")).keys).toEqual([]);
  });

  test.each(["verificationState: FAILED", "sort: VERIFIED_AT_ASC"])(
    "refuses %s where nothing is verified (F72)",
    async (args) => {
      const site = graphqlSite();
      await site.primarySiteTable.update(setFlag("geo_object_storage_verification", false, 0));
      expect((await listLfsObjects(site, args)).error).toMatch(/LFS Objects are not verified/);
      expect((await listLfsObjects(site, "sort: LAST_SYNCED_AT_ASC")).error).toBeUndefined();
    },
  );

  test("is counted without being read, up to the limit (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(3), ...lfsRows(2, { state: "failed", verification: "pending" }, 4));
    let reads = 0;
    site.rowTable.interference = { before: () => void (reads += 1) };
    const { data, errors } = await site.ask(`{ geoNode {
      all: lfsObjectRegistries { count }
      failed: lfsObjectRegistries(replicationState: FAILED) { count }
      verified: lfsObjectRegistries(verificationState: SUCCEEDED) { count }
      some: lfsObjectRegistries { count(limit: 3) }
      none: lfsObjectRegistries { count(limit: 0) }
    } }`);
    expect(errors).toBeUndefined();
    expect(data).toEqual({
      geoNode: {
        all: { count: 5 },
        failed: { count: 2 },
        verified: { count: 3 },
        some: { count: 4 },
        none: { count: 1 },
      },
    });
    expect(reads).toBe(0);
  });

  test("is counted no further than a thousand, whatever limit is asked for (F72)", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(1_003));
    expect(await site.ask("{ geoNode { lfsObjectRegistries { count(limit: 5000) } } }")).toEqual({
      data: { geoNode: { lfsObjectRegistries: { count: 1_001 } } },
    });
  });

  test("is counted by looking where rows are named", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(2));
    const ids = JSON.stringify([1, 2, 3].map((number) => globalId({ ...LFS, key: lfsKey(number) })));
    expect(await site.ask(`{ geoNode { lfsObjectRegistries(ids: ${ids}) { count } } }`)).toEqual({
      data: { geoNode: { lfsObjectRegistries: { count: 2 } } },
    });
  });

  test("leaves out a row that can not be read, and tells the log", async () => {
    const site = graphqlSite();
    await site.put(...lfsRows(2), ...lfsRows(1, { columns: { state: 77 } }, 3));
    expect((await listLfsObjects(site, "")).keys.toSorted()).toEqual([lfsKey(1), lfsKey(2)]);
    expect(JSON.stringify(site.telemetry.lines)).toContain("a row was left out of a list");
  });
});
