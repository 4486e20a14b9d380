import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { onTestFinished } from "vitest";
import { runCli } from "../../../cli/run-cli.ts";
import { replicables } from "../../../shared/replicables/index.ts";
import { textOf } from "../../docs/support/repository.ts";

const FILES = ["shared/replicables/index.ts", "docs/supported-types.md", ".prettierrc.json"];

/** As much of a checkout as the scaffold touches, in a folder that goes with the test, and the command run on it. */
export const checkout = async (answer?: boolean) => {
  const root = await mkdtemp(join(tmpdir(), "geo-cli-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  for (const folder of ["shared/replicables", "docs"]) await mkdir(join(root, folder), { recursive: true });
  for (const path of FILES) await writeFile(join(root, path), textOf(path));
  const questions: string[] = [];
  const geo = async (...args: readonly string[]) => {
    const said = { out: "", err: "" };
    const code = await runCli(args, {
      root,
      replicables,
      out: (text) => void (said.out += text),
      err: (text) => void (said.err += text),
      ...(answer === undefined
        ? {}
        : {
            ask: (question) => {
              questions.push(question);
              return Promise.resolve(answer);
            },
          }),
    });
    return { code, ...said };
  };
  return {
    root,
    geo,
    questions,
    /** Every file whose text is not the repository's, by its path. */
    changed: async (): Promise<Readonly<Record<string, string>>> => {
      const entries = await readdir(root, { recursive: true, withFileTypes: true });
      const changes: Record<string, string> = {};
      for (const entry of entries.filter((each) => each.isFile())) {
        const path = relative(root, join(entry.parentPath, entry.name));
        const text = await readFile(join(root, path), "utf8");
        if (!FILES.includes(path) || text !== textOf(path)) changes[path] = text;
      }
      return changes;
    },
  };
};
