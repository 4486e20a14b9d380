import { describe, expect, it } from "vitest";
import { MemoryBucket, type PutOptions } from "../../../shared/memory/bucket.ts";
import { ScriptedFaults } from "../../../shared/memory/bucket-faults.ts";
import { SeededChance } from "../../../shared/memory/chance.ts";
import { ManualClock } from "../../../shared/memory/clock.ts";
import { MemoryReplicaBucket } from "../../../shared/memory/replica-bucket.ts";
import type { CopyRequest } from "../../../shared/ports/object-store.ts";

const makeSites = (options: PutOptions = {}) => {
  const clock = new ManualClock();
  const chance = new SeededChance(7);
  const primary = new MemoryBucket({ name: "primary", clock, chance });
  const replica = new MemoryBucket({ name: "replica", clock, chance });
  const faults = new ScriptedFaults();
  const source = primary.put("key", "content", options);
  const request: CopyRequest = {
    key: "key",
    sourceVersionId: source.versionId,
    sourceEtag: source.etag,
    size: 7,
    storageClass: "STANDARD",
    headers: {},
    metadata: {},
    replica: { expect: "nothing" },
  };
  const port = new MemoryReplicaBucket({ primary, replica, faults, copyBytesMax: 10 });
  return { primary, replica, faults, source, request, port };
};

describe("a replica's bucket in memory", () => {
  it("carries the source's stored checksum over, although the bytes have rotted: that is what S3 does", async () => {
    const { primary, replica, source, request, port } = makeSites();
    const rotten = new TextEncoder().encode("c0ntent");
    primary.corrupt("key", source.versionId, rotten);
    await port.copyFromPrimary(request);
    expect(replica.current("key")).toMatchObject({ checksum: source.checksum, body: rotten });
  });

  it("fails the next operation as it is told to, and only that one", async () => {
    const { faults, request, port } = makeSites();
    faults.failNext("head", "forbidden").failNext("copy", "throttled", "SlowDown");
    expect(await port.head("key")).toEqual({ outcome: "failed", failure: { kind: "forbidden", detail: "forbidden" } });
    expect(await port.head("key")).toEqual({ outcome: "absent" });
    expect(await port.copyFromPrimary(request)).toMatchObject({ outcome: "failed", failure: { kind: "throttled" } });
    expect((await port.copyFromPrimary(request)).outcome).toBe("copied");
  });

  it.each(["now", "never"] as const)("gives no answer to a copy that is carried out %s", async (when) => {
    const { faults, replica, request, port } = makeSites();
    faults.loseNextAnswer("copy", when);
    expect((await port.copyFromPrimary(request)).outcome).toBe("unknown");
    expect(replica.keys()).toEqual(when === "now" ? ["key"] : []);
  });

  it("lands a late copy on what is there by then, if its condition allows (R11)", async () => {
    const { faults, replica, source, request, port } = makeSites();
    const current = replica.put("key", "old");
    const expecting: CopyRequest = { ...request, replica: { expect: "version_with_etag", etag: current.etag } };
    faults.loseNextAnswer("copy", "later");
    await port.copyFromPrimary(expecting);
    replica.put("key", "newer");
    // Content that comes back to what it was lets the old request through (R13).
    replica.put("key", "old");
    faults.carryOutLate();
    expect(replica.current("key")).toMatchObject({ etag: source.etag });
  });

  it("lands nothing late where its condition has become false", async () => {
    const { faults, replica, request, port } = makeSites();
    faults.loseNextAnswer("copy", "later");
    await port.copyFromPrimary(request);
    const other = replica.put("key", "somebody else's");
    faults.carryOutLate();
    expect(replica.current("key")).toEqual(other);
  });

  it.each<[string, PutOptions, object]>([
    ["archived", { storageClass: "GLACIER" }, { outcome: "failed", failure: { kind: "archived" } }],
    ["encrypted with a customer's key", { customerKey: true }, { outcome: "failed", failure: { kind: "rejected" } }],
  ])("does not copy a source that is %s", async (_what, options, expected) => {
    const { request, port } = makeSites(options);
    expect(await port.copyFromPrimary(request)).toMatchObject(expected);
  });

  it("does not copy more at once than S3 would", async () => {
    const { primary, request, port } = makeSites();
    const large = primary.put("key", "more than ten bytes");
    const outcome = await port.copyFromPrimary({
      ...request,
      sourceVersionId: large.versionId,
      sourceEtag: large.etag,
    });
    expect(outcome).toMatchObject({ outcome: "failed", failure: { kind: "too_large" } });
  });

  it("never destroys a version", async () => {
    const { replica, request, port } = makeSites();
    await port.copyFromPrimary(request);
    const [copy] = replica.versions("key");
    await port.remove("key", request.sourceEtag);
    await port.copyFromPrimary(request);
    expect(replica.versions("key").map(({ kind }) => kind)).toEqual(["object", "delete_marker", "object"]);
    expect(replica.versions("key")[0]).toEqual(copy);
  });
});
