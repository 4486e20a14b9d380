import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkout } from "./checkout.ts";

describe("geo", () => {
  test.each([[["--help"]], [["replicable", "--help"]], [["replicable", "new", "--help"]], [["--version"]]])(
    "%j answers on standard output, with exit code 0",
    async (args) => {
      const { geo } = await checkout();
      const { code, out, err } = await geo(...args);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).not.toBe("");
    },
  );

  test("shows examples in the help of a command", async () => {
    const { geo } = await checkout();
    expect((await geo("replicable", "new", "--help")).out).toContain(
      "$ geo replicable new cool_gadget --sharding-key project_id",
    );
  });

  test.each([
    [["fly"], /unknown command 'fly'/],
    [["replicable", "fly"], /unknown command 'fly'/],
    [["replicable", "new"], /required option '--sharding-key/],
    [["replicable", "new", "--sharding-key", "none"], /missing required argument 'name'/],
    [["replicable", "new", "a", "--sharding-key", "none", "--bogus"], /unknown option '--bogus'/],
    [["replicable", "docs", "--chek"], /unknown option '--chek'/],
  ])("%j is refused with exit code 2, with what was expected", async (args, problem) => {
    const { geo, changed } = await checkout();
    const { code, out, err } = await geo(...args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatch(problem);
    expect(await changed()).toEqual({});
  });
});

describe("geo replicable docs", () => {
  const PAGE = "docs/supported-types.md";

  test("finds one that is not, says how to mend it and writes nothing; without --check it writes it", async () => {
    const { geo, root, changed } = await checkout();
    await writeFile(join(root, PAGE), "old");
    const { code, err } = await geo("replicable", "docs", "--check");
    expect(code).toBe(1);
    expect(err).toContain("npm run docs:types");
    expect(await changed()).toEqual({ [PAGE]: "old" });
    expect(await geo("replicable", "docs")).toMatchObject({ code: 0, out: `${PAGE}: written\n` });
    expect(await geo("replicable", "docs", "--check")).toMatchObject({ code: 0, out: `${PAGE}: as it should be\n` });
    expect(await changed()).toEqual({});
  });
});
