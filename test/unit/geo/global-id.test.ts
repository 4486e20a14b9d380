import { Buffer } from "node:buffer";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { globalId, parseGlobalId } from "../../../shared/geo/global-id.ts";
import { findKeyProblem } from "../../../shared/geo/key-codec.ts";

const base64 = (bytes: readonly number[]): string => Buffer.from(bytes).toString("base64url");

describe("a global id", () => {
  test("looks like GitLab's, and names a class and a key", () => {
    const id = globalId({ registryClass: "CoolWidgetRegistry", key: "cool_widgets/7/42/a b.png" });
    expect(id).toMatch(/^gid:\/\/geo\/CoolWidgetRegistry\/[\w-]+$/);
    expect(parseGlobalId(id)).toEqual({ registryClass: "CoolWidgetRegistry", key: "cool_widgets/7/42/a b.png" });
  });

  test("leads back to any key, and each key has one", () => {
    const key = fc.string({ unit: "grapheme", maxLength: 300 }).filter((text) => findKeyProblem(text) === undefined);
    fc.assert(
      fc.property(key, fc.stringMatching(/^[A-Za-z]{1,30}$/), (one, registryClass) => {
        expect(parseGlobalId(globalId({ registryClass, key: one }))).toEqual({ registryClass, key: one });
      }),
    );
    const longest = { registryClass: "LfsObjectRegistry", key: "\u{10000}".repeat(256) };
    expect(parseGlobalId(globalId(longest))).toEqual(longest);
  });

  test.each([
    ["nothing", ""],
    ["a number", "17"],
    ["another application's", "gid://gitlab/LfsObjectRegistry/MQ"],
    ["one without a key", "gid://geo/LfsObjectRegistry/"],
    ["one of a strange class", "gid://geo/Lfs#000/MQ"],
    ["one with more behind it", "gid://geo/LfsObjectRegistry/MQ/2"],
    ["one with a line behind it", "gid://geo/LfsObjectRegistry/MQ\n"],
    ["one of more than any key", `gid://geo/LfsObjectRegistry/${"A".repeat(1_367)}`],
  ])("is not %s", (_what, text) => {
    expect(parseGlobalId(text)).toEqual({ problem: expect.stringContaining("expected a registry's id such as") });
  });

  test.each([
    ["bytes that are no text", base64([0xff, 0xfe])],
    ["another spelling of the same bytes", "MR"],
    ["one character, which is no byte", "M"],
  ])("is not made of %s", (_what, opaque) => {
    expect(parseGlobalId(`gid://geo/LfsObjectRegistry/${opaque}`)).toEqual({
      problem: expect.stringContaining("is no id that this API has handed out"),
    });
  });
});
