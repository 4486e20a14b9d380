import { expect, it } from "vitest";
import { parseBenchOptions } from "../../bench/options.ts";

it("measures everything but what takes minutes and gigabytes unless told otherwise", () => {
  expect(parseBenchOptions([])).toEqual({
    parts: ["bundles", "lag", "requests", "walks", "api"],
    gib: 6,
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

it("measures a large object, of any size, when it is told to", () => {
  expect(parseBenchOptions(["--only", "large"])).toMatchObject({ parts: ["large"], gib: 6 });
  expect(parseBenchOptions(["--only", "large", "--gib", "5.1"])).toMatchObject({ parts: ["large"], gib: 5.1 });
});

it.each([
  [["--only", "speed"], /--only takes bundles, lag, requests, walks, api, large; got speed/],
  [["--gib", "4.6"], /--gib takes 4\.7 to 93; got 4\.6/],
  [["--gib", "six"], /--gib takes 4\.7 to 93; got six/],
  [["--fast"], /--fast/],
  [["--json", "--markdown"], /exclude each other/],
])("refuses %j and says why", (args, reason) => {
  expect(() => parseBenchOptions(args)).toThrow(reason);
});
