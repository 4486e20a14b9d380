import { expect, test } from "vitest";
import { siteAnswer } from "../../../shared/geo/site-answer.ts";
import { siteId } from "../../../shared/geo/site-status.ts";
import { SETTINGS_DEFAULT } from "../../../shared/geo/site-settings.ts";

test("of a site of which neither an address nor a type is known, the page of replication is where one has asked", () => {
  const answer = siteAnswer({
    name: "oslo",
    role: "secondary",
    url: null,
    internalUrl: null,
    enabled: true,
    current: false,
    settled: { ...SETTINGS_DEFAULT, syncObjectStorage: true, blobDownloadTimeout: 28_800 },
    firstType: undefined,
    apiUrl: "https://geo.example",
    word: "geo_sites",
  });
  expect(answer).toMatchObject({
    url: null,
    internal_url: null,
    web_geo_replication_details_url: `https://geo.example/admin/geo/sites/${siteId("oslo")}/replication`,
  });
});
