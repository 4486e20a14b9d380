/** This deployment: edit it, or pass another file with `cdk … -c config=path`. */
import process from "node:process";

import { defineGeoConfig } from "../shared/config/geo-config.ts";

export default defineGeoConfig({
  // cdk sets it from the credentials in use; without any, templates can still be looked at under AWS's example account.
  account: process.env.CDK_DEFAULT_ACCOUNT ?? "111122223333",
  sites: [
    { name: "virginia", role: "primary", region: "us-east-1" },
    { name: "ireland", role: "secondary", region: "eu-west-1" },
  ],
});
