import { describe, expect, test } from "vitest";
import { findKeyProblem, fingerprintOf, rememberedAs } from "../../../shared/geo/idempotency.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const call = (method: string, path: string, body: string) => fingerprintOf({ method, path, body: bytes(body) });

describe("an idempotency key", () => {
  test.each(["a", "~ !", "x".repeat(255), "8b2f3f0e-5a0e-4c39-9d2c-5d3c8f7c1e11"])("may be %j", (key) => {
    expect(findKeyProblem(key)).toBeUndefined();
  });

  test.each([
    ["", "got 0"],
    ["x".repeat(256), "got 256"],
    ["a\u0007", "got others"],
    ["\u00e4", "got others"],
    ["a\n", "got others"],
  ])("can not be %j", (key, said) => {
    expect(findKeyProblem(key)).toContain(said);
  });

  test("is everybody's own, and not to be read from what is remembered", () => {
    expect(rememberedAs("one", "key")).toMatch(/^[0-9a-f]{64}$/);
    expect(rememberedAs("one", "key")).toBe(rememberedAs("one", "key"));
    expect(rememberedAs("one", "key")).not.toBe(rememberedAs("two", "key"));
    expect(rememberedAs("onek", "ey")).not.toBe(rememberedAs("one", "key"));
  });
});

test("a call is the same one by its method, path, query and body alone, wherever they begin and end", () => {
  const calls = [
    call("POST", "/a", "b"),
    call("PUT", "/a", "b"),
    call("POST", "/ab", ""),
    call("POST", "/a?", "b"),
    call("POST", "/a", "bc"),
    call("POS", "T/a", "b"),
  ];
  expect(new Set(calls)).toHaveLength(calls.length);
  expect(call("POST", "/a", "b")).toBe(call("POST", "/a", "b"));
});
