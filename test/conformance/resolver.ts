import { graphql } from "graphql";
import { expect, test } from "vitest";
import type { GraphQLCall } from "../../functions/status-api/graphql/call.ts";
import { recordFieldOf } from "../../functions/status-api/graphql/registry-types.ts";
import { graphqlSchema } from "../../functions/status-api/graphql/schema.ts";
import { globalId } from "../../shared/geo/global-id.ts";
import type { Replicable } from "../../shared/geo/replicable.ts";
import { siteAnswer } from "../../shared/geo/site-answer.ts";
import { SETTINGS_DEFAULT } from "../../shared/geo/site-settings.ts";
import { MemoryWorkflow } from "../../shared/memory/workflows.ts";
import { CursorKey } from "../../shared/services/cursor-key.ts";
import { REGISTRY_ROWS } from "../../shared/services/find-rows/row-kind.ts";
import { settledFacts } from "../../shared/services/gather-status.ts";
import { keyMatcher } from "../../shared/services/key-matcher.ts";
import { loneWorld } from "./lone-world.ts";

const SITE = { name: "secondary", role: "secondary", region: "eu-west-1" } as const;

/** An administrator asks the world's secondary. */
const callOf = (world: Awaited<ReturnType<typeof loneWorld>>): GraphQLCall => {
  const { replicables, siteTable, primarySiteTable, clock, telemetry, registry } = world;
  const { switches } = world.secondary;
  const bulkWorkflow = new MemoryWorkflow({ name: "bulk-update", clock });
  const deployed = { syncObjectStorage: true, syncTimeoutSeconds: 60 };
  return {
    site: SITE,
    isAdmin: true,
    caller: "tests",
    tokenName: "tests",
    replicables,
    switches,
    registry: { kind: REGISTRY_ROWS, rows: registry, siteTable, telemetry },
    cursorKey: new CursorKey({ siteTable, randomBytes: (size) => new Uint8Array(size) }),
    asking: { site: SITE, replicables, siteTable, primarySiteTable, bulkWorkflow, clock, telemetry },
    findSite: () =>
      Promise.resolve(
        siteAnswer({
          ...SITE,
          url: null,
          internalUrl: null,
          enabled: true,
          current: true,
          settled: settledFacts(SETTINGS_DEFAULT, deployed),
          firstType: undefined,
          apiUrl: "",
          word: "geo_sites",
        }),
      ),
    match: async (key) => (await keyMatcher(replicables, switches))(key),
  };
};

/** How every type's registries are shown (F71-F73, F78). */
export const isShown = (type: Replicable): void => {
  const { names } = type;

  test("its registries are shown in GraphQL, under its names (F71-F73)", async () => {
    const world = await loneWorld(type);
    world.replicaFaults.failNext("copy", "unavailable");
    world.primaryBucket.put(world.key, "first");
    await world.settle();
    world.primaryBucket.put(world.otherKey, "second");
    await world.settle();
    await world.status("secondary"); // what is in the table has been counted then
    const fields = `nodes { id state modelRecordId ${recordFieldOf(type)} }`;
    const { data, errors } = await graphql({
      schema: graphqlSchema(world.replicables),
      source: `{ geoNode {
        all: ${names.registriesField} { count }
        failed: ${names.registriesField}(replicationState: FAILED) { count ${fields} }
        synced: ${names.registriesField}(replicationState: SYNCED, verificationState: SUCCEEDED) { nodes { state } }
      } }`,
      contextValue: callOf(world),
    });
    expect(errors).toBeUndefined();
    const shown = JSON.parse(JSON.stringify(data)) as { readonly geoNode: unknown }; // GraphQL's objects have no prototype
    expect(shown.geoNode).toEqual({
      all: { count: 2 },
      failed: {
        count: 1,
        nodes: [
          {
            id: globalId({ registryClass: names.registryClass, key: world.key }),
            state: "FAILED",
            modelRecordId: world.modelRecordId,
            [recordFieldOf(type)]: "42",
          },
        ],
      },
      synced: { nodes: [{ state: "SYNCED" }] },
    });
  });
};
