/** Does what docs/adding-a-replicable.md says, to the letter, in a copy of the repository. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { expect, onTestFinished, test } from "vitest";
import { filesOf, ROOT, textOf } from "./support/repository.ts";

const PAGE = textOf("docs/adding-a-replicable.md");

/** Running the commands takes some seconds, and much longer where everything else runs too. */
const PATIENCE_MS = 120_000;

const DECLARATION = "shared/replicables/cool-gadget.ts";
const LIST = "shared/replicables/index.ts";

/** What stands between two headings. */
const section = (title: string): string => PAGE.split(/^## /m).find((text) => text.startsWith(`${title}\n`)) ?? "";

/** The blocks of code in a language. */
const blocks = (markdown: string, language: string): readonly string[] =>
  [...markdown.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, found, text = ""]) =>
    found === language ? [text] : [],
  );

/**
 * The repository without what tools have made. Each package is linked by itself: a command that took it into its head to
 * install anything would take away links, and nothing of the packages behind them.
 */
const copyOfRepository = async (): Promise<string> => {
  const root = await mkdtemp(join(tmpdir(), "geo-new-type-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const path of filesOf()) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await cp(join(ROOT, path), join(root, path));
  }
  // Somebody may have followed the page already: then the copy is of the time before.
  await rm(join(root, DECLARATION), { force: true });
  const list = await readFile(join(root, LIST), "utf8");
  await writeFile(join(root, LIST), list.replaceAll(/^.*\bcoolGadget\b.*\n/gm, ""));
  await mkdir(join(root, "node_modules"));
  for (const entry of await readdir(join(ROOT, "node_modules"))) {
    await symlink(join(ROOT, "node_modules", entry), join(root, "node_modules", entry));
  }
  return root;
};

/** What a command says, on either stream. Throws that when the command fails. */
const runIn = (root: string, command: string, mayFail = false): string => {
  // Not for the copy: what this very run of the tests has set for its own workers.
  const env = Object.entries(process.env).filter(([name]) => !/^(VITEST|NODE_OPTIONS|TEST)/.test(name));
  const { status, stdout, stderr } = spawnSync("sh", ["-c", command], {
    cwd: root,
    encoding: "utf8",
    env: { ...Object.fromEntries(env), npm_config_offline: "true", NO_COLOR: "1" },
  });
  if (status !== 0 && !mayFail) throw new Error(`${command} ended with ${status}:\n${stdout}${stderr}`);
  return stdout + stderr;
};

test(
  "a new type is declared, looks as the page shows it, and behaves like every other, by the page's own commands",
  async () => {
    const declare = section("1. Declare it");
    const [declared] = blocks(declare, "ts");
    const commands = [declare, section("2. Look")].flatMap((text) => blocks(text, "sh").join("").trim().split("\n"));
    expect(commands).toHaveLength(2);

    const root = await copyOfRepository();
    const [said = "", looked = ""] = commands.map((command) => runIn(root, command));

    expect(said).toContain("Declared cool_gadget");
    expect(await readFile(join(root, DECLARATION), "utf8")).toBe(declared);
    const [, passed] = /Tests +(\d+) passed/.exec(looked) ?? [];
    expect(Number(passed)).toBeGreaterThanOrEqual(20);
    expect(looked).not.toContain("failed");

    // Nothing else has to be done by hand: formatter, page and compiler are content.
    runIn(root, "node_modules/.bin/prettier --check shared/replicables docs/supported-types.md");
    runIn(root, "npm run docs:types -- --check");
    // Whatever else there may be to say: nothing of the new file.
    expect(runIn(root, "node_modules/.bin/tsc --noEmit", true)).not.toContain("cool-gadget");
  },
  PATIENCE_MS,
);
