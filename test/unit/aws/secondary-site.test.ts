import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { awsSecondarySite, type ConsumerEnvironment } from "../../../shared/aws/secondary-site.ts";
import { SILENT } from "../../../shared/memory/silent-telemetry.ts";
import { siteReaders } from "../../../shared/services/site-readers.ts";
import { CREDENTIALS, openWire, type Wire } from "./support/wire.ts";

const CONFIG: ConsumerEnvironment = {
  SITE_NAME: "ireland",
  ACCOUNT_ID: "123456789012",
  PRIMARY_REGION: "us-east-1",
  PRIMARY_BUCKET: "primary",
  REPLICA_BUCKET: "replica",
  REGISTRY_TABLE: "registry",
  PRIMARY_STATE_TABLE: "state",
  PRIMARY_SITE_TABLE: "primary-site",
  SITE_TABLE: "site",
  VERIFICATION_QUEUE: "verification",
  TIMEOUT_SECONDS: "60",
  SYNC_TIMEOUT_SECONDS: "28800",
  SYNC_OBJECT_STORAGE: "true",
  REMOVAL_GUARD_FLOOR: "100",
  REMOVAL_GUARD_PERCENT: "5",
  REMOVAL_GUARD_MOST: "10000",
  SINGLE_COPY_BYTES: "1000",
  PART_BYTES: "1000",
};

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => {
  vi.stubEnv("AWS_ENDPOINT_URL", wire.endpoint);
  vi.stubEnv("AWS_REGION", "eu-west-1");
  vi.stubEnv("AWS_ACCESS_KEY_ID", CREDENTIALS.accessKeyId);
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", CREDENTIALS.secretAccessKey);
  return () => vi.unstubAllEnvs();
});

const versioningIs = (status: string): void => {
  wire.answer = {
    status: 200,
    body: `<VersioningConfiguration><Status>${status}</Status></VersioningConfiguration>`,
  };
};

describe("a secondary's function", () => {
  it("stops work at its next message once a write into its bucket made no version", async () => {
    const { site, deadline, versioning } = awsSecondarySite(CONFIG, SILENT, [], siteReaders([], true, SILENT));
    deadline.set(Date.now() + 5_000);
    versioningIs("Enabled");
    await versioning.assertEnabled();
    wire.answer = { status: 204, headers: { "x-amz-delete-marker": "true", "x-amz-version-id": "null" } };
    expect(await site.replica.remove("key", '"e"')).toMatchObject({ outcome: "unknown" });
    versioningIs("Suspended");
    await expect(versioning.assertEnabled()).rejects.toMatchObject({ code: "GEO_BUCKET_NOT_VERSIONED" });
  });
});
