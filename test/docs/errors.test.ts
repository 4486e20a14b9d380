import { expect, test } from "vitest";
import { ERROR_CODES } from "../../shared/geo/errors.ts";
import { headingsOf, proseOf, textOf } from "./support/repository.ts";

const page = textOf("docs/errors.md");

test("every error code has its heading, in the order of the code, and no heading is of a code that is gone", () => {
  expect(headingsOf(page).filter((heading) => heading.startsWith("GEO_"))).toEqual(Object.keys(ERROR_CODES));
});

test.each(Object.entries(ERROR_CODES))("%s says what happens next: %s", (code, next) => {
  const [, section = ""] = proseOf(page).split(`\n## ${code}\n`);
  expect(section.trimStart()).toMatch(next === "again" ? /^_Again\._ / : /^_Stop\._ /);
});
