import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { replicables } from "../../../shared/replicables/index.ts";
import { checkout } from "./checkout.ts";

const run = promisify(execFile);

/** What bash offers behind words that were typed. */
const offered = async (...typed: readonly string[]): Promise<readonly string[]> => {
  const { geo } = await checkout();
  const { out } = await geo("completion", "bash");
  const words = ["geo", ...typed].map((word) => `'${word}'`).join(" ");
  const script = `${out}\nCOMP_WORDS=(${words})\nCOMP_CWORD=${typed.length}\n_geo\nprintf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout } = await run("bash", ["--norc", "-c", script]);
  return stdout.split("\n").filter((word) => word !== "");
};

describe("geo completion", () => {
  test.each([
    [["st"], ["status"]],
    [
      ["site", ""],
      ["list", "show", "pause", "resume", "-h", "--help"],
    ],
    [["site", "pause", "--d"], ["--dry-run"]],
    [["site", "pause", "--dry-run", "--y"], ["--yes"]],
    [
      ["status", "--output", ""],
      ["table", "json"],
    ],
    [["status", "-o", "j"], ["json"]],
    [
      ["token", "create", "--scope", ""],
      ["read_geo", "admin_geo"],
    ],
    [["completion", "b"], ["bash"]],
    [["status", "--site", ""], []],
    [["resync", "--type", "lfs"], ["lfs_object"]],
  ])("has a real bash offer, behind geo %j: %j", async (typed, words) => {
    expect(await offered(...typed)).toEqual(words);
  });

  test("offers every type", async () => {
    expect(await offered("wait", "synced", "--type", "")).toEqual(replicables.map(({ name }) => name));
  });

  test.each([
    ["zsh", /^#compdef geo\n/, /'status:How far every site has come/],
    ["fish", /^# Completes geo in fish/, /complete -c geo -n 'test \(__geo_place\) = "geo site"' -a pause -d '/],
  ])("is there for %s", async (shell, beginning, part) => {
    const { geo } = await checkout();
    const { code, out } = await geo("completion", shell);
    expect(code).toBe(0);
    expect(out).toMatch(beginning);
    expect(out).toMatch(part);
  });

  test("says for which shells it is there", async () => {
    const { geo } = await checkout();
    expect(await geo("completion", "tcsh")).toEqual({
      code: 2,
      out: "",
      err: 'geo: <shell> is "tcsh", expected one of bash, zsh, fish\n',
    });
  });
});
