import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { VersioningCheck } from "../../../shared/aws/versioning-check.ts";
import { openWire, s3ClientOn, type Wire } from "./support/wire.ts";

let wire: Wire;
beforeAll(async () => {
  wire = await openWire();
});
afterAll(() => wire.close());
beforeEach(() => void wire.seen.splice(0));

const check = (): VersioningCheck =>
  new VersioningCheck([{ client: s3ClientOn(wire.endpoint), bucket: "replicas", accountId: "123456789012" }]);

const answer = (status: string) => {
  const body = `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${status}</VersioningConfiguration>`;
  wire.answer = { status: 200, headers: { "content-type": "application/xml" }, body };
};

describe("a bucket of a site", () => {
  it("is worked on when it keeps versions, and is asked once", async () => {
    answer("<Status>Enabled</Status>");
    const versioning = check();
    await versioning.assertEnabled();
    await versioning.assertEnabled();
    expect(wire.seen).toHaveLength(1);
  });

  it.each([
    ["never had versioning", "", "off"],
    ["has it suspended", "<Status>Suspended</Status>", "Suspended"],
  ])("is refused when it %s, by name and with what was expected", async (_what, status, said) => {
    answer(status);
    await expect(check().assertEnabled()).rejects.toThrow(`versioning of bucket replicas is ${said}, expected Enabled`);
  });

  it("is asked again after a refusal: versioning may be turned on at any time", async () => {
    answer("");
    const versioning = check();
    await expect(versioning.assertEnabled()).rejects.toMatchObject({ code: "GEO_BUCKET_NOT_VERSIONED" });
    answer("<Status>Enabled</Status>");
    await expect(versioning.assertEnabled()).resolves.toBeUndefined();
  });

  it("is asked again from the first write on that made no version of its own", async () => {
    answer("<Status>Enabled</Status>");
    const versioning = check();
    await versioning.assertEnabled();
    expect(versioning.withoutVersion("replicas", "v1")).toBeUndefined();
    await versioning.assertEnabled();
    expect(wire.seen).toHaveLength(1);
    answer("<Status>Suspended</Status>");
    expect(versioning.withoutVersion("replicas", "null")).toEqual({
      outcome: "unknown",
      detail: expect.stringContaining("GEO_BUCKET_NOT_VERSIONED: bucket replicas answered") as string,
    });
    await expect(versioning.assertEnabled()).rejects.toMatchObject({ code: "GEO_BUCKET_NOT_VERSIONED" });
  });
});
