import { describe, expect, test } from "vitest";
import { globalId } from "../../shared/geo/global-id.ts";
import { setFlag } from "../../shared/tables/site/flags-item.ts";
import { graphqlSite } from "./support/graphql.ts";

/** As somebody who reviews a new type is told to ask it. */
const REVIEWERS_QUERY = `query {
geoNode {
name
primary
achievementUploadRegistries {
nodes {
id
state
verificationState
achievementUploadId
lastSyncedAt
verifiedAt
}
}
}
}`;

const ACHIEVEMENT = "achievement_uploads/7/42/badge.png";

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
});
