import { expect, test } from "vitest";
import { GeoError } from "../../../shared/geo/errors.ts";
import { unreachable } from "../../../shared/geo/unreachable.ts";

const call = (): never => unreachable("sideways" as never);

test("a value that no branch was written for ends the work, and is shown", () => {
  expect(call).toThrow(GeoError);
  expect(call).toThrow('Expected a value of a closed list, got "sideways"');
  expect(call).toThrow(expect.objectContaining({ code: "GEO_UNKNOWN_STATE" }));
});
