import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { PowertoolsTelemetry } from "../../../shared/aws/powertools-telemetry.ts";

const written: object[] = [];
beforeEach(() => {
  written.length = 0;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    for (const line of String(text).trim().split("\n")) written.push(JSON.parse(line) as object);
    return true;
  });
});
afterEach(() => void vi.restoreAllMocks());

const telemetry = () => new PowertoolsTelemetry({ siteName: "east", service: "event-consumer" });

describe("telemetry by Powertools", () => {
  it("writes a line with its fields, the site and the service, and leaves out what is undefined", () => {
    telemetry().info("copied", { key: "a", attempt: 1, reason: undefined });
    expect(written).toMatchObject([
      { level: "INFO", message: "copied", site_name: "east", service: "event-consumer", key: "a", attempt: 1 },
    ]);
    expect(written[0]).not.toHaveProperty("reason");
  });

  it("publishes each replicable's metrics by site and replicable only", () => {
    const subject = telemetry();
    subject.count("synced", 2, "upload");
    subject.count("synced", 3, "upload");
    subject.duration("copy", 12, "lfs_object");
    subject.count("parked", 1);
    subject.flush();
    subject.flush();
    expect(written).toMatchObject([
      {
        _aws: { CloudWatchMetrics: [{ Namespace: "S3Geo", Dimensions: [["site_name", "replicable_name"]] }] },
        site_name: "east",
        replicable_name: "upload",
        synced: [2, 3],
      },
      { replicable_name: "lfs_object", copy: 12 },
      { _aws: { CloudWatchMetrics: [{ Dimensions: [["site_name"]] }] }, parked: 1 },
    ]);
    expect(written).toHaveLength(3);
  });

  it("never throws, whatever it is given", () => {
    const subject = telemetry();
    expect(() => {
      subject.count("", Number.NaN, "");
      subject.duration("x".repeat(5_000), -1);
      subject.error("failed", { big: 10n as unknown as number });
      subject.flush();
    }).not.toThrow();
  });
});
