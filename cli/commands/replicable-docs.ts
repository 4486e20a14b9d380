import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import * as z from "zod";
import { CommandError, EXIT } from "../exit-codes.ts";
import { addExamples } from "../output/options.ts";
import { formatted } from "../scaffold/formatted.ts";
import { supportPage, SUPPORT_PAGE } from "../scaffold/support-page.ts";
import { writeFiles } from "../scaffold/write-files.ts";
import type { Surroundings } from "../surroundings.ts";

const Options = z.object({ check: z.boolean().default(false) });

/** `geo replicable docs`: the page of supported types, made from the declarations. */
export const addReplicableDocs = (parent: Command, { root, replicables, out }: Surroundings): void => {
  const command = parent
    .command("docs")
    .description(`Writes ${SUPPORT_PAGE} from the declarations.`)
    .option("--check", "write nothing; fail if the page is not what it would be")
    .action(async (raw: unknown) => {
      const { check } = Options.parse(raw);
      const text = await formatted(root, SUPPORT_PAGE, supportPage(replicables));
      const present = await readFile(join(root, SUPPORT_PAGE), "utf8").catch(() => undefined);
      if (check && present !== text) {
        throw new CommandError(
          EXIT.failure,
          `${SUPPORT_PAGE} is not what the declarations say; run: npm run docs:types`,
        );
      }
      if (present !== text) await writeFiles(root, [{ path: SUPPORT_PAGE, text }]);
      out(`${SUPPORT_PAGE}: ${present === text ? "as it should be" : "written"}\n`);
    });
  addExamples(command, "geo replicable docs", "geo replicable docs --check");
};
