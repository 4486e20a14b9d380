import { expect, test } from "vitest";
import * as z from "zod/mini";
import { env as consumerEnv } from "../../../functions/event-consumer/env.ts";
import { env as countersEnv } from "../../../functions/counters/env.ts";
import { GeoError } from "../../../shared/geo/errors.ts";
import { parseEnv, regionOf } from "../../../shared/lambda/parse-env.ts";

test("an environment that fits is handed on, without what nobody asked for", () => {
  const environment = { SITE_NAME: "frankfurt", ROLE: "primary", SITE_TABLE: "site", PATH: "/bin" };
  expect(parseEnv(countersEnv, environment)).toEqual({ SITE_NAME: "frankfurt", ROLE: "primary", SITE_TABLE: "site" });
});

test("everything that is wrong is reported together, with what was expected and what came", () => {
  const environment = { ROLE: "tertiary", SITE_TABLE: "" };
  const parse = () => parseEnv(countersEnv, environment);
  expect(parse).toThrow(GeoError);
  expect(parse).toThrow("SITE_NAME is not set");
  expect(parse).toThrow('ROLE is "tertiary", expected {"values":["primary","secondary"]}');
  expect(parse).toThrow('SITE_TABLE is "", expected {"minimum":1}');
});

test("a value of the wrong form is shown beside the form", () => {
  expect(() => parseEnv(z.pick(consumerEnv, { ACCOUNT_ID: true }), { ACCOUNT_ID: "me" })).toThrow(
    /ACCOUNT_ID is "me", expected \{"pattern":.*12/,
  );
});

test("the region is the one that Lambda sets", () => {
  expect(regionOf({ AWS_REGION: "eu-central-1" })).toBe("eu-central-1");
  expect(() => regionOf({})).toThrow("AWS_REGION is not set");
});
