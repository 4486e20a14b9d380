/** The pair of sites that the local commands deploy. Your own deployment is in `infra/geo.config.ts`. */
import process from "node:process";
import { defineGeoConfig } from "../../shared/config/geo-config.ts";

export default defineGeoConfig({
  account: process.env["CDK_DEFAULT_ACCOUNT"] ?? "000000000000",
  sites: [
    { name: "virginia", role: "primary", region: "us-east-1" },
    { name: "ireland", role: "secondary", region: "eu-west-1" },
  ],
  // Nothing here takes long to copy, so that nobody has to wait for a minute to see drift noticed.
  driftDelaySeconds: 3,
});
