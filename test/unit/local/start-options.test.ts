import { expect, test } from "vitest";
import { parseStartOptions, UsageError } from "../../../infra/local/start-options.ts";

test("stays up and prints for people unless told otherwise", () => {
  expect(parseStartOptions([])).toEqual({ exit: false, json: false, narrow: false, help: false, seed: "demo" });
});

test("takes every option of the contract", () => {
  expect(parseStartOptions(["--exit", "--json", "--narrow", "--seed", "s"])).toEqual({
    exit: true,
    json: true,
    narrow: true,
    help: false,
    seed: "s",
  });
});

test.each([["--exti"], ["--seed"], ["now"]])("refuses %s", (argument) => {
  expect(() => parseStartOptions([argument])).toThrow(UsageError);
});
