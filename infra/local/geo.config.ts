/** The sites that the local commands deploy. Your own deployment is in `infra/geo.config.ts`. */
import process from "node:process";
import { defineGeoConfig } from "../../shared/config/geo-config.ts";

const SECONDARIES = [
  { name: "ireland", role: "secondary", region: "eu-west-1" },
  { name: "singapore", role: "secondary", region: "ap-southeast-1" },
] as const;

/** How many secondaries there are, 1 or 2; each costs the one machine as much as the first. */
const wanted = process.env["S3_GEO_SECONDARIES"] ?? "1";
if (wanted !== "1" && wanted !== "2") {
  throw new Error(`S3_GEO_SECONDARIES: expected 1 or 2, got ${JSON.stringify(wanted)}`);
}

export default defineGeoConfig({
  account: process.env["CDK_DEFAULT_ACCOUNT"] ?? "000000000000",
  sites: [{ name: "virginia", role: "primary", region: "us-east-1" }, ...SECONDARIES.slice(0, Number(wanted))],
  // Nothing here takes long to copy, so that nobody has to wait for a minute to see drift noticed.
  driftDelaySeconds: 3,
});
