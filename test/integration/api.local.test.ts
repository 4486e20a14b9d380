import { randomInt } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { runCommand, runOrThrow } from "../../infra/local/processes.ts";
import { STATUS_FIELD_SUFFIXES } from "../../shared/geo/naming.ts";
import { type CloudSite, primary, runFile, secondary } from "../support/cloud.ts";
import { eventually } from "../support/eventually.ts";
import { officialParser } from "../support/prometheus-python.ts";
import { REVIEWERS_QUERY } from "../support/reviewers-query.ts";
import { putOnPrimary, registryRow, verified, versionsAt } from "./support/objects.ts";

/** No other suite uses this type. */
const KEYS = [1, 2].map((file) => `packages_helm_metadata_caches/7/${randomInt(1, 2 ** 47)}/${file}.yaml`);
const [FIRST = "", SECOND = ""] = KEYS;

/** Asks a site as an operator would, with curl, and returns what it said. */
const curl = async (site: CloudSite, path: string, ...args: readonly string[]): Promise<string> => {
  const header = `PRIVATE-TOKEN: ${site.admin_token}`;
  const { stdout } = await runOrThrow(
    "curl",
    ["--silent", "--show-error", "--fail-with-body", "--header", header, ...args, `${site.api_url}${path}`],
    { timeoutMs: 60_000 },
  );
  return stdout;
};

const Answer = z.object({
  data: z.record(z.string(), z.unknown()).nullable(),
  errors: z.array(z.unknown()).optional(),
});

const graphql = async (query: string): Promise<Record<string, unknown>> => {
  const body = ["--header", "content-type: application/json", "--data", JSON.stringify({ query })];
  const { data, errors } = Answer.parse(JSON.parse(await curl(secondary, "/api/graphql", ...body)));
  expect(errors).toBeUndefined();
  return data ?? {};
};

const mutate = (mutation: string): Promise<Record<string, unknown>> => graphql(`mutation { ${mutation} }`);

const Registries = z.object({
  geoNode: z.object({
    name: z.string(),
    primary: z.boolean(),
    packagesHelmMetadataCacheRegistries: z.object({
      count: z.number(),
      nodes: z.array(
        z.object({
          id: z.string(),
          state: z.string(),
          verificationState: z.string(),
          packagesHelmMetadataCacheId: z.string(),
          lastSyncedAt: z.string().nullable(),
          verifiedAt: z.string().nullable(),
        }),
      ),
    }),
  }),
});

const registries = async () =>
  Registries.parse(
    await graphql(`
      query {
        geoNode {
          name
          primary
          packagesHelmMetadataCacheRegistries {
            count(limit: 1000)
            nodes {
              id
              state
              verificationState
              packagesHelmMetadataCacheId
              lastSyncedAt
              verifiedAt
            }
          }
        }
      }
    `),
  ).geoNode;

const registryIdOf = async (key: string): Promise<string> => {
  const { nodes } = (await registries()).packagesHelmMetadataCacheRegistries;
  const found = nodes.find(({ packagesHelmMetadataCacheId: id }) => key.includes(`/${id}/`));
  if (found === undefined) throw new Error(`none of ${JSON.stringify(nodes)} is the registry of ${key}`);
  return found.id;
};

beforeAll(async () => {
  for (const key of KEYS) await putOnPrimary(key, `index of ${key}`);
  for (const key of KEYS) await verified(key);
});

