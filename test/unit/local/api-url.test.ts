import { expect, test } from "vitest";
import { apiUrlOf } from "../../../infra/local/deploy.ts";

const OUTPUTS = { Other: "x", ApiUrl: "https://abc123.execute-api.eu-west-1.amazonaws.com/geo" };
const LOCAL = { name: "ministack", version: "1", account: "000000000000", stop: async () => {} } as const;

test("AWS's own address is taken as it is", () => {
  expect(apiUrlOf({ ...LOCAL, name: "aws" }, OUTPUTS)).toBe("https://abc123.execute-api.eu-west-1.amazonaws.com/geo");
});

test("a slash at its end, which older templates have, is left out", () => {
  const outputs = { ApiUrl: `${OUTPUTS.ApiUrl}/` };
  expect(apiUrlOf({ ...LOCAL, name: "aws" }, outputs)).toBe(OUTPUTS.ApiUrl);
});

test("a stand-in's API is reached under its endpoint", () => {
  expect(apiUrlOf({ ...LOCAL, endpoint: "http://127.0.0.1:4566/" }, OUTPUTS)).toBe(
    "http://127.0.0.1:4566/_aws/execute-api/abc123/geo",
  );
});

test("a stack without an API says so", () => {
  expect(() => apiUrlOf(LOCAL, { Other: "x" })).toThrow('no output of the stack is the URL of its API: {"Other":"x"}');
});
