import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { PRODUCT_VERSION } from "../../../shared/geo/product-version.ts";

test("the version that sites report is the package's", () => {
  const file = new URL("../../../package.json", import.meta.url);
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  expect(PRODUCT_VERSION).toBe(version);
});