describe("what anybody with a token can read", () => {
  test("the primary's /geo_sites/status has every field of both sites, for the types by which new ones are reviewed (F56, F65)", async () => {
    const Statuses = z.array(z.record(z.string(), z.unknown()));
    const look = async () => Statuses.parse(JSON.parse(await curl(primary, "/api/v4/geo_sites/status")));
    const isTold = (all: z.infer<typeof Statuses>): boolean =>
      all.some(
        (status) => status["name"] === secondary.name && typeof status["cool_widgets_registry_count"] === "number",
      );
    const statuses = await eventually("the secondary has told the primary how it is", look, isTold, 120_000);
    expect(new Set(statuses.map((status) => status["name"]))).toEqual(new Set([primary.name, secondary.name]));
    expect(statuses).toHaveLength(2);
    const plurals = ["group_uploads", "packages_nuget_symbols", "achievement_uploads", "cool_widgets"];
    for (const status of statuses) {
      for (const plural of plurals) {
        for (const suffix of Object.values(STATUS_FIELD_SUFFIXES)) expect(status).toHaveProperty(`${plural}_${suffix}`);
      }
    }
  });

  test("the query by which a new type is reviewed runs as it is printed there (F71, F73)", async () => {
    expect(await graphql(REVIEWERS_QUERY)).toEqual({
      geoNode: { name: secondary.name, primary: false, achievementUploadRegistries: { nodes: [] } },
    });
  });

  test("the registries of a type say what has become of its objects (F72, F73)", async () => {
    const found = await eventually(
      "both objects are counted",
      registries,
      ({ packagesHelmMetadataCacheRegistries: { count } }) => count === KEYS.length,
    );
    expect(found).toMatchObject({ name: secondary.name, primary: false });
    expect(found.packagesHelmMetadataCacheRegistries.nodes).toHaveLength(KEYS.length);
    for (const node of found.packagesHelmMetadataCacheRegistries.nodes) {
      expect(node).toMatchObject({ state: "SYNCED", verificationState: "SUCCEEDED" });
      expect(Date.parse(node.verifiedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(node.lastSyncedAt ?? ""));
    }
  });

  test("Prometheus' own parser takes what /metrics says, at both sites (F62)", async ({ skip }) => {
    const official = await officialParser();
    if ("reason" in official) return skip(official.reason);
    const namesAt = async (site: CloudSite): Promise<ReadonlySet<string>> =>
      new Set((await official.parser.parse(await curl(site, "/metrics"))).map(({ name }) => name));
    expect(await namesAt(primary)).toContain("geo_cool_widgets_checksummed");
    const gauges = ["_registry", "_synced", "_failed", "_verified"].map((suffix) => `geo_cool_widgets${suffix}`);
    expect([...(await namesAt(secondary))]).toEqual(expect.arrayContaining(gauges));
  });
});

const Diagnosis = z.object({
  findings: z.array(
    z.object({ check: z.string(), site: z.string().nullable(), verdict: z.string(), found: z.string() }),
  ),
});

describe("geo doctor", () => {
  test("looks at all that is deployed, and finds it as it should be (F105)", { timeout: 60_000 }, async () => {
    const args = ["cli/geo.mjs", "doctor", "--output", "json", "--config", "infra/local/geo.config.ts"];
    // Others work on these sites meanwhile, so that it may find what is theirs: what it exits with is not looked at.
    const { stdout } = await runCommand(process.execPath, args, {
      timeoutMs: 30_000,
      env: { GEO_SITES_FILE: runFile },
    });
    const { findings } = Diagnosis.parse(JSON.parse(stdout));
    const checks = ["versions", "clock", "deployment", "versioning", "notifications", "uploads"];
    const looked = findings.filter(({ check }) => checks.includes(check));
    expect(new Set(looked.map(({ check }) => check))).toEqual(new Set(checks));
    expect(looked.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
    // And of the rest there is nothing that it could not be let look at.
    expect(findings.filter(({ found }) => /does not let you|answered 40/.test(found))).toEqual([]);
  });
});

describe("what an administrator has done by GraphQL", () => {
  test("one registry is copied again, and its replica read again (F76)", async () => {
    const before = await registryRow(FIRST);
    const id = await registryIdOf(FIRST);
    expect(
      await mutate(`geoRegistriesUpdate(input: { registryId: "${id}", action: RESYNC }) { errors
        registry { ... on PackagesHelmMetadataCacheRegistry { id } } }`),
    ).toEqual({ geoRegistriesUpdate: { errors: [], registry: { id } } });
    const copied = await eventually(
      "the object has been copied again, and verified",
      () => registryRow(FIRST),
      (row) => row?.rep_version_id !== before?.rep_version_id && row?.verification_state === "succeeded",
      90_000,
    );
    expect((await versionsAt(secondary, FIRST)).versions).toBe(2);
    await mutate(`geoRegistriesUpdate(input: { registryId: "${id}", action: REVERIFY }) { errors }`);
    await eventually(
      "its replica has been read again",
      () => registryRow(FIRST),
      (row) => (row?.verified_at ?? 0) > (copied?.verified_at ?? 0) && row?.verification_state === "succeeded",
      90_000,
    );
    expect((await versionsAt(secondary, FIRST)).versions).toBe(2);
  });

  test("all registries of a class are read again, and those that failed copied again, until that is done (F77, F78)", async () => {
    const before = await registryRow(SECOND);
    for (const input of [
      "registryClass: PACKAGES_HELM_METADATA_CACHE_REGISTRY, action: REVERIFY_ALL",
      "registryClass: PACKAGES_HELM_METADATA_CACHE_REGISTRY, action: RESYNC_ALL, replicationState: FAILED",
    ]) {
      expect(await mutate(`geoRegistriesBulkUpdate(input: { ${input} }) { errors registryClass }`)).toEqual({
        geoRegistriesBulkUpdate: { errors: [], registryClass: "PACKAGES_HELM_METADATA_CACHE_REGISTRY" },
      });
    }
    await eventually(
      "every replica of the class has been read again",
      () => registryRow(SECOND),
      (row) => (row?.verified_at ?? 0) > (before?.verified_at ?? 0) && row?.verification_state === "succeeded",
      90_000,
    );
    // Nothing of the class has failed.
    expect((await versionsAt(secondary, SECOND)).versions).toBe(1);
  });
});
