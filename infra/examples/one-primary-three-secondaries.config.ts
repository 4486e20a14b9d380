/** One primary and three secondaries, with every setting that has a default spelled out. */
import process from "node:process";

import { defineGeoConfig } from "../../shared/config/geo-config.ts";

const SECONDARY = {
  role: "secondary",
  replicaDrift: true,
  syncTimeoutSeconds: 28_800,
  syncObjectStorage: true,
} as const;

export default defineGeoConfig({
  name: "s3-geo",
  account: process.env.CDK_DEFAULT_ACCOUNT ?? "111122223333",
  sites: [
    { name: "virginia", role: "primary", region: "us-east-1" },
    { ...SECONDARY, name: "ireland", region: "eu-west-1" },
    { ...SECONDARY, name: "tokyo", region: "ap-northeast-1" },
    { ...SECONDARY, name: "sydney", region: "ap-southeast-2" },
  ],
  replicables: "all",
  keyPatterns: {},
  apiThrottle: { ratePerSecond: 20, burst: 40 },
  scheduleSweepMinutes: 1,
  driftDelaySeconds: 60,
  removalGuard: { floor: 100, percent: 5, most: 10_000 },
  largeObjects: { singleCopyBytes: 5_000_000_000, partBytes: 67_108_864, workflowBytes: 100_000_000_000 },
  consistencyDays: 7,
  noncurrentVersionDays: 30,
  tracing: false,
});
