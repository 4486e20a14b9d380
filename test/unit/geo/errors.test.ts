import { describe, expect, test } from "vitest";
import {
  ERROR_CODES,
  GeoError,
  messageOf,
  StoreUnavailableError,
  TableRequestError,
  TableUnavailableError,
  WorkflowUnavailableError,
} from "../../../shared/geo/errors.ts";

describe("an error of the product", () => {
  test("has a code, says whether it is worth another try, and keeps what caused it", () => {
    const cause = new Error("reset");
    const error = new GeoError("GEO_STORE_UNAVAILABLE", "the bucket did not answer", { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "GeoError",
      code: "GEO_STORE_UNAVAILABLE",
      next: "again",
      message: "the bucket did not answer",
      cause,
    });
    expect(new GeoError("GEO_INVALID_KEY", "no key").next).toBe("stop");
  });

  test.each([
    [TableUnavailableError, "TableUnavailableError", "GEO_TABLE_UNAVAILABLE", "again"],
    [TableRequestError, "TableRequestError", "GEO_TABLE_REQUEST", "stop"],
    [StoreUnavailableError, "StoreUnavailableError", "GEO_STORE_UNAVAILABLE", "again"],
    [WorkflowUnavailableError, "WorkflowUnavailableError", "GEO_WORKFLOW_UNAVAILABLE", "again"],
  ])("of a port is a kind of its own: %o", (Kind, name, code, next) => {
    const cause = new Error("reset");
    const error = new Kind("no answer", { cause });
    expect(error).toBeInstanceOf(GeoError);
    expect(error).toMatchObject({ name, code, next, message: "no answer", cause });
  });

  test("is worth another try when the world may be better then, and not when somebody has to change something", () => {
    const again = Object.entries(ERROR_CODES).flatMap(([code, next]) => (next === "again" ? [code] : []));
    expect(again.toSorted()).toEqual([
      "GEO_API_UNREACHABLE",
      "GEO_OUT_OF_TIME",
      "GEO_QUEUE_UNAVAILABLE",
      "GEO_STORE_UNAVAILABLE",
      "GEO_TABLE_UNAVAILABLE",
      "GEO_WORKFLOW_UNAVAILABLE",
    ]);
    expect(new Set(Object.values(ERROR_CODES))).toEqual(new Set(["again", "stop"]));
  });
});

test("whatever was thrown has something to say", () => {
  expect(messageOf(new TypeError("not a function"))).toBe("not a function");
  expect(messageOf("just a text")).toBe("just a text");
  expect(messageOf(undefined)).toBe("undefined");
});
