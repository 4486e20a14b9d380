import { expect, it } from "vitest";
import { parseBenchOptions } from "../../bench/options.ts";

it("measures everything unless told otherwise", () => {
  expect(parseBenchOptions([])).toEqual({
    parts: ["bundles", "lag", "requests", "walks"],
    json: false,
    markdown: false,
    help: false,
  });
});

it("measures only what it is told to", () => {
  expect(parseBenchOptions(["--only", "requests", "--only", "bundles", "--json"])).toMatchObject({
    parts: ["bundles", "requests"],
    json: true,
  });
});

it.each([
  [["--only", "speed"], /--only takes bundles, lag, requests, walks; got speed/],
  [["--fast"], /--fast/],
  [["--json", "--markdown"], /exclude each other/],
])("refuses %j and says why", (args, reason) => {
  expect(() => parseBenchOptions(args)).toThrow(reason);
});
