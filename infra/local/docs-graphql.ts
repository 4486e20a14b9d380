/** Writes the GraphQL schema and its page from the declared types: `npm run docs:graphql`. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { formatted } from "../../cli/scaffold/formatted.ts";
import { replicables } from "../../shared/replicables/index.ts";
import { graphqlDocuments } from "./graphql-page.ts";
import { ROOT } from "./paths.ts";

for (const { path, text } of graphqlDocuments(replicables)) {
  const file = join(ROOT, path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, await formatted(ROOT, path, text));
}
