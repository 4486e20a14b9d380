/** One primary and three secondaries, with every setting that has a default spelled out. */
import process from "node:process";

import { defineGeoConfig } from "../../shared/config/geo-config.ts";

export default defineGeoConfig({
  name: "s3-geo",
  account: process.env.CDK_DEFAULT_ACCOUNT ?? "111122223333",
  sites: [
    { name: "virginia", role: "primary", region: "us-east-1" },
    { name: "ireland", role: "secondary", region: "eu-west-1" },
    { name: "tokyo", role: "secondary", region: "ap-northeast-1" },
    { name: "sydney", role: "secondary", region: "ap-southeast-2" },
  ],
  replicables: "all",
  keyPatterns: {},
  apiThrottle: { ratePerSecond: 20, burst: 40 },
  scheduleSweepMinutes: 1,
  driftDelaySeconds: 60,
  noncurrentVersionDays: 30,
  tracing: false,
});
