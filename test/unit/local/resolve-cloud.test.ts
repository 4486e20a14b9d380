import { describe, expect, test } from "vitest";
import type { Cloud } from "../../../infra/local/cloud.ts";
import {
  type CloudChoice,
  type CloudProvider,
  CloudUnavailableError,
  describeResolution,
  resolveCloud,
} from "../../../infra/local/resolve-cloud.ts";

const cloudOf = (name: Cloud["name"]): Cloud => ({
  name,
  version: "9.9",
  endpoint: "http://127.0.0.1:1",
  account: "000000000000",
  stop: async () => {},
});

const found = (choice: CloudChoice, name: Cloud["name"]): CloudProvider => ({
  choice,
  get: async () => ({ cloud: cloudOf(name), why: `${choice} is here` }),
});

const missing = (choice: CloudChoice, reason: string): CloudProvider => ({ choice, get: async () => ({ reason }) });

const broken = (choice: CloudChoice, message: string): CloudProvider => ({
  choice,
  get: () => Promise.reject(new Error(message)),
});

describe("without being told which cloud", () => {
  test("takes the first that can be had, and tells why not the ones before it", async () => {
    const providers = [
      missing("endpoint", "AWS_ENDPOINT_URL is not set"),
      missing("localstack", "no docker"),
      found("ministack", "ministack"),
    ];
    const resolution = await resolveCloud({ env: {}, providers });
    expect(resolution).toMatchObject({
      cloud: { name: "ministack" },
      why: "ministack is here",
      passedOver: ["endpoint: AWS_ENDPOINT_URL is not set", "localstack: no docker"],
    });
    expect(describeResolution(resolution)).toBe("Cloud: ministack 9.9 at http://127.0.0.1:1 (ministack is here).");
  });

  test("passes over one that fails to start, with its reason", async () => {
    const providers = [broken("localstack", "the image can not be pulled"), found("ministack", "ministack")];
    expect(await resolveCloud({ env: {}, providers })).toMatchObject({
      cloud: { name: "ministack" },
      passedOver: ["localstack: the image can not be pulled"],
    });
  });

  test("says plainly that there is none", async () => {
    const resolution = await resolveCloud({ env: {}, providers: [missing("ministack", "no Python")] });
    expect(resolution).toMatchObject({ cloud: undefined, passedOver: ["ministack: no Python"] });
    expect(describeResolution(resolution)).toMatch(/^Cloud: none, so this runs in the embedded world/);
  });
});

describe("when told which cloud", () => {
  const providers = [found("endpoint", "other"), missing("ministack", "no Python")];

  test("takes no other one in its place", async () => {
    const asked = resolveCloud({ env: { GEO_CLOUD: "ministack" }, providers });
    await expect(asked).rejects.toThrow(CloudUnavailableError);
    await expect(asked).rejects.toThrow("ministack was asked for and can not be had. ministack: no Python");
  });

  test("asks for none in the embedded world", async () => {
    expect(await resolveCloud({ env: { GEO_CLOUD: "embedded" }, providers })).toEqual({
      cloud: undefined,
      why: "it was asked for",
      passedOver: [],
    });
  });

  test("refuses a name that it does not know", async () => {
    await expect(resolveCloud({ env: { GEO_CLOUD: "azure" }, providers })).rejects.toThrow(
      'GEO_CLOUD must be one of endpoint, localstack, ministack, embedded, aws; it is "azure"',
    );
  });

  test("asks for an account before it touches AWS", async () => {
    await expect(resolveCloud({ env: { GEO_CLOUD: "aws" } })).rejects.toThrow("set CDK_DEFAULT_ACCOUNT");
  });
});

test("an endpoint at which nothing answers is passed over by name", async () => {
  const asked = resolveCloud({ env: { GEO_CLOUD: "endpoint", AWS_ENDPOINT_URL: "http://127.0.0.1:9" } });
  await expect(asked).rejects.toThrow("nothing healthy answers at AWS_ENDPOINT_URL (http://127.0.0.1:9)");
});
