import { expect, test } from "vitest";
import { FIRST_STANDING, mayWrite, SITE_ROLES } from "../../../shared/geo/site-standing.ts";

test("a site that nobody has promoted or restored is a secondary since its first epoch, and writes", () => {
  expect(FIRST_STANDING).toEqual({ role: "secondary", epoch: 0 });
  expect(mayWrite(FIRST_STANDING, 0)).toBe(true);
});

test("only a secondary writes replicas: a site that is a primary, or becomes one, has let go", () => {
  expect(SITE_ROLES.filter((role) => mayWrite({ role, epoch: 3 }, 3))).toEqual(["secondary"]);
});

test.each([2, 4])("an attempt that began in epoch %i does not write in epoch 3", (epoch) => {
  expect(mayWrite({ role: "secondary", epoch: 3 }, epoch)).toBe(false);
});

test("nothing is written by a site that is paused, and by one that goes on it is (F98)", () => {
  expect(mayWrite({ role: "secondary", epoch: 3, paused: true }, 3)).toBe(false);
  expect(mayWrite({ role: "secondary", epoch: 3 }, 3)).toBe(true);
});
